/** libnftables' JSON: what nft printed is read and installed; what we write, nft reads. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Namespace } from '../../src/netns/index.js'
import { Nft, type Operation, type Ruleset, ruleset } from '../../src/nft/index.js'
import { closeAfterEach, newNamespaces } from '../support/namespaces.js'
import { ip, nft, nftFile } from '../support/tools.js'
import { sameAsNft } from './nft-list-lines.js'
import { tableWith } from './nft-list-table.js'

const keep = closeAfterEach()

async function spaces(): Promise<[Namespace, Namespace]> {
  const [here, there] = await newNamespaces(keep, 2)
  if (!here || !there) throw new Error('no namespaces')
  for (const space of [here, there]) await ip(space, 'link', 'set', 'lo', 'up')
  return [here, there]
}

async function open(namespace: Namespace): Promise<Nft> {
  return keep(await Nft.open({ netns: namespace }))
}

async function commit(namespace: Namespace, operations: readonly Operation[]): Promise<void> {
  const connection = await open(namespace)
  await connection.transaction().addAll(operations).commit()
}

/** What nft lists, with sets of flags, whose order is by chance, in one order, and without what its JSON loses. */
async function listed(namespace: Namespace): Promise<string[]> {
  const text = await nft(namespace, 'list', 'ruleset')
  return text
    .replace(/\{ ([^{}\n]+) \}/g, (_, elements: string) => `{ ${elements.split(', ').sort().join(', ')} }`)
    .split('\n')
}

/** `nft -j -f file`: it opens its input by name, which a pipe of ours has none of. */
async function nftJsonFile(namespace: Namespace, json: object): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'nfbridge-json-'))
  try {
    const file = join(folder, 'ruleset.json')
    await writeFile(file, JSON.stringify(json))
    await nft(namespace, '-j', '-f', file)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** The blocks of the one table, in whatever order they were made. */
const inNoOrder = (lines: readonly string[]): string[] => lines.slice(1, -2).join('\n').split('\n\n').sort()

/** nft's JSON has no flag `dynamic`, and does not say that a map gives ranges. */
const withoutDynamic = (lines: readonly string[]): string[] =>
  lines.flatMap((line) => {
    if (line === '\t\tflags dynamic') return []
    return [line.replace('flags dynamic,', 'flags ').replace(' : interval ', ' : ')]
  })

/** The same objects in another order, rules of one chain in theirs. */
function shuffled({ nftables }: ReturnType<typeof ruleset.toJson>): object[] {
  const rules = nftables.filter((object) => 'rule' in object)
  return [...rules, ...nftables.filter((object) => !('rule' in object)).reverse()]
}

describe.each(sameAsNft)('$title ($family)', (group) => {
  it('as nft -j printed it is read and installed', async () => {
    const [here, there] = await spaces()
    await nftFile(here, tableWith(group))
    await commit(there, ruleset.fromJson(await nft(here, '-j', 'list', 'ruleset')).operations)
    expect(await listed(there)).toEqual(withoutDynamic(await listed(here)))
  })

  it('as we list it is written for nft, which installs the same', async () => {
    const [here, there] = await spaces()
    // nft 1.0.6 reads no map that gives a concatenation, in no form.
    await nftFile(here, withoutConcatenatedMaps(tableWith(group)))
    const list: Ruleset = await (await open(here)).list()
    await nftJsonFile(there, ruleset.toJson(list))
    expect(await listed(there)).toEqual(withoutDynamic(await listed(here)))
  })

  it('survives JSON with everything kept, in any order of its objects', async () => {
    const [here, there] = await spaces()
    await nftFile(here, tableWith(group))
    const before: Ruleset = await (await open(here)).list()
    const json = { nftables: shuffled(ruleset.toJson(before, { keep: true })) }
    await commit(there, ruleset.fromJson(JSON.stringify(json)).operations)
    expect(inNoOrder(await listed(there))).toEqual(inNoOrder(await listed(here)))
  })
})

function withoutConcatenatedMaps(text: string): string {
  return text
    .split('\n')
    .filter(
      (line) => !/map .* : ipv4_addr \. inet_service|map @(publish|pub2)|map \{ .* : \d\S+ \. \d+/.test(line),
    )
    .join('\n')
}
