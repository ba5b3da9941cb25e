/** What nft makes of the cases: what it takes, the expressions that it sends. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Namespace } from '../../src/netns/index.js'
import { run, type ToolResult } from '../support/tools.js'

/** nft run in a namespace, whatever it answers. */
export function tryNft(namespace: Namespace, args: readonly string[], input: string): Promise<ToolResult> {
  return run('nsenter', [`--net=${namespace.path()}`, '--', 'nft', ...args], input)
}

/** nft's answer to some commands: for each that it refused the reason. */
export interface Answer {
  readonly refused: ReadonlyMap<number, string>
  readonly output: string
}

/**
 * Installs commands, one a line, in one transaction, without those that nft or the kernel refuses. nft names the lines: the
 * rest is tried again without them.
 */
export async function installText(namespace: Namespace, commands: readonly string[]): Promise<Answer> {
  const refused = new Map<number, string>()
  for (;;) {
    const text = commands.map((command, index) => (refused.has(index) ? '' : command)).join('\n')
    const { code, stdout, stderr } = await tryNft(namespace, ['--debug=netlink', '-f', '-'], `${text}\n`)
    if (code === 0) return { refused, output: stdout }
    const before = refused.size
    for (const [, line, reason] of stderr.matchAll(/^\/dev\/stdin:(\d+):\d+-\d+: Error: (.*)$/gm)) {
      const index = Number(line) - 1
      if (!refused.has(index)) refused.set(index, reason ?? '')
    }
    if (refused.size === before) throw new Error(`nft ended with ${code} and named no line: ${stderr}`)
  }
}

/** As {@link installText}, of groups of commands in JSON; nft does not always name what it refuses: else it is bisected. */
export async function installJson(
  namespace: Namespace,
  groups: readonly (readonly object[])[],
): Promise<ReadonlyMap<number, string>> {
  const refused = new Map<number, string>()
  const install = async (from: number, to: number): Promise<void> => {
    if (from >= to) return
    const owners = groups.slice(from, to).flatMap((group, index) => group.map(() => from + index))
    const commands = groups.slice(from, to).flat()
    await writeFile(file, JSON.stringify({ nftables: commands }))
    const { code, stderr } = await tryNft(namespace, ['-j', '-f', file], '')
    if (code === 0) return
    const [, reason = `nft ended with ${code}`] = /Error: (.*)/.exec(stderr) ?? []
    const [, at] = /Parsing command array at index (\d+) failed/.exec(stderr) ?? []
    const named = to - from === 1 ? from : owners[Number(at)]
    if (named !== undefined) {
      refused.set(named, reason)
      await install(from, named)
      await install(named + 1, to)
      return
    }
    const middle = (from + to) >> 1
    await install(from, middle)
    await install(middle, to)
  }
  // nft opens what it reads JSON from, which a socket as its standard input cannot be.
  const folder = await mkdtemp(join(tmpdir(), 'nfbridge-conformance-'))
  const file = join(folder, 'commands.json')
  try {
    await install(0, groups.length)
  } finally {
    await rm(folder, { recursive: true })
  }
  return refused
}

/**
 * The expressions of `--debug=netlink` by chain, one rule a chain: its anonymous sets with their elements, then its
 * expressions, as `test/unit/nft/debug-notation.ts` renders ours.
 */
export function expressionsByChain(output: string): ReadonlyMap<string, string[]> {
  const chains = new Map<string, string[]>()
  let pending: string[] = []
  let current: string[] = []
  for (const line of output.split('\n')) {
    const [, chain] = /^\w+ t (case\d+)\s*$/.exec(line) ?? []
    if (chain !== undefined) {
      current = pending
      pending = []
      chains.set(chain, current)
    } else if (/^\s+\[ /.test(line)) current.push(spaced(line))
    else if (/^\s*element /.test(line)) pending.push(...elements(line))
    else if (/^__\S+ t \w+ size \d+$/.test(line)) pending.push(line)
  }
  return chains
}

function elements(line: string): string[] {
  return (
    line
      .split('[end]')
      .map((element) => spaced(element))
      // User data is compared in the kernel's records.
      .filter((element) => element.startsWith('element '))
      .map((element) => `${element} [end]`)
  )
}

export function spaced(line: string): string {
  return line.replace(/\s+/g, ' ').trim()
}
