import { describe, expect, test } from 'vitest'
import { Namespace } from '../../src/netns/index.js'
import { type Family, Nft, type RulesetObject } from '../../src/nft/index.js'
import { familyNumbers } from '../../src/nft/kernel/constants.js'
import { closeAfterEach } from '../support/namespaces.js'
import { isObject, nft, nftFile, nftJson } from '../support/tools.js'
import { declaredSets, type RuleCase, readCases } from '../unit/nft/cases.js'
import { dumpRecords } from './nft-records.js'

const keep = closeAfterEach()
const cases = readCases()
const families: readonly Family[] = ['ip', 'ip6', 'inet', 'arp', 'bridge', 'netdev']

/** The chains and sets that the rules of the table of cases refer to; the chain is not hooked in, so that it takes all. */
function world(family: Family): RulesetObject[] {
  const owner = { family, table: 't' }
  return [
    { table: { family, name: 't' } },
    { chain: { ...owner, name: 'other' } },
    { chain: { ...owner, name: 'c' } },
    { set: { ...owner, name: 's4', type: 'ipv4_addr' } },
    { set: { ...owner, name: 's6', type: 'ipv6_addr' } },
    { set: { ...owner, name: 'ifs', type: 'ifname' } },
    { set: { ...owner, name: 'ports', type: 'inet_service' } },
    { set: { ...owner, name: 'ds', type: 'dscp' } },
    ...declaredSets(family),
  ]
}

const worldText = (family: Family): string => `table ${family} t {
  chain other { }
  chain c { }
  set s4 { type ipv4_addr; }
  set s6 { type ipv6_addr; }
  set ifs { type ifname; }
  set ports { type inet_service; }
  set ds { type dscp; }
  set marks { type mark; flags interval; }
  map ma { type ipv4_addr : ipv4_addr; }
  map mp { type inet_service : inet_service; }
  map mc { type ipv4_addr . inet_service : ipv4_addr . inet_service; }
  map m6 { type ipv6_addr . inet_service : ipv6_addr . inet_service; }
}
`

/** Rules that this nft or this kernel does not take are left out, by the word of nft itself. */
async function accepted(namespace: Namespace, rules: readonly RuleCase[]): Promise<RuleCase[]> {
  const taken: RuleCase[] = []
  for (const rule of rules) {
    const { family, nft: text } = rule
    const ok = await nftFile(namespace, `add rule ${family} t c ${text}\n`).then(
      () => true,
      () => false,
    )
    if (ok) taken.push(rule)
  }
  return taken
}

async function rulesOf(namespace: Namespace, family: Family): Promise<string[]> {
  const items = await nftJson(namespace, 'list', 'chain', family, 't', 'c')
  return items.flatMap(({ rule }) => (isObject(rule) ? [JSON.stringify(rule.expr)] : []))
}

/** What the kernel itself keeps of each rule. */
async function expressionsOf(namespace: Namespace, family: Family): Promise<unknown[]> {
  const record = { family: familyNumbers[family], table: 't', chain: 'c' }
  const rules = await dumpRecords(namespace, 'nftGetRule', 'nftNewRule', record)
  return rules.map(({ expressions }) => expressions)
}

describe('what we install, nft lists as if it had installed it', () => {
  test.each(families)('every rule of the table of cases, family %s', async (family) => {
    const ours = keep(await Namespace.create())
    const theirs = keep(await Namespace.create())
    const wanted = cases.filter((one) => one.family === family)
    await nftFile(theirs, worldText(family))
    const rules = await accepted(theirs, wanted)
    expect(rules.length).toBeGreaterThanOrEqual(wanted.length - 4)

    const handle = keep(await Nft.open({ netns: ours }))
    const transaction = handle.transaction()
    for (const object of world(family)) transaction.add(object)
    for (const { expr } of rules) transaction.add({ rule: { family, table: 't', chain: 'c', expr } })
    await transaction.commit()

    expect(await expressionsOf(ours, family)).toEqual(await expressionsOf(theirs, family))
    expect(await rulesOf(ours, family)).toEqual(await rulesOf(theirs, family))
    expect(await nft(ours, 'list', 'ruleset')).toBe(await nft(theirs, 'list', 'ruleset'))
  })
})
