/** Docker's bridge semantics on the layers below: networks, containers, links, published ports. */
export { BridgeHost } from './bridge-host.js'
export { Container, type Link } from './container.js'
export type { HostStatistics } from './host-kernel.js'
export type { HostsLine } from './hosts-lines.js'
export { Network } from './network.js'
export type {
  ContainerOptions,
  HostOptions,
  LinkOption,
  NetworkOptions,
  PublishOption,
} from './options.js'
