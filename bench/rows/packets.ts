/**
 * Rows: how many packets a second one core takes along their way, between two containers, outward and inward; on connections
 * that stand, and on new ones.
 */
import type { Namespace } from 'nfbridge'
import type { Contest, Contestant } from '../contest.js'
import { type Crossing, createCrossing, type Direction, ends, load, PORT } from '../crossing.js'
import { dockerRules, minimalNat, netavarkRules, type Publication } from '../peer-rules.js'
import { nanoseconds } from '../programs.js'
import type { Surroundings } from '../surroundings.js'
import { withinContest } from './new-connections.js'

type Options = NonNullable<Parameters<typeof createCrossing>[1]>
/** What passes along a direction, and how long one takes. */
type Traffic = (
  surroundings: Surroundings,
  name: string,
  crossing: Crossing,
  direction: Direction,
) => Contestant

/** Datagrams of a round; the program divides them into parts. */
const DATAGRAMS = 160_000
/** New connections of a round. */
const CONNECTIONS = 1_000
/** Containers with a published port each, as peers' rules have them. */
const MANY = 1_000
/** More than passes, in bits a second: what the limiting itself costs. */
const FAST = { rate: 100_000_000_000, burst: 1_000_000_000 }
/** Each is a socket in both families, and a process may have 20,000 descriptors on some machines. */
const RANGE_SIZE = 3_000
const RANGE = `${PORT}-${PORT + RANGE_SIZE - 1}`
const UPLINK = 'uplink'

export async function packetsContests(surroundings: Surroundings): Promise<Contest[]> {
  return [
    await within(surroundings),
    ...(await translated(surroundings, 'datagrams on a connection that stands', established)),
    await withinContest(surroundings),
    ...(await translated(surroundings, 'round trips of new connections', roundTrips)),
  ]
}

async function within(surroundings: Surroundings): Promise<Contest> {
  const floor = 'a bridge without rules, sysctl 0'
  const notes = [
    'UDP of 64 bytes, from one socket to the other, sender and receiver on one core',
    'sysctl: net.bridge.bridge-nf-call-iptables of the host, whose default is 1 where br_netfilter is there',
  ]
  const way = (name: string, options: Options, prepare?: Prepare) =>
    attempt(surroundings, name, notes, established, 'within', options, prepare)
  const docker: Prepare = (crossing) => loadDocker(surroundings, crossing, 1)
  const closed = (links: number, sysctl: 0 | 1 = 0) =>
    way(
      `nfbridge: icc false, ${links.toLocaleString('en')} link element${links === 1 ? '' : 's'}, sysctl ${sysctl}`,
      {
        sysctl,
        host: { firewall: true },
        network: { icc: false },
        server: { expose: ports(links) },
        client: { links: ['server'] },
      },
      (crossing) => linkOthers(surroundings, crossing, links),
    )
  return {
    id: 'packets-within',
    title: 'datagrams between two containers of a bridge',
    floor,
    perSecond: 'datagrams',
    notes,
    contestants: [
      ...(await way(floor, {})),
      ...(await way('a bridge without rules, sysctl 1', { sysctl: 1 })),
      ...(await way("Docker's rules (iptables-nft), sysctl 0", {}, docker)),
      ...(await way("Docker's rules (iptables-nft), sysctl 1", { sysctl: 1 }, docker)),
      ...(await way("netavark's rules, sysctl 1", { sysctl: 1 }, (crossing) =>
        loadNetavark(surroundings, crossing, 1),
      )),
      ...(await way('nfbridge: icc true, sysctl 0', { host: { firewall: true } })),
      ...(await way('nfbridge: icc true, sysctl 1', { host: { firewall: true }, sysctl: 1 })),
      ...(await way('nfbridge: icc true, no sender check', {
        host: { firewall: true },
        client: { allowForgedSource: true },
      })),
      ...(await way('nfbridge: icc true, bandwidth limited (to 100 Gbit/s)', {
        host: { firewall: true },
        client: { bandwidth: { egress: FAST } },
        server: { bandwidth: { ingress: FAST } },
      })),
      ...(await closed(1)),
      ...(await closed(1_000)),
      ...(await closed(100_000)),
      ...(await closed(1, 1)),
      ...(await way('nfbridge: a user rule on the uplink', { host: { firewall: true } }, uplinkRule)),
      ...(await way('nfbridge: a user rule on containers', { host: { firewall: true } }, containerRule)),
    ],
  }
}

