/** Every case of the conformance tables through JSON: what nft prints of it is read, what we write of it is read again. */
import { beforeAll, expect, it } from 'vitest'
import type { Namespace } from '../../src/netns/index.js'
import { type Family, Nft, ruleset } from '../../src/nft/index.js'
import { missingFeatures } from '../conformance/features.js'
import { installText } from '../conformance/reference.js'
import { missingNeeds } from '../conformance/rules.js'
import { readCases } from '../conformance/table.js'
import { worldText } from '../conformance/world.js'
import { closeAfterEach, newNamespaces } from '../support/namespaces.js'
import { ip, nft, nftFile, nftJson } from '../support/tools.js'

const keep = closeAfterEach()
const cases = readCases()
let missing: ReadonlyMap<string, string>
beforeAll(async () => {
  missing = await missingFeatures(space)
})

async function space(): Promise<Namespace> {
  const [made] = await newNamespaces(keep, 1)
  if (!made) throw new Error('no namespace')
  await ip(made, 'link', 'set', 'lo', 'up')
  return made
}

async function open(namespace: Namespace): Promise<Nft> {
  return keep(await Nft.open({ netns: namespace }))
}

/** All objects of the tables, each in a table of its own. */
async function withObjects(): Promise<Namespace> {
  const made = await space()
  const objects = cases.filter((one) => one.kind === 'object' && !missingNeeds(one.needs, missing))
  await installText(
    made,
    objects.map(({ family, nft: line }, index) => `table ${family} case${index} { ${line}; }`),
  )
  return made
}

/** All rules of a family, each in a chain of its own. */
async function withRules(family: Family): Promise<Namespace> {
  const made = await space()
  const rules = cases.flatMap((one) => (one.kind === 'rule' && one.family === family ? [one] : []))
  const chains = rules.map(({ chain }) => chain)
  await nftFile(made, worldText(family, chains))
  const chosen = [...rules.entries()].filter(([, { needs }]) => !missingNeeds(needs, missing))
  await installText(
    made,
    chosen.map(([index, { nft: line }]) => `add rule ${family} t case${index} ${line}`),
  )
  return made
}

/** What is left of a timeout changes while we look; the order of elements is by chance; a set of one may be that one. */
function comparable(text: string): string {
  return text
    .replace(/ expires \w+/g, ' expires …')
    .replace(/\{ ([^{},:]+) \}/g, '$1')
    .replace(/\{ ([^{}]+) \}/g, (_, all: string) => `{ ${all.split(/,\s+/).sort().join(', ')} }`)
}

/** What nft 1.0.6 prints in its JSON that is none, and why. */
const unreadable: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/"(add|update|delete) @/, 'nft has no JSON for a rule that changes a map: it prints the text'],
  [/"flags":"(?!t")[a-z]"/, 'nft prints the last letter of a flag'],
  [/"field":"unknown"/, 'nft does not find the field in the bytes'],
]

it.each<Family | 'objects'>(['objects', 'inet', 'ip', 'ip6', 'bridge', 'arp', 'netdev'])(
  'all that nft -j prints is read: %s',
  async (what) => {
    const made = what === 'objects' ? await withObjects() : await withRules(what)
    const printed = await nftJson(made, 'list', 'ruleset').catch(() => undefined)
    // nft's JSON of a whole family fails where it fails on one rule.
    if (printed === undefined) return
    const refused = printed.flatMap((object) => {
      try {
        ruleset.fromJson({ nftables: [object] })
        return []
      } catch (error) {
        const text = JSON.stringify(object)
        return unreadable.some(([pattern]) => pattern.test(text)) ? [] : [[text, String(error)]]
      }
    })
    expect(printed.length).toBeGreaterThan(5)
    expect(refused).toEqual([])
  },
)

it.each<Family | 'objects'>(['objects', 'inet', 'ip', 'ip6', 'bridge', 'arp', 'netdev'])(
  'what we list is the same after it was JSON with everything kept: %s',
  async (what) => {
    const [here, there] = [what === 'objects' ? await withObjects() : await withRules(what), await space()]
    const listed = await (await open(here)).list()
    const json = JSON.stringify(ruleset.toJson(listed, { keep: true, opaque: 'omit' }))
    const { operations } = ruleset.fromJson(json)
    const connection = await open(there)
    await connection.transaction().addAll(operations).commit()
    // Rules with opaque statements have no JSON: they are gone there, and nothing else is.
    const opaque = listed.nftables.filter((object) => JSON.stringify(object, bytes).includes('"opaque"'))
    const again = await connection.list()
    expect(again.nftables.length).toBe(listed.nftables.length - opaque.length)
    if (opaque.length === 0)
      expect(comparable(await nft(there, 'list', 'ruleset'))).toBe(
        comparable(await nft(here, 'list', 'ruleset')),
      )
  },
)

const bytes = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value)
