/** What passes along a way, and what one of it takes: datagrams, bytes, new connections; and the entries that those leave. */
import { Conntrack } from 'nfbridge/conntrack'
import type { Contestant, Stream } from './contest.js'
import { type Crossing, type Direction, ends, PORT } from './crossing.js'
import { type Programs, rowsOfNanoseconds } from './programs.js'
import type { Surroundings } from './surroundings.js'

export type Traffic = (
  surroundings: Surroundings,
  name: string,
  crossing: Crossing,
  direction: Direction,
) => Contestant

/** Datagrams of a turn, unless each takes long: some twenty milliseconds of them. */
const DATAGRAMS = 3_200
/** New connections of a turn, unless each takes long: of fifty turns each has a source port of its own. */
const CONNECTIONS = 300
/** Bytes of a turn, over all connections. */
const BYTES = 64 << 20
const MEBIBYTE = 1 << 20
/** Longer than any round takes on a machine that has much else to do. */
const LIMIT_MS = 120_000

/** From one socket to another, on a connection that stands. */
export function datagrams(count = DATAGRAMS): Traffic {
  return streaming('datagrams', count)
}

/** The same from the server to the client that has asked once. */
export const answers: Traffic = streaming('answers', DATAGRAMS)

/** A datagram and its answer, each from a source port of its own: a connection that is judged anew. */
export function roundTrips(count = CONNECTIONS): Traffic {
  return streaming('connections', count)
}

function streaming(what: 'datagrams' | 'answers' | 'connections', count: number): Traffic {
  return (surroundings, name, crossing, direction) =>
    stream(surroundings, name, { ...wayOf(crossing, direction, count), what })
}

/** What a mebibyte takes, over so many TCP connections at once. */
export function bytes(connections: number): Traffic {
  return (surroundings, name, crossing, direction) => {
    const { words } = wayOf(crossing, direction, BYTES)
    return stream(surroundings, name, {
      what: 'bytes',
      words: [...words, String(connections)],
      units: BYTES / MEBIBYTE,
    })
  }
}

/** Of so many in a turn. */
function wayOf(crossing: Crossing, direction: Direction, count: number): Omit<Stream, 'what'> {
  const { sender, receiver, address } = ends(crossing, direction)
  return { words: [sender.path(), receiver.path(), address, String(PORT), String(count)], units: count }
}

function stream({ programs }: Surroundings, name: string, one: Stream): Contestant {
  const run = async () => (await takeTurns(programs, one.what, [one], { warmUps: 0, turns: 1 })).flat()
  return { name, processes: 0, run, stream: one }
}

/** Several streams of one kind, in turn: the nanoseconds of a unit of each, for each turn. */
export async function takeTurns(
  { stream: program }: Programs,
  what: string,
  streams: readonly Omit<Stream, 'what'>[],
  { warmUps, turns }: { readonly warmUps: number; readonly turns: number },
): Promise<number[][]> {
  const words = [what, String(warmUps), String(turns), ...streams.flatMap((each) => each.words)]
  const lines = await rowsOfNanoseconds(program, words, LIMIT_MS)
  return lines.map((line) => line.map((taken, index) => taken / (streams[index]?.units ?? Number.NaN)))
}

/** How many entries the host's connection table has after so many round trips. */
export function entries(count: number): Traffic {
  return (surroundings, name, crossing, direction) => {
    const { words } = wayOf(crossing, direction, count)
    return {
      name,
      processes: 0,
      run: async () => {
        const conntrack = await Conntrack.open({ netns: crossing.host })
        try {
          await conntrack.deleteAll({})
          await takeTurns(surroundings.programs, 'connections', [{ words, units: count }], {
            warmUps: 0,
            turns: 1,
          })
          return [(await conntrack.list({ protocol: 'udp', original: { destinationPort: PORT } })).length]
        } finally {
          conntrack.close()
        }
      },
    }
  }
}
