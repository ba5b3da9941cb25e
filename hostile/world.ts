/** What is attacked: a host with a network of every kind, an outside, another machine at a second link. All of it in unnamed namespaces. */
import { type BridgeHost, type Container, BridgeHost as Host, Namespace, type Network } from 'nfbridge'
import { Nft } from 'nfbridge/nft'
import { Rtnl } from 'nfbridge/rtnl'
import { bringUpLoopback, connectBy, outsideNetwork, sideNetwork, untilRunning } from '../lab/wiring.js'
import { EXPOSED, type Kind, kinds, type Member, members, poolsOf, publishedPort } from './networks.js'

/** A container, or a machine beyond the host. */
export interface Station {
  /** `evil@closed`, `outside`. */
  readonly name: string
  readonly namespace: Namespace
  /** Its own interface. */
  readonly device: string
  readonly mac: string
  readonly ipv4: string
  readonly ipv6: string
  readonly linkLocal: string
  /** Where its frames come in on the host: the bridge, or the host's end of the link. */
  readonly hostDevice: string
  readonly hostMac: string
  /** Of a container. */
  readonly on?: {
    readonly kind: Kind
    readonly member: Member
    readonly port: string
    readonly portMac: string
    readonly publishes: number
  }
}

/** An interface of the host with what it has. */
export interface HostDevice {
  readonly index: number
  readonly name: string
  readonly mac: string
  readonly addresses: readonly string[]
}

export interface World extends AsyncDisposable {
  readonly host: Namespace
  readonly bridgeHost: BridgeHost
  readonly stations: ReadonlyMap<string, Station>
  readonly devices: ReadonlyMap<number, HostDevice>
  /** Interfaces of the host by name. */
  device(name: string): HostDevice
}

/** Another host's containers: behind the machine outside. */
export const PEER_SUBNET = '172.31.0.0/24'

const DEVICE = 'eth0'

export async function createWorld(): Promise<World> {
  const namespaces: Namespace[] = []
  const create = async (): Promise<Namespace> => {
    const namespace = await Namespace.create()
    namespaces.push(namespace)
    await bringUpLoopback({ namespace })
    return namespace
  }
  const host = await create()
  const [outside, side] = [await create(), await create()]
  await connectBy(
    outsideNetwork,
    { namespace: host },
    { namespace: outside },
    { ipv6: true, hostRoutes: ['default'] },
  )
  await connectBy(sideNetwork, { namespace: host }, { namespace: side }, { ipv6: true })
  // A host whose addresses are set by hand: what neighbours advertise does not concern it.
  for (const { link } of [outsideNetwork, sideNetwork])
    await host.writeSysctl(`net.ipv6.conf.${link}.accept_ra`, '0')
  const bridgeHost = await Host.open({ netns: host })
  const inhabited: {
    kind: Kind
    member: Member
    namespace: Namespace
    container: Container
    publishes: number
  }[] = []
  for (const [index, kind] of kinds.entries()) {
    const network = await bridgeHost.createNetwork({
      name: kind.name,
      pools: poolsOf(index),
      ...kind.options,
    })
    for (const [member, namespace, container] of await inhabit(network, kind, index, create))
      inhabited.push({ kind, member, namespace, container, publishes: publishedPort(index) })
  }
  await bridgeHost.addPeer({ subnet: PEER_SUBNET, via: outsideNetwork.outsideAddress })
  const devices = await devicesOf(host)
  const device = (name: string): HostDevice => {
    const found = [...devices.values()].find((one) => one.name === name)
    if (!found) throw new Error(`the host has no interface ${name}`)
    return found
  }
  const rtnl = await Rtnl.open({ netns: host })
  const masters = new Map((await rtnl.links.list()).map(({ name, master }) => [name, master]))
  rtnl.close()
  const stations: Station[] = []
  for (const { kind, member, namespace, container, publishes } of inhabited) {
    const at = container.addressOn(kind.name)
    const bridge = devices.get(masters.get(at?.hostInterface ?? '') ?? 0)
    if (!at || !bridge) throw new Error(`${member} is on no bridge of ${kind.name}`)
    await untilRunning({ namespace }, DEVICE)
    stations.push({
      name: `${member}@${kind.name}`,
      namespace,
      device: DEVICE,
      mac: at.mac,
      ipv4: at.ipv4 ?? '',
      ipv6: at.ipv6 ?? '',
      linkLocal: at.linkLocalAddresses[0] ?? '',
      hostDevice: bridge.name,
      hostMac: bridge.mac,
      on: { kind, member, port: at.hostInterface, portMac: device(at.hostInterface).mac, publishes },
    })
  }
  for (const [name, namespace, of] of [
    ['outside', outside, outsideNetwork],
    ['side', side, sideNetwork],
  ] as const) {
    const own = [...(await devicesOf(namespace)).values()].find((one) => one.name === of.link)
    stations.push({
      name,
      namespace,
      device: of.link,
      mac: own?.mac ?? '',
      ipv4: of.outsideAddress,
      ipv6: of.outsideAddress6,
      linkLocal: own?.addresses.find((address) => address.startsWith('fe80:')) ?? '',
      hostDevice: of.link,
      hostMac: device(of.link).mac,
    })
  }
  await Promise.all(stations.map(({ namespace }) => silence(namespace)))
  return {
    host,
    bridgeHost,
    stations: new Map(stations.map((station) => [station.name, station])),
    devices,
    device,
    async [Symbol.asyncDispose]() {
      await bridgeHost.close()
      for (const namespace of namespaces) namespace.close()
    },
  }
}

