/** The names that `nft` has for the priorities of chains. */
import type { Family, Hook, PriorityName } from '../model/index.js'

export type Priorities = { readonly [N in PriorityName]?: number }

/** enum nf_ip_hook_priorities */
const ipPriorities: Priorities = {
  raw: -300,
  mangle: -150,
  dstnat: -100,
  filter: 0,
  security: 50,
  srcnat: 100,
}
/** enum nf_br_hook_priorities */
const bridgePriorities: Priorities = { dstnat: -300, filter: -200, out: 100, srcnat: 300 }
/** Families without translation know one name only. */
const filterOnly: Priorities = { filter: 0 }

export const priorities: { readonly [F in Family]: Priorities } = {
  ip: ipPriorities,
  ip6: ipPriorities,
  inet: ipPriorities,
  bridge: bridgePriorities,
  arp: filterOnly,
  netdev: filterOnly,
}

/** Names that stand for their number at one hook only. */
export const hookOfPriority: { readonly [N in PriorityName]?: Hook } = {
  dstnat: 'prerouting',
  srcnat: 'postrouting',
  out: 'output',
}
