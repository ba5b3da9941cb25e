/** Connections that go past the hooks: the flowtable, and the rules that add them to it. */
import type { Flowtable, Rule, Statement } from '../../nft/index.js'
import {
  both,
  type ChainRules,
  CT_STATUS,
  flagged,
  IIFNAME,
  inSet,
  jump,
  notInSet,
  OIFNAME,
} from './expressions.js'
import { OFFLOAD } from './names.js'

const ADD: Statement = { flow: { op: 'add', flowtable: `@${OFFLOAD}` } }

/** In the chain `established`, before anything is accepted: both ends have answered, and an address is translated. */
export const TO_OFFLOAD: Rule['expr'] = [
  flagged(CT_STATUS, 'assured'),
  flagged(CT_STATUS, ['snat', 'dnat']),
  jump(OFFLOAD),
]

/**
 * Between our bridges and others: what stays within the host, or is none of ours, goes on as before. Whose address is a container's and who
 * comes from elsewhere adds nothing: what followed would pass by the rules that drop it.
 */
export const OFFLOAD_CHAIN: ChainRules = {
  chain: { name: OFFLOAD },
  rules: [
    [inSet(IIFNAME, 'bridges'), notInSet(OIFNAME, 'bridges'), ADD],
    ...both(({ saddr, set }) => [
      [notInSet(IIFNAME, 'bridges'), inSet(OIFNAME, 'bridges'), notInSet(saddr, set('pools')), ADD],
    ]),
  ],
}

/**
 * The flowtable of some devices. It counts, so that connections' own counters (`net.netfilter.nf_conntrack_acct`) stay right.
 * @param devices those that are there; the kernel refuses others
 */
export function offloadFlowtable(table: string, devices: readonly string[]): { flowtable: Flowtable } {
  return {
    flowtable: {
      family: 'inet',
      table,
      name: OFFLOAD,
      hook: 'ingress',
      prio: 0,
      ...(devices.length > 0 && { dev: devices }),
      flags: ['counter'],
    },
  }
}
