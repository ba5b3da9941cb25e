/** Rows: what passes between two containers of one bridge. */
import type { Contest } from '../contest.js'
import {
  anyRule,
  bareBridge,
  closedWay,
  dockerWay,
  linearNote,
  linearWay,
  MANY,
  netavarkWay,
  ownWay,
  packetContest,
  published,
  sysctlNote,
  uplinkRule,
} from '../packet-ways.js'
import type { Surroundings } from '../surroundings.js'
import { answers, bytes, datagrams, entries, roundTrips } from '../traffic.js'

/** More than passes, in bits a second: what the limiting itself costs. */
const FAST = { rate: 100_000_000_000, burst: 1_000_000_000 }
const TEN_THOUSAND = 10_000
const HUNDRED_THOUSAND = 100_000
/** The bridge asks for br_netfilter, and the IP rules judge with connection tracking. */
const TRACKED = { network: { tracking: true } }
/** Of a turn, where ten thousand rules are on the way of each. */
const FEW_DATAGRAMS = 64
const FEW_ROUND_TRIPS = 32
/** Round trips whose entries are counted. */
const FLOWS = 1_000

const datagramNote = 'UDP of 64 bytes, from one socket to the other, sender and receiver on one core'
const bytesNote = 'one thread writes and reads, on one core; segments of up to 64 KiB cross a veth pair whole'

export function withinContest(surroundings: Surroundings): Promise<Contest> {
  return packetContest(surroundings, {
    id: 'packets-within',
    title: 'datagrams between two containers of a bridge, client to server',
    traffic: datagrams(),
    direction: 'within',
    perSecond: 'datagrams',
    notes: [datagramNote, sysctlNote, linearNote('last')],
    floor: bareBridge(0),
    ways: [
      bareBridge(1),
      dockerWay('udp', 1, 0),
      dockerWay('udp', MANY, 0),
      dockerWay('udp', 1, 1),
      dockerWay('udp', MANY, 1),
      netavarkWay('udp', 1, 1),
      netavarkWay('udp', MANY, 1),
      linearWay(TEN_THOUSAND, 'within', 'last', datagrams(FEW_DATAGRAMS)),
      ownWay('icc true, sysctl 0'),
      ownWay('icc true, sysctl 1', { sysctl: 1 }),
      closedWay('udp', 1, { sysctl: 0 }),
      closedWay('udp', MANY, { sysctl: 0 }),
      closedWay('udp', HUNDRED_THOUSAND, { sysctl: 0 }),
      closedWay('udp', 1, { sysctl: 1 }),
      ownWay('icc true, tracking, sysctl 0', TRACKED),
      closedWay('udp', 1, { sysctl: 0, ...TRACKED }),
    ],
  })
}

export function answersContest(surroundings: Surroundings): Promise<Contest> {
  return packetContest(surroundings, {
    id: 'packets-answers',
    title: 'datagrams between two containers of a bridge, server to client',
    traffic: answers,
    direction: 'within',
    perSecond: 'datagrams',
    notes: [datagramNote, sysctlNote, 'the client has asked once'],
    floor: bareBridge(0),
    ways: [
      bareBridge(1),
      dockerWay('udp', 1, 1),
      netavarkWay('udp', 1, 1),
      ownWay('icc true, sysctl 0'),
      closedWay('udp', 1, { sysctl: 0 }),
      closedWay('udp', MANY, { sysctl: 0 }),
      closedWay('udp', HUNDRED_THOUSAND, { sysctl: 0 }),
      closedWay('udp', 1, { sysctl: 0, network: { linkMode: 'stateless' } }),
      closedWay('udp', 1, { sysctl: 1 }),
      closedWay('udp', 1, { sysctl: 0, ...TRACKED }),
    ],
  })
}

export function userRulesContest(surroundings: Surroundings): Promise<Contest> {
  return packetContest(surroundings, {
    id: 'packets-user-rules',
    title: 'datagrams between two containers of a bridge, with rules of the users',
    traffic: datagrams(),
    direction: 'within',
    perSecond: 'datagrams',
    notes: [datagramNote, 'all with icc true, sysctl 0'],
    floor: ownWay('no user rule'),
    ways: [
      ownWay('a user rule on the uplink (iifname uplink counter)', {}, uplinkRule),
      ownWay('a user rule on everything (counter)', {}, anyRule),
      bareBridge(0),
    ],
  })
}

