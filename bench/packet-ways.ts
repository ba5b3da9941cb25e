/** The ways of the rows about packets: a bridge without rules, the rules of other programs, and ours. */
import type { Namespace } from 'nfbridge'
import { type ListedObject, type MapObject, Nft, type SetObject } from 'nfbridge/nft'
import type { Contest, Contestant } from './contest.js'
import {
  type BridgeNetfilter,
  type Crossing,
  type CrossingOptions,
  createCrossing,
  type Direction,
  load,
  PORT,
} from './crossing.js'
import {
  dockerRules,
  type Linear,
  linearRules,
  minimalNat,
  netavarkRules,
  otherPublications,
  type Protocol,
  type Publication,
} from './peer-rules.js'
import type { Surroundings } from './surroundings.js'
import { type Traffic, takeTurns } from './traffic.js'

/** Containers with a published port each, as peers' rules have them; and ports of one container. */
export const MANY = 1_000
export const UPLINK = 'uplink'

/** They fill caches, and let congestion windows grow. */
const WARM_UPS = 2

/** One way that packets go. */
export interface Way {
  readonly name: string
  readonly options?: CrossingOptions
  /** What is done before anything is measured. */
  readonly prepare?: (surroundings: Surroundings, crossing: Crossing) => Promise<unknown>
  /** Instead of the contest's. */
  readonly traffic?: Traffic
  readonly direction?: Direction
}

export interface PacketContest {
  readonly id: string
  readonly title: string
  readonly traffic: Traffic
  readonly direction: Direction
  /** {@link CrossingOptions.udpTimeout} */
  readonly udpTimeout?: number
  readonly perSecond?: string
  readonly counted?: string
  readonly notes: readonly string[]
  /** What the others are compared with: the contest fails where it does not work. */
  readonly floor: Way
  /** Another is left out, with a note, where it does not work. */
  readonly ways: readonly Way[]
}

/** Creates each way in namespaces of its own. */
export async function packetContest(
  surroundings: Surroundings,
  { floor, ways, traffic, direction, udpTimeout, notes: given, ...rest }: PacketContest,
): Promise<Contest> {
  const create = async (way: Way): Promise<Contestant> => {
    const crossing = await createCrossing(surroundings, {
      ...(udpTimeout !== undefined && { udpTimeout }),
      ...way.options,
    })
    await way.prepare?.(surroundings, crossing)
    return (way.traffic ?? traffic)(surroundings, way.name, crossing, way.direction ?? direction)
  }
  const notes = [...given]
  const contestants = [await create(floor)]
  for (const way of ways)
    contestants.push(...(await surroundings.attempt(way.name, notes, () => create(way))))
  return { ...rest, ...inTurns(surroundings, contestants), floor: floor.name, notes, contestants }
}

/** Where all are streams. */
function inTurns({ programs }: Surroundings, contestants: readonly Contestant[]): Pick<Contest, 'together'> {
  const streams = contestants.flatMap(({ stream }) => stream ?? [])
  const [first] = streams
  if (first === undefined || streams.length < contestants.length) return {}
  return {
    together: (turns) => takeTurns(programs, first.what, streams, { warmUps: WARM_UPS, turns }),
  }
}

export const sysctlNote =
  'sysctl: net.bridge.bridge-nf-call-iptables of the host, whose default is 1 where br_netfilter is there'

export function bareBridge(sysctl: BridgeNetfilter): Way {
  return { name: `a bridge without rules, sysctl ${sysctl}`, options: { sysctl } }
}

/** The least that translates: the floor of what goes out and comes in. */
export function minimalWay(protocol: Protocol): Way {
  return {
    name: 'minimal stateful NAT',
    prepare: (surroundings, crossing) => {
      const text = minimalNat(UPLINK, ownPublication(crossing, protocol))
      return load(surroundings, crossing, 'nft', surroundings.file(`minimal-${protocol}.nft`, text))
    },
  }
}

/** Docker Engine's rules, with so many containers. */
export function dockerWay(protocol: Protocol, containers: number, sysctl: BridgeNetfilter): Way {
  return {
    name: `Docker's rules (iptables-nft), ${count(containers, 'container')}, sysctl ${sysctl}`,
    options: { sysctl },
    prepare: (surroundings, crossing) => {
      const text = dockerRules(publications(crossing, protocol, containers))
      const file = surroundings.file(`docker-${protocol}-${containers}.iptables`, text)
      return load(surroundings, crossing, 'iptables-nft-restore', file)
    },
  }
}

/** netavark's rules, with so many containers. */
export function netavarkWay(protocol: Protocol, containers: number, sysctl: BridgeNetfilter): Way {
  return {
    name: `netavark's rules, ${count(containers, 'container')}, sysctl ${sysctl}`,
    options: { sysctl },
    prepare: (surroundings, crossing) => {
      const text = netavarkRules(publications(crossing, protocol, containers))
      const file = surroundings.file(`netavark-${protocol}-${containers}.nft`, text)
      return load(surroundings, crossing, 'nft', file)
    },
  }
}

