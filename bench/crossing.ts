/** What packets cross: a host with a bridge, two containers on it and a machine outside; for each contestant its own. */
import {
  BridgeHost,
  type ContainerOptions,
  type HostOptions,
  type Namespace,
  type NetworkOptions,
} from 'nfbridge'
import { connectOutside, outsideNetwork } from '../lab/wiring.js'
import type { Network } from './container.js'
import { launch } from './peers.js'
import type { Surroundings } from './surroundings.js'

/** The port that is served, in a container and outside; a published one has the same number on the host. */
export const PORT = 5000

/** 100,000 rules take a busy machine more than half a minute. */
const LOAD_LIMIT_MS = 120_000

export interface Crossing {
  readonly host: Namespace
  readonly outside: Namespace
  readonly client: Namespace
  readonly server: Namespace
  readonly clientAddress: string
  readonly serverAddress: string
  readonly network: Network
  readonly bridgeHost: BridgeHost
}

/** Whether br_netfilter shows what crosses a bridge to every program's rules: net.bridge.bridge-nf-call-iptables. */
export type BridgeNetfilter = 0 | 1

export interface CrossingOptions {
  readonly sysctl?: BridgeNetfilter
  /** For how many seconds a UDP connection is known without an answer. Default: that of the kernel, 30. */
  readonly udpTimeout?: number
  readonly host?: Omit<HostOptions, 'netns'>
  readonly network?: Partial<NetworkOptions>
  readonly server?: Omit<ContainerOptions, 'netns' | 'name'>
  readonly client?: Omit<ContainerOptions, 'netns'>
}

/** More connections than a contest has, of which the default (a sixteenth of nf_conntrack_max) would refuse the last. */
const MAX_CONNECTIONS = 200_000

/** Without any rule, unless the host is opened with `firewall: true`. */
export async function createCrossing(
  surroundings: Surroundings,
  {
    sysctl = 0,
    udpTimeout = 30,
    host: hostOptions,
    network: networkOptions,
    server,
    client,
  }: CrossingOptions = {},
): Promise<Crossing> {
  const [host, outside, clientSpace, serverSpace] = [
    await surroundings.namespace(),
    await surroundings.namespace(),
    await surroundings.namespace(),
    await surroundings.namespace(),
  ]
  await connectOutside({ namespace: host }, { namespace: outside }, ['172.17.0.0/16'])
  await host.writeSysctl('net/netfilter/nf_conntrack_udp_timeout', String(udpTimeout))
  await writeBridgeNetfilter(host, sysctl)
  const bridgeHost = await BridgeHost.open({ firewall: false, ...hostOptions, netns: host })
  surroundings.closeLater(() => bridgeHost.destroy())
  const network = await bridgeHost.createNetwork({
    name: 'docker0',
    subnet: '172.17.0.0/16',
    ...networkOptions,
  })
  const limits = hostOptions?.firewall ? { maxConnections: MAX_CONNECTIONS } : {}
  const { address: serverAddress } = await network.attach({
    name: 'server',
    netns: serverSpace,
    ...limits,
    ...server,
  })
  const { address: clientAddress } = await network.attach({ ...limits, ...client, netns: clientSpace })
  return {
    host,
    outside,
    client: clientSpace,
    server: serverSpace,
    clientAddress,
    serverAddress,
    network,
    bridgeHost,
  }
}

async function writeBridgeNetfilter(host: Namespace, value: BridgeNetfilter): Promise<void> {
  for (const name of ['iptables', 'ip6tables', 'arptables'])
    await host.writeSysctl(`net/bridge/bridge-nf-call-${name}`, String(value))
}

/** Loads a text by another program: `nft`, or a variant of `iptables-restore`. */
export async function load(
  surroundings: Surroundings,
  { host }: Crossing,
  program: string,
  file: string,
): Promise<void> {
  const words = program === 'nft' ? [program, '-f', file] : [program, file]
  const [first = program, ...others] = words
  await launch(surroundings.programs, [[host, [first, ...others]]], LOAD_LIMIT_MS)
}

/** Where a packet comes from and goes to: between the containers, outward, or inward by the host's address. */
export type Direction = 'within' | 'out' | 'in' | 'in, untranslated'

export interface Ends {
  readonly sender: Namespace
  readonly receiver: Namespace
  readonly address: string
}

export function ends({ client, server, outside, serverAddress }: Crossing, direction: Direction): Ends {
  switch (direction) {
    case 'within':
      return { sender: client, receiver: server, address: serverAddress }
    case 'out':
      return { sender: client, receiver: outside, address: outsideNetwork.outsideAddress }
    case 'in':
      return { sender: outside, receiver: server, address: outsideNetwork.hostAddress }
    case 'in, untranslated':
      return { sender: outside, receiver: server, address: serverAddress }
  }
}
