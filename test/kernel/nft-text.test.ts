/** Our text of a listing against `nft list ruleset`, and read by `nft -f` again. */
import { describe, expect, it } from 'vitest'
import type { Namespace } from '../../src/netns/index.js'
import { Nft, toText } from '../../src/nft/index.js'
import { closeAfterEach, newNamespaces } from '../support/namespaces.js'
import { ip, nft, nftFile } from '../support/tools.js'
import { sameAsNft } from './nft-list-lines.js'
import { tableWith } from './nft-list-table.js'

const keep = closeAfterEach()

async function spaces(): Promise<[Namespace, Namespace]> {
  const [here, there] = await newNamespaces(keep, 2)
  if (!here || !there) throw new Error('no namespaces')
  for (const space of [here, there]) {
    await ip(space, 'link', 'set', 'lo', 'up')
    await ip(space, 'link', 'add', 'd0', 'type', 'veth', 'peer', 'name', 'd1')
  }
  return [here, there]
}

async function ours(namespace: Namespace, options?: { handles: boolean }): Promise<string> {
  const connection = keep(await Nft.open({ netns: namespace }))
  return `${toText(await connection.list(), options)}\n`
}

/** Sets of flags as nft itself orders them by chance: the elements between braces, sorted. */
function withSortedSets(text: string): string[] {
  return text
    .replace(/\{ ([^{}\n]+) \}/g, (_, elements: string) => `{ ${elements.split(', ').sort().join(', ')} }`)
    .split('\n')
}

describe.each(sameAsNft)('rules: $title ($family)', (group) => {
  it('are printed as nft prints them, and nft reads them again', async () => {
    const [here, there] = await spaces()
    await nftFile(here, tableWith(group))
    const text = await ours(here)
    const theirs = await nft(here, 'list', 'ruleset')
    expect(withSortedSets(text)).toEqual(withSortedSets(theirs))
    await nftFile(there, text)
    expect(withSortedSets(await nft(there, 'list', 'ruleset'))).toEqual(withSortedSets(theirs))
  })
})
