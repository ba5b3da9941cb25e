/** Docker's bridge semantics on the layers below: networks, containers, links, published ports. */

export type { HostStatistics } from './apply/host-kernel.js'
export { BridgeHost } from './bridge-host.js'
export { Container, type Link } from './container.js'
export { Network } from './network.js'
export type {
  ContainerOptions,
  HostOptions,
  LinkOption,
  NetworkOptions,
  PublishOption,
} from './options.js'
export type { HostsLine } from './plan/hosts-lines.js'
