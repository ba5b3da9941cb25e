/** The programs that nfbridge is compared with: found, tried once, and started in a namespace. */
import type { Namespace } from 'nfbridge'
import { compileGoogle, compileLibnftables, nanoseconds, type Programs } from './programs.js'

/** A command and its words. */
export type Command = readonly [program: string, ...words: string[]]

/** A variant of iptables-restore that works here. */
export interface Restore {
  readonly program: string
  /** For the table: `iptables-restore (nft)`. */
  readonly name: string
}

export interface Peers {
  readonly nft: boolean
  readonly ip: boolean
  /** Programs around libraries, where these are installed: libnftables, google/nftables. */
  readonly libnftables: string | undefined
  readonly google: string | undefined
  readonly restores: readonly Restore[]
  /** What is left out, and why. */
  readonly missing: readonly string[]
}

/** Nanoseconds from the first fork to the last exit of commands, run one after the other in their namespaces. */
export async function launch(
  programs: Programs,
  commands: readonly (readonly [namespace: Namespace, command: Command])[],
  limitMs?: number,
): Promise<number> {
  const words = commands.flatMap(([namespace, command]) => ['--', namespace.path(), ...command])
  const [taken] = await nanoseconds(programs.launch, words, limitMs)
  if (taken === undefined)
    throw new Error(`${commands.map(([, command]) => command.join(' ')).join('; ')}: failed`)
  return taken
}

/** Tries each program once in a namespace made for it. */
export async function findPeers(programs: Programs, scratch: Namespace): Promise<Peers> {
  const missing: string[] = []
  const works = async (...command: Command): Promise<boolean> => {
    try {
      await launch(programs, [[scratch, command]])
      return true
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      missing.push(`${command[0]} does not work here: ${message.trim().split('\n').at(-1)}`)
      return false
    }
  }
  const compiled = async (name: string, compile: () => Promise<string>): Promise<string | undefined> => {
    try {
      return await compile()
    } catch (error) {
      const lines = (error instanceof Error ? error.message : String(error)).trim().split('\n')
      const reason = lines.find((line) => /error|cannot|not found|ENOENT/.test(line)) ?? lines[0]
      missing.push(`${name} cannot be compiled here: ${reason}`)
      return undefined
    }
  }
  const restores: Restore[] = []
  for (const [program, name] of [
    ['iptables-nft-restore', 'iptables-restore (nft)'],
    ['iptables-legacy-restore', 'iptables-restore (legacy)'],
  ] as const) {
    if (await works(program, '/dev/null')) restores.push({ program, name })
  }
  return {
    nft: await works('nft', 'list', 'tables'),
    ip: await works('ip', 'link', 'show'),
    libnftables: await compiled('libnftables (libnftables-dev)', compileLibnftables),
    google: await compiled('google/nftables (golang-go, golang-github-google-nftables-dev)', compileGoogle),
    restores,
    missing,
  }
}