/** Outward and inward, where addresses are translated. */
async function translated(surroundings: Surroundings, what: string, traffic: Traffic): Promise<Contest[]> {
  const floor = 'minimal stateful NAT'
  const isEstablished = traffic === established
  const contest = async (direction: 'out' | 'in'): Promise<Contest> => {
    const notes = [
      `${floor}: connections that stand are accepted, and one rule translates; no other, and no check of senders`,
    ]
    const way = (name: string, options: Options = {}, prepare?: Prepare) =>
      attempt(surroundings, name, notes, traffic, direction, options, prepare)
    const own = (count: number): Options => ({
      host: { firewall: true },
      server: { publish: count > MANY ? [`${RANGE}:${RANGE}/udp`] : ports(count).map(both) },
    })
    const manyPorts = async () => [
      ...(await way(`nfbridge: ${MANY.toLocaleString('en')} published ports`, own(MANY))),
      ...(await way(
        `nfbridge: ${RANGE_SIZE.toLocaleString('en')} published ports, as one range`,
        own(RANGE_SIZE),
      )),
    ]
    const untranslated = direction === 'in' ? 'in, untranslated' : direction
    return {
      id: `packets-${direction}-${isEstablished ? 'established' : 'new'}`,
      title: `${what}, ${direction === 'out' ? 'outward by masquerading' : 'inward by a published port'}`,
      floor,
      perSecond: isEstablished ? 'datagrams' : 'connections',
      notes,
      contestants: [
        ...(await way(floor, {}, (crossing) => loadMinimal(surroundings, crossing))),
        ...(await attempt(surroundings, 'routed, without rules', notes, traffic, untranslated, {})),
        ...(await way("Docker's rules (iptables-nft), 1 container", {}, (crossing) =>
          loadDocker(surroundings, crossing, 1),
        )),
        ...(await way(
          `Docker's rules (iptables-nft), ${MANY.toLocaleString('en')} containers`,
          {},
          (crossing) => loadDocker(surroundings, crossing, MANY),
        )),
        ...(await way("netavark's rules, 1 container", {}, (crossing) =>
          loadNetavark(surroundings, crossing, 1),
        )),
        ...(await way(`netavark's rules, ${MANY.toLocaleString('en')} containers`, {}, (crossing) =>
          loadNetavark(surroundings, crossing, MANY),
        )),
        ...(await way('nfbridge: 1 published port', own(1))),
        ...(direction === 'in' ? await manyPorts() : []),
        ...(await way('nfbridge: a user rule on the uplink', own(1), uplinkRule)),
      ],
    }
  }
  return [await contest('out'), await contest('in')]
}

type Prepare = (crossing: Crossing) => Promise<unknown>

async function attempt(
  surroundings: Surroundings,
  name: string,
  notes: string[],
  traffic: Traffic,
  direction: Direction,
  options: Options,
  prepare?: Prepare,
): Promise<Contestant[]> {
  return surroundings.attempt(name, notes, async () => {
    const crossing = await createCrossing(surroundings, options)
    await prepare?.(crossing)
    return traffic(surroundings, name, crossing, direction)
  })
}

const established: Traffic = ({ programs }, name, crossing, direction) => {
  const { sender, receiver, address } = ends(crossing, direction)
  const words = [sender.path(), receiver.path(), address, String(PORT), String(PORT), String(DATAGRAMS)]
  return {
    name,
    processes: 0,
    run: async () => {
      const parts = await nanoseconds(programs.stream, words)
      return parts.map((each) => (each * parts.length) / DATAGRAMS)
    },
  }
}

const roundTrips: Traffic = ({ programs }, name, crossing, direction) => {
  const { sender, receiver, address } = ends(crossing, direction)
  let source = 20_000
  return {
    name,
    processes: 0,
    run: async () => {
      const words = [address, String(PORT), String(CONNECTIONS), String(source)]
      const taken = await nanoseconds(programs.echo, ['flows', receiver.path(), sender.path(), ...words])
      source = source < 58_000 ? source + CONNECTIONS : 20_000
      return taken.map((each) => each / CONNECTIONS)
    },
  }
}

function ports(count: number): string[] {
  return Array.from({ length: Math.min(count, MANY) }, (_, number) => `${PORT + number}/udp`)
}

const both = (port: string): string => `${port.split('/')[0]}:${port}`

/** Other clients of the same server, so that there are so many elements in all. */
async function linkOthers(surroundings: Surroundings, { network }: Crossing, links: number): Promise<void> {
  const clients: Namespace[] = links > MANY ? await surroundings.namespaces(links / MANY - 1) : []
  await network.attachAll(clients.map((netns) => ({ netns, links: ['server'] })))
}

const uplinkRule: Prepare = ({ bridgeHost }) =>
  bridgeHost.userRules.forward.append([
    { match: { op: '==', left: { meta: { key: 'iifname' } }, right: UPLINK } },
    {
      match: {
        op: '==',
        left: { payload: { protocol: 'ip', field: 'saddr' } },
        right: '192.0.2.99',
      },
    },
    { drop: null },
  ])

const containerRule: Prepare = ({ bridgeHost }) =>
  bridgeHost.userRules.forward.append([
    {
      match: {
        op: '==',
        left: { payload: { protocol: 'ip', field: 'saddr' } },
        right: '192.0.2.99',
      },
    },
    { drop: null },
  ])

/** The server's, and as many of others that nobody speaks to, before it. */
function publications({ serverAddress }: Crossing, count: number): Publication[] {
  const others = Array.from({ length: count - 1 }, (_, number) => ({
    hostPort: PORT + 1 + number,
    address: `172.17.${10 + (number >> 8)}.${number & 255}`,
    port: PORT,
  }))
  return [...others, { hostPort: PORT, address: serverAddress, port: PORT }]
}

function loadMinimal(surroundings: Surroundings, crossing: Crossing): Promise<void> {
  const [publication] = publications(crossing, 1)
  if (!publication) throw new Error('no publication')
  const file = surroundings.file('minimal.nft', minimalNat(UPLINK, publication))
  return load(surroundings, crossing, 'nft', file)
}

function loadDocker(surroundings: Surroundings, crossing: Crossing, count: number): Promise<void> {
  const file = surroundings.file(`docker-${count}.iptables`, dockerRules(publications(crossing, count)))
  return load(surroundings, crossing, 'iptables-nft-restore', file)
}

function loadNetavark(surroundings: Surroundings, crossing: Crossing, count: number): Promise<void> {
  const file = surroundings.file(`netavark-${count}.nft`, netavarkRules(publications(crossing, count)))
  return load(surroundings, crossing, 'nft', file)
}
