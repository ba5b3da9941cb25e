export { Conntrack, type ConntrackOptions } from './conntrack.js'
export type { ConntrackEntry, DirectionCounters } from './entry.js'
export {
  type ConnectionSelection,
  type ConntrackFilter,
  isSelected,
  matches,
  type PortRange,
  type TupleFilter,
} from './filter.js'
export type { TransportProtocol } from './protocol.js'
export type { ConnectionFlag, ConnectionState } from './status.js'
export type { IcmpIdentity, Tuple } from './tuple.js'
