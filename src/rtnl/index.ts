/**
 * Links, addresses, routes, neighbours and traffic control, by rtnetlink.
 *
 *     const rtnl = await Rtnl.open({ netns: '/run/netns/web' })
 *     await rtnl.apply([
 *       { kind: 'link', action: 'create', link: { kind: 'bridge', name: 'br0', index: 100, up: true } },
 *       { kind: 'address', action: 'add', address: { device: 'br0', address: '172.17.0.1/16' } },
 *     ])
 */
/** Messages and their records as the kernel has them: what the properties `record` and `message` of the other types are. */
export type * from '../native/records.js'
export type { KnownMessage, OpaqueMessage, ReplyMessage } from '../native/unpack.js'
export type { Address, AddressSpec, Scope } from './address.js'
export type { Addresses, AddressFilter } from './addresses.js'
export { failedOperations } from './batch.js'
export type { BridgeOptions, BridgePort, BridgePortOptions } from './bridge.js'
export type { EventAction, EventOptions, EventTopic, RtnlEvent, RtnlEvents } from './events.js'
export type { Filter, FilterProtocol, FilterSelector, FilterSpec } from './filter.js'
export type { Link, OperationalState } from './link.js'
export type {
  BridgeSpec,
  Ipv6AddressGeneration,
  LinkAttributes,
  LinkChange,
  LinkNamespace,
  LinkSelector,
  LinkSpec,
  NewLinkAttributes,
  PlainSpec,
  VethPeerSpec,
  VethSpec,
  VlanSpec,
  VrfSpec,
} from './link-spec.js'
export type { LinkFilter, Links } from './links.js'
export { checkInterfaceName } from './names.js'
export type { FdbEntry, FdbSpec, FdbState, Neighbour, NeighbourSpec, NeighbourState } from './neighbour.js'
export type { FdbFilter, ForwardingDatabase, NeighbourFilter, Neighbours } from './neighbours.js'
export type { Direction, RtnlOperation } from './operation.js'
export type {
  IngressSpec,
  PlainQdiscSpec,
  Qdisc,
  QdiscParent,
  QdiscSelector,
  QdiscSpec,
  Tbf,
  TbfSpec,
} from './qdisc.js'
export type { Nexthop, NexthopSpec, Route, RouteProtocol, RouteSpec, RouteTable, RouteType } from './route.js'
export type {
  RouteDecision,
  RouteFound,
  RouteLookup,
  RouteRefusal,
  RouteRefused,
} from './route-lookup.js'
export type { RouteFilter, Routes } from './routes.js'
export type { RoutingRule, RoutingRuleSpec } from './routing-rule.js'
export type { RoutingRuleFilter, RoutingRules } from './routing-rules.js'
export { applyInNamespace, Rtnl, type RtnlOptions } from './rtnl.js'
export type { FilterListing, Filters, QdiscFilter, Qdiscs } from './traffic-control.js'
export type { Device } from './values.js'