/** The server comes first, for links to it, and the client last. */
async function inhabit(
  network: Network,
  kind: Kind,
  index: number,
  create: () => Promise<Namespace>,
): Promise<[Member, Namespace, Container][]> {
  const expose = [`${EXPOSED.tcp}/tcp`, `${EXPOSED.udp}/udp`]
  const host = publishedPort(index)
  const publish = kind.published || kind.inward === 'published' ? [`${host}:80/tcp`, `${host}:53/udp`] : []
  const options = {
    server: { expose, publish },
    stranger: {},
    evil: { expose, links: [`server-${kind.name}:server`] },
    client: { links: [`evil-${kind.name}:evil`] },
  } satisfies Record<Member, object>
  const order: readonly Member[] = ['server', 'stranger', 'evil', 'client']
  if (order.length !== members.length) throw new Error('a member is attached by nobody')
  const attached: [Member, Namespace, Container][] = []
  for (const member of order) {
    const netns = await create()
    attached.push([
      member,
      netns,
      await network.attach({ name: `${member}-${kind.name}`, netns, ...options[member] }),
    ])
  }
  return attached
}

/** What a machine gets is recorded before this; it answers nobody but those who ask for its MAC, so that no answer is taken for an attack. */
async function silence(namespace: Namespace): Promise<void> {
  using nft = await Nft.open({ netns: namespace })
  const of = { family: 'inet', table: 'silence' } as const
  const transaction = nft.transaction()
  transaction.add({ table: { family: 'inet', name: 'silence' } })
  transaction.add({
    chain: { ...of, name: 'in', type: 'filter', hook: 'prerouting', prio: -400, policy: 'drop' },
  })
  transaction.add({
    rule: {
      ...of,
      chain: 'in',
      expr: [
        // With nothing between: a stack answers to headers that it does not like.
        { match: { op: '==', left: { payload: { protocol: 'ip6', field: 'nexthdr' } }, right: 'ipv6-icmp' } },
        {
          match: {
            op: '==',
            left: { payload: { protocol: 'icmpv6', field: 'type' } },
            right: { set: ['nd-neighbor-solicit', 'nd-neighbor-advert'] },
          },
        },
        { accept: null },
      ],
    },
  })
  await transaction.commit()
}

async function devicesOf(netns: Namespace): Promise<Map<number, HostDevice>> {
  const rtnl = await Rtnl.open({ netns })
  try {
    const addresses = await rtnl.addresses.list()
    const links = await rtnl.links.list()
    return new Map(
      links.map(({ index, name, mac }) => [
        index,
        {
          index,
          name,
          mac: String(mac ?? ''),
          addresses: addresses
            .filter((one) => one.device === index)
            .map(({ address }) => String(address.address)),
        },
      ]),
    )
  } finally {
    rtnl.close()
  }
}
