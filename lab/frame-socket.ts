/** Sockets for whole frames in any namespace, used from the caller's thread. The addon is lab/native/frame_socket.cc. */
import { getSystemErrorName } from 'node:util'
import type { Namespace } from 'nfbridge'
import { loadAddon } from './addon.js'

/** The addon's functions; a negative number is an errno. */
interface FrameSocketAddon {
  openPacket(namespace: number, protocol: number, device: string): number
  openRaw(namespace: number, family: number, protocol: number): number
  send(descriptor: number, frames: Uint8Array, lengths: Int32Array): number
  drain(descriptors: Int32Array, out: Uint8Array): number
  lost(descriptor: number): number
  close(descriptor: number): number
}

/** A packet that arrived at one of the sockets that were drained. */
export interface Arrived {
  /** The socket's place among those that were drained. */
  readonly socket: number
  /** Index of the interface that it came by. */
  readonly device: number
  /** Of a frame, for whom it was by its address: 0 this machine, 1 all, 2 a group, 3 somebody else (PACKET_* in linux/if_packet.h). */
  readonly kind: number
  /** The VLAN tag's control information that the kernel took out of the frame; undefined: it took out none. */
  readonly tag: number | undefined
  /** Of a raw socket: the packet's addresses, 16 bytes of which IPv4 uses 4. */
  readonly source: Uint8Array
  readonly destination: Uint8Array
  /** The frame; of a raw socket the packet, without its header where it is IPv6. */
  readonly bytes: Uint8Array
}

/** As `Head` in the addon. */
const HEAD_LENGTH = 52
const ROOM = 8 << 20

let loaded: FrameSocketAddon | undefined

function addon(): FrameSocketAddon {
  loaded ??= loadAddon<FrameSocketAddon>('frame_socket')
  return loaded
}

function opened(descriptor: number, what: string): FrameSocket {
  if (descriptor < 0) throw new Error(`${what}: ${getSystemErrorName(descriptor)}`)
  return new FrameSocket(descriptor)
}

export class FrameSocket {
  readonly descriptor: number

  constructor(descriptor: number) {
    this.descriptor = descriptor
  }

  /** Sends frames from an interface as they are, and receives nothing. */
  static sender(namespace: Namespace, device: string): FrameSocket {
    return opened(addon().openPacket(namespace.fd, 0, device), `a sender of frames by ${device}`)
  }

  /**
   * Gets what comes by an interface of a namespace. Of one protocol only, it gets what the interface passes to the namespace's own protocols:
   * of a bridge's port, what does not go to the bridge.
   * @param protocol of Ethernet; `all` gets everything, and before a bridge takes it
   * @param device any interface by default
   */
  static listener(namespace: Namespace, protocol: number | 'all', device = ''): FrameSocket {
    const ETH_P_ALL = 3
    const number = protocol === 'all' ? ETH_P_ALL : protocol
    return opened(
      addon().openPacket(namespace.fd, number, device),
      `a listener for frames of type ${protocol}`,
    )
  }

  /** Gets what is delivered to the namespace itself, under any of its addresses. */
  static raw(namespace: Namespace, family: 4 | 6, protocol: number): FrameSocket {
    return opened(
      addon().openRaw(namespace.fd, family, protocol),
      `a raw socket of protocol ${protocol} in IPv${family}`,
    )
  }

  /** @returns how many of them the kernel took */
  send(frames: readonly Uint8Array[]): number {
    const lengths = Int32Array.from(frames, ({ length }) => length)
    const taken = addon().send(this.descriptor, Buffer.concat(frames), lengths)
    if (taken < 0) throw new Error(`frames cannot be sent: ${getSystemErrorName(taken)}`)
    return taken
  }

  /** How many packets found no room since the last call. */
  lost(): number {
    return Math.max(0, addon().lost(this.descriptor))
  }

  close(): void {
    addon().close(this.descriptor)
  }
}

/** Takes out of several sockets what has arrived until now. */
export class Drain {
  readonly #descriptors: Int32Array
  readonly #out = new Uint8Array(ROOM)

  constructor(sockets: readonly FrameSocket[]) {
    this.#descriptors = Int32Array.from(sockets, ({ descriptor }) => descriptor)
  }

  *take(): Generator<Arrived> {
    for (;;) {
      const end = addon().drain(this.#descriptors, this.#out)
      if (end < 0) throw new Error(`arrivals cannot be read: ${getSystemErrorName(end)}`)
      if (end === 0) return
      yield* this.#read(end)
    }
  }

  *#read(end: number): Generator<Arrived> {
    const view = new DataView(this.#out.buffer)
    for (let at = 0; at < end; ) {
      const [socket = 0, device = 0, kind = 0, tag = 0, length = 0] = [0, 4, 8, 12, 16].map((offset) =>
        view.getUint32(at + offset, true),
      )
      const bytes = (from: number, count: number): Uint8Array => this.#out.slice(from, from + count)
      yield {
        socket,
        device,
        kind,
        tag: tag === 0 ? undefined : tag & 0xffff,
        source: bytes(at + 20, 16),
        destination: bytes(at + 36, 16),
        bytes: bytes(at + HEAD_LENGTH, length),
      }
      at += HEAD_LENGTH + Math.ceil(length / 4) * 4
    }
  }
}
