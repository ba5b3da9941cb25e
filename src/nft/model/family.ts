/** Address families of tables, and what their chains may be (`man nft`, ADDRESS FAMILIES and CHAINS). */

/** The family of a table: which packets its chains see. `inet` sees IPv4 and IPv6. */
export type Family = 'ip' | 'ip6' | 'inet' | 'arp' | 'bridge' | 'netdev'

/** The type of a base chain. `nat` sees a connection's first packet only; `route` reroutes after a change. */
export type ChainType = 'filter' | 'nat' | 'route'

/** Where a base chain is hooked in. `ingress` and `egress` need `dev` (family netdev, or inet for ingress). */
export type Hook = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting' | 'ingress' | 'egress'

/** What becomes of a packet that reaches the end of a base chain. */
export type Policy = 'accept' | 'drop'

/** The names that `nft` has for priorities. Their numbers depend on the family: bridge has its own. */
export type PriorityName = 'raw' | 'mangle' | 'dstnat' | 'filter' | 'security' | 'srcnat' | 'out'

/**
 * The place among the chains of a hook: lower runs earlier. A number, as libnftables' JSON has it, or a name with an
 * optional offset, `'filter'`, `'dstnat - 5'` (ours; a listing gives numbers).
 */
export type Priority = number | PriorityName | `${PriorityName} ${'+' | '-'} ${number}`

/** `dormant`: its chains are not hooked in. `owner`: only this socket changes it. `persist` (6.9): outlives its owner. */
export type TableFlag = 'dormant' | 'owner' | 'persist'

/**
 * `offload`: the rules of an ingress or egress chain run in the device. `binding`: the chain belongs to the rule that jumps
 * to it, as `jump { … }` makes it; the kernel gives it a name of its own.
 */
export type ChainFlag = 'offload' | 'binding'
