/** Sends frames into a world and tells what arrived of each. */
import { FrameSocket } from '../lab/frame-socket.js'
import { encode } from './encode.js'
import { type Event, eventOf, type Sent } from './event.js'
import type { Frame } from './frame.js'
import { Observers } from './observers.js'
import { Random } from './random.js'
import { namesOf } from './roles.js'
import type { Station, World } from './world.js'

export interface Shot {
  readonly sender: Station
  readonly frame: Frame
}

/** How many frames are remembered: an arrival may come late, behind the question for an address. */
const REMEMBERED = 1 << 14

export class Attack implements Disposable {
  readonly world: World
  readonly #observers: Observers
  readonly #senders = new Map<string, FrameSocket>()
  readonly #magic: readonly number[]
  readonly #sent: (Sent | undefined)[] = new Array(REMEMBERED)
  /** What has no room for a mark is known by its bytes. */
  readonly #exact = new Map<string, Sent>()
  #count = 0

  constructor(world: World, seed: number) {
    this.world = world
    this.#observers = new Observers(world)
    const magic = new Random(seed).next()
    this.#magic = [24, 16, 8, 0].map((shift) => (magic >>> shift) & 0xff)
    for (const station of world.stations.values())
      this.#senders.set(station.name, FrameSocket.sender(station.namespace, station.device))
  }

  /** Sends some frames, in their order, and gives back what has arrived since the last call. */
  fire(shots: readonly Shot[]): { readonly sent: Sent; readonly event: Event }[] {
    for (const shot of shots) this.#send(shot)
    return [...this.arrivals()]
  }

  *arrivals(): Generator<{ readonly sent: Sent; readonly event: Event }> {
    for (const observed of this.#observers.take()) {
      const sent = this.#find(observed.bytes)
      if (sent === undefined) continue
      const { place } = observed
      // What comes back to who sent it tells nobody anything.
      if (place.kind === 'station' && place.station === sent.sender) continue
      yield { sent, event: eventOf(this.world, sent, observed) }
    }
  }

  lost(): number {
    return this.#observers.lost()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  close(): void {
    this.#observers.close()
    for (const socket of this.#senders.values()) socket.close()
  }

  /** A frame with the mark of the last that was sent. */
  bytesOf({ sender, frame }: Shot): Uint8Array {
    const number = this.#count
    const counter = [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff)
    const mark = { mark: [...this.#magic, ...counter], number: number & 0xfffff }
    return encode(frame, namesOf(this.world, sender), mark)
  }

  #send({ sender, frame }: Shot): void {
    const number = ++this.#count
    const bytes = this.bytesOf({ sender, frame })
    const sent: Sent = { frame, sender, bytes }
    const old = this.#sent[number % REMEMBERED]
    if (old !== undefined) this.#exact.delete(key(old.bytes))
    this.#sent[number % REMEMBERED] = sent
    if (frame.cut !== undefined) this.#exact.set(key(bytes), sent)
    this.#senders.get(sender.name)?.send([bytes])
  }

  #find(bytes: Uint8Array): Sent | undefined {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    const at = buffer.indexOf(Uint8Array.from(this.#magic))
    if (at < 0 || at + 8 > buffer.length) return this.#exact.get(key(bytes))
    const number = buffer.readUInt32BE(at + 4)
    return number > this.#count - REMEMBERED ? this.#sent[number % REMEMBERED] : undefined
  }
}

/** Without VLAN tags, which the kernel takes out. */
function key(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}
