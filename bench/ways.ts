/** The ways of committing a table that several rows have: ours, and those of the programs and libraries that speak to nf_tables. */
import type { Namespace } from 'nfbridge'
import type { Nft, Transaction } from 'nfbridge/nft'
import { type Contestant, timeBoth } from './contest.js'
import { type Command, launch } from './peers.js'
import { nanoseconds } from './programs.js'
import type { Surroundings } from './surroundings.js'
import { table } from './workloads.js'

/** From an empty transaction to the end of its commit. */
export function committing(nft: Nft, name: string, transaction: () => Transaction): Contestant {
  let javascript = 0
  return {
    name,
    processes: 0,
    run: async () => {
      const taken = await timeBoth(() => transaction().commit())
      javascript = taken.javascript
      await nft.transaction().delete({ table }).commit()
      return [taken.whole]
    },
    javascript: () => javascript,
  }
}

/** A program that reads a file. */
export function peer(
  name: string,
  { programs }: Surroundings,
  namespace: Namespace,
  command: Command,
  undo: Command,
): Contestant {
  return {
    name,
    processes: 1,
    run: async () => {
      const taken = await launch(programs, [[namespace, command]])
      await launch(programs, [[namespace, undo]])
      return [taken]
    },
  }
}

/** The table in the languages of nft. */
export interface Texts {
  text(): string
  json(): string
}

/** `nft -f`, `nft -j -f`, libnftables in process with either, and google/nftables, where they are there. */
export async function ruleLanguages(
  surroundings: Surroundings,
  what: 'rules' | 'elements',
  count: number,
  notes: string[],
  texts: Texts,
): Promise<Contestant[]> {
  const { libnftables, google, nft } = surroundings.peers
  const found: Contestant[] = []
  const attempt = async (name: string, create: () => Promise<Contestant>): Promise<void> => {
    found.push(...(await surroundings.attempt(name, notes, create)))
  }
  const file = { text: '', json: '' }
  if (nft || libnftables !== undefined) {
    file.text = surroundings.file(`${what}.nft`, texts.text())
    file.json = surroundings.file(`${what}.json`, texts.json())
  }
  const undo = ['delete', 'table', table.family, table.name] as const
  if (nft) {
    for (const [name, options] of [
      ['nft -f', ['-f', file.text]],
      ['nft -j -f', ['-j', '-f', file.json]],
    ] as const) {
      await attempt(name, async () =>
        peer(name, surroundings, await surroundings.namespace(), ['nft', ...options], ['nft', ...undo]),
      )
    }
  }
  if (libnftables !== undefined) {
    for (const form of ['text', 'json'] as const) {
      const name = `libnftables in process, ${form === 'text' ? 'text' : 'JSON'}`
      await attempt(name, async () =>
        inProcess(name, await surroundings.namespace(), libnftables, [form, file[form], undo.join(' '), '1']),
      )
    }
  }
  if (google !== undefined) {
    const name = 'google/nftables (Go)'
    await attempt(name, async () =>
      inProcess(name, await surroundings.namespace(), google, [what, String(count), '1']),
    )
    notes.push(
      'google/nftables: its socket is given larger buffers, without which it sends no more than 208 KiB',
    )
  }
  return found
}

/** A program of ours around a library, which times the library alone, and undoes it itself. */
function inProcess(
  name: string,
  namespace: Namespace,
  program: string,
  words: readonly string[],
): Contestant {
  return { name, processes: 0, run: () => nanoseconds(program, [...words, namespace.path()], 120_000) }
}