/** What each feature costs that can be left out. */
export function featuresContest(surroundings: Surroundings): Promise<Contest> {
  return packetContest(surroundings, {
    id: 'packets-features',
    title: 'datagrams between two containers of a bridge, with and without',
    traffic: datagrams(),
    direction: 'within',
    perSecond: 'datagrams',
    notes: [datagramNote, 'all with icc true, sysctl 0; limits are of 100 Gbit/s, more than passes'],
    floor: ownWay('senders checked, no limit, no published port'),
    ways: [
      ownWay('senders not checked (allowForgedSource of both)', {
        client: { allowForgedSource: true },
        server: { allowForgedSource: true },
      }),
      ownWay('egress of the client limited', { client: { bandwidth: { egress: FAST } } }),
      ownWay('ingress of the server limited', { server: { bandwidth: { ingress: FAST } } }),
      ownWay('both limited', {
        client: { bandwidth: { egress: FAST } },
        server: { bandwidth: { ingress: FAST } },
      }),
      ownWay('1 published port of the server', { server: { publish: published(1, 'udp') } }),
      ownWay('1,000 published ports of the server', { server: { publish: published(MANY, 'udp') } }),
    ],
  })
}

export function newWithinContest(surroundings: Surroundings): Promise<Contest> {
  return packetContest(surroundings, {
    id: 'packets-new-within',
    title: 'round trips of new connections between two containers of a bridge',
    traffic: roundTrips(),
    direction: 'within',
    perSecond: 'connections',
    notes: [
      'a round trip is one UDP datagram and its answer, from a source port of its own: its first packet meets all rules',
      sysctlNote,
      linearNote('first'),
    ],
    floor: bareBridge(0),
    ways: [
      bareBridge(1),
      dockerWay('udp', 1, 1),
      dockerWay('udp', MANY, 1),
      netavarkWay('udp', 1, 1),
      netavarkWay('udp', MANY, 1),
      linearWay(TEN_THOUSAND, 'within', 'first', roundTrips(FEW_ROUND_TRIPS)),
      linearWay(HUNDRED_THOUSAND, 'within', 'first', roundTrips(FEW_ROUND_TRIPS)),
      ownWay('icc true, sysctl 0'),
      ownWay('icc true, sysctl 1', { sysctl: 1 }),
      closedWay('udp', 1, { sysctl: 0 }),
      closedWay('udp', MANY, { sysctl: 0 }),
      closedWay('udp', HUNDRED_THOUSAND, { sysctl: 0 }),
      closedWay('udp', 1, { sysctl: 1 }),
      ownWay('icc true, tracking, sysctl 0', TRACKED),
      closedWay('udp', 1, { sysctl: 0, ...TRACKED }),
    ],
  })
}

export function bytesWithinContest(surroundings: Surroundings, connections: number): Promise<Contest> {
  return packetContest(surroundings, {
    id: `packets-tcp-within-${connections}`,
    title: `bytes of ${connections === 1 ? 'one TCP connection' : `${connections} TCP connections`} between two containers of a bridge`,
    traffic: bytes(connections),
    direction: 'within',
    perSecond: 'mebibytes',
    notes: [bytesNote, sysctlNote],
    floor: bareBridge(0),
    ways: [
      bareBridge(1),
      dockerWay('tcp', 1, 1),
      netavarkWay('tcp', 1, 1),
      ownWay('icc true, sysctl 0'),
      ownWay('icc true, sysctl 1', { sysctl: 1 }),
      closedWay('tcp', 1, { sysctl: 0 }),
      closedWay('tcp', 1, { sysctl: 1 }),
    ],
  })
}

export function entriesContest(surroundings: Surroundings): Promise<Contest> {
  return packetContest(surroundings, {
    id: 'packets-entries',
    title: `entries of the connection table after ${FLOWS.toLocaleString('en')} connections between two containers of a bridge`,
    traffic: entries(FLOWS),
    direction: 'within',
    // Long enough that none is forgotten before it is counted.
    udpTimeout: 120,
    counted: 'entries',
    notes: [sysctlNote],
    floor: bareBridge(0),
    ways: [
      bareBridge(1),
      dockerWay('udp', 1, 0),
      dockerWay('udp', 1, 1),
      netavarkWay('udp', 1, 1),
      ownWay('icc true, sysctl 0'),
      ownWay('icc true, sysctl 1', { sysctl: 1 }),
      ownWay('icc true, sysctl 0, a user rule on the uplink', {}, uplinkRule),
      ownWay('icc true, sysctl 0, a user rule on everything', {}, anyRule),
      closedWay('udp', 1, { sysctl: 0 }),
      closedWay('udp', 1, { sysctl: 1 }),
      ownWay('icc true, tracking, sysctl 0', TRACKED),
      closedWay('udp', 1, { sysctl: 0, ...TRACKED }),
    ],
  })
}
