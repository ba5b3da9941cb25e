/** Docker's bridge semantics on the layers below: networks, containers, links, published ports. */

export type { HostStatistics } from './apply/host-kernel.js'
export type { RulesFormat } from './apply/inspect.js'
export type { ListedUserRule, UserRule } from './apply/user-rules.js'
export { BridgeHost, type LostContainer, type Peer } from './bridge-host.js'
export type { Finding, FindingCode } from './check/finding.js'
export { Container, type ContainerAddress, type OneOrMore } from './container.js'
export type { Link } from './container-link.js'
export type * from './explain/explanation.js'
export { Network } from './network.js'
export type {
  AddHostOption,
  AdvertiseOptions,
  BandwidthLimit,
  BandwidthOptions,
  BridgeNetfilter,
  ChangedNamespace,
  ConnectionLimitOptions,
  ConnectOptions,
  ContainerOptions,
  ContainerReference,
  ContainerUpdate,
  DefaultPoolOptions,
  EndpointOptions,
  ExistingRules,
  ExposeOption,
  ForwardPolicy,
  GatewayMode,
  HelperName,
  HostContainerOptions,
  HostOptions,
  Isolation,
  LinkMode,
  LinkOption,
  MasqueradeOptions,
  NetworkOptions,
  NetworkUpdate,
  OffloadOption,
  PeerOptions,
  PoolOptions,
  PublishOption,
  PublishOptions,
  RouteOptions,
  StartOptions,
} from './options.js'
export type { HostsLine } from './plan/hosts-lines.js'
export type * from './text/inspection.js'
export type { HostUserRules, UserRuleChain, UserRuleOption } from './user-rules.js'