/** A rule for each container, the last of which matches; datagrams are fewer, since each takes long. */
export function linearWay(
  rules: number,
  direction: Linear['direction'],
  established: Linear['established'],
  traffic: Traffic,
): Way {
  const sysctl = direction === 'within' ? 1 : 0
  return {
    name: `${count(rules, 'linear rule')} (iptables-nft), sysctl ${sysctl}`,
    options: { sysctl },
    traffic,
    prepare: (surroundings, crossing) => {
      const { clientAddress: client, serverAddress: server } = crossing
      const text = linearRules({
        count: rules,
        direction,
        established,
        uplink: UPLINK,
        client,
        server,
        port: PORT,
      })
      const file = surroundings.file(`linear-${direction}-${established}-${rules}.iptables`, text)
      return load(surroundings, crossing, 'iptables-nft-restore', file)
    },
  }
}

export const linearNote = (established: Linear['established']): string =>
  `linear rules: one for each container, the last of which matches; established connections are accepted ${
    established === 'first' ? 'before them, so that the first packet alone meets them' : 'after them'
  }`

/** nfbridge on a network with `icc: true`, unless the options say otherwise. */
export function ownWay(what: string, options: CrossingOptions = {}, prepare?: Way['prepare']): Way {
  return {
    name: `nfbridge: ${what}`,
    options: { ...options, host: { firewall: true } },
    ...(prepare === undefined ? {} : { prepare }),
  }
}

/** The client is linked to the server; so many link elements are there in all, of other clients too. */
export function closedWay(
  protocol: Protocol,
  links: number,
  options: CrossingOptions & { readonly sysctl: BridgeNetfilter },
): Way {
  const { linkMode, tracking = false } = options.network ?? {}
  const modes = [...(linkMode === 'stateless' ? ['stateless'] : []), ...(tracking ? ['tracking'] : [])]
  const what = ['icc false', count(links, 'link element'), ...modes, `sysctl ${options.sysctl}`].join(', ')
  return ownWay(
    what,
    {
      ...options,
      network: { ...options.network, icc: false },
      server: { expose: ports(Math.min(links, MANY), protocol) },
      client: { links: ['server'] },
    },
    (surroundings, crossing) => linkOthers(surroundings, crossing, links),
  )
}

async function linkOthers(surroundings: Surroundings, { network }: Crossing, links: number): Promise<void> {
  const clients: Namespace[] = links > MANY ? await surroundings.namespaces(links / MANY - 1) : []
  await network.attachAll(clients.map((netns) => ({ netns, links: ['server'] })))
}

/** A rule that can concern nothing but what comes in from outside. */
export const uplinkRule: Way['prepare'] = (_, { bridgeHost }) =>
  bridgeHost.userRules.forward.append([
    { match: { op: '==', left: { meta: { key: 'iifname' } }, right: UPLINK } },
    { counter: null },
  ])

/** A rule that concerns everything. */
export const anyRule: Way['prepare'] = (_, { bridgeHost }) =>
  bridgeHost.userRules.forward.append([{ counter: null }])

/** `5000/udp` and those that follow. */
export function ports(many: number, protocol: Protocol): string[] {
  return Array.from({ length: many }, (_, number) => `${PORT + number}/${protocol}`)
}

/** The same as publications, each of the host's port of the same number. */
export function published(many: number, protocol: Protocol): string[] {
  return ports(many, protocol).map((port) => `0.0.0.0:${port.split('/')[0]}:${port}`)
}

/**
 * The elements of so many more published ports of the server, put into the sets of the rules as `publish` would, but without a
 * socket for each.
 */
export async function addPublished(
  surroundings: Surroundings,
  { host, serverAddress }: Crossing,
  many: number,
): Promise<void> {
  const nft = await Nft.open({ netns: host })
  surroundings.closeLater(() => nft.close())
  const listed = await nft.list({ family: 'inet', table: 'nfbridge', elements: false })
  const map = named(listed.nftables, 'publish_any')
  const set = named(listed.nftables, 'published')
  if (!('map' in map) || !('set' in set)) throw new Error('the rules have other sets')
  const others = Array.from({ length: many }, (_, number) => PORT + 1 + number)
  await nft
    .transaction()
    .add({
      element: {
        ...map.map,
        elem: others.map((port) => [{ concat: ['udp', port] }, { concat: [serverAddress, port] }]),
      },
    })
    .add({ element: { ...set.set, elem: others.map((port) => ({ concat: [serverAddress, 'udp', port] })) } })
    .commit()
}

function named(objects: readonly ListedObject[], name: string): SetObject | MapObject {
  for (const object of objects) {
    if ('set' in object && object.set.name === name) return object
    if ('map' in object && object.map.name === name) return object
  }
  throw new Error(`the rules have no set ${name}`)
}

function ownPublication({ serverAddress }: Crossing, protocol: Protocol): Publication {
  return { hostPort: PORT, address: serverAddress, port: PORT, protocol }
}

/** The server's, after those of others that nobody speaks to. */
function publications(crossing: Crossing, protocol: Protocol, containers: number): Publication[] {
  return [...otherPublications(containers - 1, PORT, protocol), ownPublication(crossing, protocol)]
}

/** `1 port`, `1,000 ports`. */
export function count(many: number, noun: string): string {
  return `${many.toLocaleString('en')} ${noun}${many === 1 ? '' : 's'}`
}
