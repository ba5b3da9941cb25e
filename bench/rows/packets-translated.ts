/** Rows: what goes out by masquerading, and what comes in by a published port. */

import type { Contest } from '../contest.js'
import { type CrossingOptions, PORT } from '../crossing.js'
import {
  addPublished,
  count,
  dockerWay,
  linearNote,
  linearWay,
  MANY,
  minimalWay,
  netavarkWay,
  ownWay,
  packetContest,
  published,
  sysctlNote,
  uplinkRule,
  type Way,
} from '../packet-ways.js'
import type { Protocol } from '../peer-rules.js'
import type { Surroundings } from '../surroundings.js'
import { bytes, datagrams, roundTrips } from '../traffic.js'

export type TranslatedDirection = 'out' | 'in'

const TEN_THOUSAND = 10_000
const SIXTY_THOUSAND = 60_000
/** The host object has a socket open for each: on some machines a process may have 20,000 descriptors. */
const LAST_OF_RANGE = PORT + TEN_THOUSAND - 1
/** Of a turn, where ten thousand rules are on the way of each. */
const FEW_DATAGRAMS = 64
const FEW_ROUND_TRIPS = 32

const titles = { out: 'outward by masquerading', in: 'inward by a published port' }
const notes = [
  'minimal stateful NAT: connections that stand are accepted, and one rule translates; no other, and no check of senders',
  sysctlNote,
]
const elementsNote =
  'nfbridge, 60,000 published ports: elements put into its sets beside that of one port, since each port takes a descriptor'

/** Datagrams on a connection that stands. */
export function establishedContest(
  surroundings: Surroundings,
  direction: TranslatedDirection,
): Promise<Contest> {
  return packetContest(surroundings, {
    id: `packets-${direction}`,
    title: `datagrams on a connection that stands, ${titles[direction]}`,
    traffic: datagrams(),
    direction,
    perSecond: 'datagrams',
    notes: [...notes, elementsNote, linearNote('last')],
    floor: minimalWay('udp'),
    ways: [
      untranslated(direction),
      ...peers('udp'),
      linearWay(TEN_THOUSAND, direction, 'last', datagrams(FEW_DATAGRAMS)),
      ...ours(direction),
    ],
  })
}

/** Connections of one question and one answer. */
export function newContest(surroundings: Surroundings, direction: TranslatedDirection): Promise<Contest> {
  return packetContest(surroundings, {
    id: `packets-new-${direction}`,
    title: `round trips of new connections, ${titles[direction]}`,
    traffic: roundTrips(),
    direction,
    perSecond: 'connections',
    notes: [...notes, elementsNote, linearNote('first')],
    floor: minimalWay('udp'),
    ways: [
      untranslated(direction),
      ...peers('udp'),
      linearWay(TEN_THOUSAND, direction, 'first', roundTrips(FEW_ROUND_TRIPS)),
      ...ours(direction),
    ],
  })
}

/** TCP. */
export function bytesContest(
  surroundings: Surroundings,
  direction: TranslatedDirection,
  connections: number,
): Promise<Contest> {
  return packetContest(surroundings, {
    id: `packets-tcp-${direction}-${connections}`,
    title: `bytes of ${connections === 1 ? 'one TCP connection' : `${connections} TCP connections`}, ${titles[direction]}`,
    traffic: bytes(connections),
    direction,
    perSecond: 'mebibytes',
    notes,
    floor: minimalWay('tcp'),
    ways: [
      untranslated(direction),
      dockerWay('tcp', 1, 0),
      dockerWay('tcp', 1, 1),
      netavarkWay('tcp', 1, 0),
      ownWay('1 published port', publishing(published(1, 'tcp'))),
      ownWay('1 published port, sysctl 1', { ...publishing(published(1, 'tcp')), sysctl: 1 }),
    ],
  })
}

function untranslated(direction: TranslatedDirection): Way {
  return {
    name: 'routed, without rules',
    ...(direction === 'in' ? { direction: 'in, untranslated' } : {}),
  }
}

function peers(protocol: Protocol): Way[] {
  return [
    dockerWay(protocol, 1, 0),
    dockerWay(protocol, MANY, 0),
    dockerWay(protocol, 1, 1),
    dockerWay(protocol, MANY, 1),
    netavarkWay(protocol, 1, 0),
    netavarkWay(protocol, MANY, 0),
  ]
}

function ours(direction: TranslatedDirection): Way[] {
  const one = publishing(published(1, 'udp'))
  const range = publishing([`0.0.0.0:${PORT}-${LAST_OF_RANGE}:${PORT}-${LAST_OF_RANGE}/udp`])
  return [
    direction === 'out'
      ? ownWay('no published port')
      : {
          ...ownWay("no published port, to the container's own address (nat-unprotected)", {
            network: { gatewayMode: 'nat-unprotected' },
          }),
          direction: 'in, untranslated',
        },
    ownWay('1 published port', one),
    ownWay('1 published port, sysctl 1', { ...one, sysctl: 1 }),
    ownWay(count(MANY, 'published port'), publishing(published(MANY, 'udp'))),
    ownWay(count(SIXTY_THOUSAND, 'published port'), one, (surroundings, crossing) =>
      addPublished(surroundings, crossing, SIXTY_THOUSAND - 1),
    ),
    ownWay(`${count(TEN_THOUSAND, 'published port')}, as one range`, range),
    ownWay('1 published port, a user rule on the uplink', one, uplinkRule),
    ownWay('1 published port, connections not counted', {
      server: { ...one.server, ...NOT_COUNTED },
      client: NOT_COUNTED,
    }),
  ]
}

const NOT_COUNTED = { maxConnections: 'unlimited' } as const

function publishing(publish: readonly string[]): CrossingOptions {
  return { server: { publish } }
}
