/** How many connections a container may have. */
import type { Expression, Rule, Statement } from '../../nft/index.js'
import { CONNECTION_SLOTS, CONNECTIONS_IN_A_ROW } from '../plan/connections.js'
import type { SetName } from '../plan/elements.js'
import { both, type ChainRules, concat, DROP, inSet } from './expressions.js'

/** The same for so many connections in a row. */
const SLOT: Expression = {
  '&': [
    { numgen: { mode: 'inc', mod: CONNECTION_SLOTS * CONNECTIONS_IN_A_ROW, offset: 0 } },
    (CONNECTION_SLOTS - 1) * CONNECTIONS_IN_A_ROW,
  ],
}

/** Remembers who has too many, and how often. */
const refused = (address: Expression, set: SetName): Statement => ({
  set: { op: 'update', elem: address, set: `@${set}`, stmt: [{ counter: null }] },
})

type OfBoth = Parameters<Parameters<typeof both>[0]>[0]

/** An element is found when its own limit is reached: that of how many begin first, for what it refuses is not counted. */
const limited = (address: Expression, { set }: OfBoth): Rule['expr'][] => [
  [inSet(address, set('connection_rates')), refused(address, set('refused')), DROP],
  [inSet(address, set('connections')), refused(address, set('refused')), DROP],
  [inSet(concat(address, SLOT), set('connection_slots')), refused(address, set('refused')), DROP],
]

/**
 * Chains for translation see the first packet of each connection that is tracked, and no other: the limits cost nothing afterwards. Before
 * anybody translates, so that containers are seen under their own address; towards them the translation is done by then.
 */
export const CONNECTION_CHAINS: readonly ChainRules[] = [
  {
    chain: { name: 'limited', type: 'nat', hook: 'postrouting', prio: 90, policy: 'accept' },
    rules: both((words) => [...limited(words.saddr, words), ...limited(words.daddr, words)]),
  },
  {
    // To the host itself.
    chain: { name: 'limited_to_host', type: 'nat', hook: 'input', prio: 90, policy: 'accept' },
    rules: both((words) => limited(words.saddr, words)),
  },
]
