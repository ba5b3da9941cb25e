/** Who listens: on the host behind the bridges and at its own addresses, in every container, and beyond the host. */
import { Drain, FrameSocket } from '../lab/frame-socket.js'
import { addressText } from '../lab/raw-socket.js'
import { FOREIGN_TYPES, PLAIN_PROTOCOLS } from './alphabet.js'
import { ETHER_TYPE } from './encode.js'
import type { Station, World } from './world.js'

/**
 * Where something arrived. `stack`: passed by an interface of the host to its own protocols, before any rule of IP. `socket`: delivered to the host itself.
 * `station`: at the interface of a container, or of a machine beyond the host.
 */
export type Place =
  | { readonly kind: 'stack'; readonly device: string }
  | { readonly kind: 'socket'; readonly device: string; readonly family: 4 | 6; readonly protocol: number }
  | { readonly kind: 'station'; readonly station: Station }

export interface Observed {
  readonly place: Place
  /** A frame, without the VLAN tag that the kernel took out; at a socket the packet, of IPv6 without its header. */
  readonly bytes: Uint8Array
  readonly tagged: boolean
  /** At a socket: the packet's addresses. */
  readonly source: string
  readonly destination: string
}

/** PACKET_OTHERHOST: nobody's protocols take it. */
const FOR_SOMEBODY_ELSE = 3

/** What the kernel calls frames whose type is a length. */
const ETH_P_802_2 = 4

interface Listener {
  readonly socket: FrameSocket
  readonly at: 'stack' | { readonly family: 4 | 6; readonly protocol: number } | Station
}

export class Observers {
  readonly #listeners: readonly Listener[]
  readonly #drain: Drain
  readonly #world: World

  constructor(world: World) {
    this.#world = world
    const types = [...Object.values(ETHER_TYPE), ...FOREIGN_TYPES].map((type) =>
      type < 0x600 ? ETH_P_802_2 : type,
    )
    this.#listeners = [
      ...[...new Set(types)].map(
        (type): Listener => ({ socket: FrameSocket.listener(world.host, type), at: 'stack' }),
      ),
      ...([4, 6] as const).flatMap((family) =>
        PLAIN_PROTOCOLS.map((protocol): Listener => {
          return { socket: FrameSocket.raw(world.host, family, protocol), at: { family, protocol } }
        }),
      ),
      ...[...world.stations.values()].map((station): Listener => {
        return { socket: FrameSocket.listener(station.namespace, 'all'), at: station }
      }),
    ]
    this.#drain = new Drain(this.#listeners.map(({ socket }) => socket))
  }

  /** Takes out what has arrived until now. */
  *take(): Generator<Observed> {
    for (const { socket, device, kind, tag, source, destination, bytes } of this.#drain.take()) {
      const at = this.#listeners[socket]?.at
      if (at === undefined) continue
      const name = this.#world.devices.get(device)?.name ?? `interface ${device}`
      const common = { bytes, tagged: tag !== undefined, source: '', destination: '' }
      if (at === 'stack') {
        if (kind !== FOR_SOMEBODY_ELSE) yield { ...common, place: { kind: 'stack', device: name } }
      } else if ('protocol' in at) {
        const length = at.family === 4 ? 4 : 16
        yield {
          ...common,
          place: { kind: 'socket', device: name, ...at },
          source: addressText(source.subarray(0, length)),
          // Of IPv4 it is in the packet; the socket tells by which of its own addresses it was taken.
          destination: addressText(at.family === 4 ? bytes.subarray(16, 20) : destination),
        }
      } else yield { ...common, place: { kind: 'station', station: at } }
    }
  }

  /** How many arrivals found no room since the last call. */
  lost(): number {
    return this.#listeners.reduce((sum, { socket }) => sum + socket.lost(), 0)
  }

  close(): void {
    for (const { socket } of this.#listeners) socket.close()
  }
}
