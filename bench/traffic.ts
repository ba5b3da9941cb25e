/** What passes along a way, and what one of it takes: datagrams, bytes, new connections; and the entries that those leave. */
import { Conntrack } from 'nfbridge/conntrack'
import type { Contestant, Stream } from './contest.js'
import { type Crossing, type Direction, ends, PORT } from './crossing.js'
import { nanoseconds, type Programs, rowsOfNanoseconds } from './programs.js'
import type { Surroundings } from './surroundings.js'

export type Traffic = (
  surroundings: Surroundings,
  name: string,
  crossing: Crossing,
  direction: Direction,
) => Contestant

/** Datagrams of a turn, unless each takes long: some twenty milliseconds of them. */
const DATAGRAMS = 3_200
/** New connections of a round, unless each takes long. */
const CONNECTIONS = 1_000
/** Bytes of a turn, over all connections. */
const BYTES = 64 << 20
const MEBIBYTE = 1 << 20
/** Longer than any round takes on a machine that has much else to do. */
const LIMIT_MS = 120_000
/** So short a connection must be known that its source port comes again when it is forgotten, a round later. */
export const REUSED_SECONDS = 1
/** Source ports go on from round to round, so that each connection is a new one. */
const FIRST_SOURCE = 20_000
const LAST_SOURCE = 60_000

/** From one socket to another, on a connection that stands. */
export function datagrams(count = DATAGRAMS): Traffic {
  return streaming('datagrams', count)
}

/** The same from the server to the client that has asked once. */
export const answers: Traffic = streaming('answers', DATAGRAMS)

function streaming(what: 'datagrams' | 'answers', count: number): Traffic {
  return (surroundings, name, crossing, direction) =>
    stream(surroundings, name, crossing, direction, what, [count], count)
}

/** What a mebibyte takes, over so many TCP connections at once. */
export function bytes(connections: number): Traffic {
  return (surroundings, name, crossing, direction) =>
    stream(surroundings, name, crossing, direction, 'bytes', [BYTES, connections], BYTES / MEBIBYTE)
}

function stream(
  { programs }: Surroundings,
  name: string,
  crossing: Crossing,
  direction: Direction,
  what: string,
  numbers: readonly number[],
  units: number,
): Contestant {
  const { sender, receiver, address } = ends(crossing, direction)
  const words = [sender.path(), receiver.path(), address, String(PORT), ...numbers.map(String)]
  const alone = { words, units }
  const run = async () => (await takeTurns(programs, what, [alone], 1)).flat()
  return { name, processes: 0, run, stream: { ...alone, what } }
}

/** Several streams of one kind, in turn: the nanoseconds of a unit of each, for each turn. */
export async function takeTurns(
  { stream }: Programs,
  what: string,
  streams: readonly Omit<Stream, 'what'>[],
  turns: number,
): Promise<number[][]> {
  const words = [what, String(turns), ...streams.flatMap((each) => each.words)]
  const lines = await rowsOfNanoseconds(stream, words, LIMIT_MS)
  return lines.map((line) => line.map((taken, index) => taken / (streams[index]?.units ?? Number.NaN)))
}

/** A datagram and its answer, each from a source port of its own: a connection that is judged anew. */
export function roundTrips(count = CONNECTIONS): Traffic {
  return (surroundings, name, crossing, direction) => {
    const ask = asking(surroundings, crossing, direction, count)
    return { name, processes: 0, run: async () => (await ask()).map((each) => each / count) }
  }
}

/** How many entries the host's connection table has after so many round trips. */
export function entries(count: number): Traffic {
  return (surroundings, name, crossing, direction) => {
    const ask = asking(surroundings, crossing, direction, count)
    return {
      name,
      processes: 0,
      run: async () => {
        const conntrack = await Conntrack.open({ netns: crossing.host })
        try {
          await conntrack.deleteAll({})
          await ask()
          return [(await conntrack.list({ protocol: 'udp', original: { destinationPort: PORT } })).length]
        } finally {
          conntrack.close()
        }
      },
    }
  }
}

function asking(
  { programs }: Surroundings,
  crossing: Crossing,
  direction: Direction,
  count: number,
): () => Promise<readonly number[]> {
  const { sender, receiver, address } = ends(crossing, direction)
  let source = FIRST_SOURCE
  return async () => {
    const words = [address, PORT, count, source].map(String)
    const flows = ['flows', receiver.path(), sender.path(), ...words]
    const taken = await nanoseconds(programs.echo, flows, LIMIT_MS)
    source = source + 2 * count <= LAST_SOURCE ? source + count : FIRST_SOURCE
    return taken
  }
}
