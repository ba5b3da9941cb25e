/** Raw IP sockets of an agent's thread: ICMP and SCTP packets as they are. The addon is lab/native/raw_socket.cc. */
import { getSystemErrorName } from 'node:util'
import { loadAddon } from './addon.js'

/** The addon's functions; a negative number is an errno. */
interface RawSocketAddon {
  open(family: number, protocol: number): number
  send(descriptor: number, address: Uint8Array, packet: Uint8Array): number
  receive(descriptor: number, packet: Uint8Array, source: Uint8Array): number
  close(descriptor: number): number
}

export interface ReceivedPacket {
  readonly source: string
  /** Without the IP header. */
  readonly payload: Uint8Array
}

let loaded: RawSocketAddon | undefined

function addon(): RawSocketAddon {
  loaded ??= loadAddon<RawSocketAddon>('raw_socket')
  return loaded
}

export class RawSocket {
  readonly #descriptor: number
  readonly #family: 4 | 6
  readonly #packet = new Uint8Array(65536)
  readonly #source = new Uint8Array(16)

  private constructor(descriptor: number, family: 4 | 6) {
    this.#descriptor = descriptor
    this.#family = family
  }

  /** In the namespace of the calling thread. */
  static open(family: 4 | 6, protocol: number): RawSocket {
    const descriptor = addon().open(family, protocol)
    if (descriptor < 0) throw new Error(`a raw socket: ${getSystemErrorName(descriptor)}`)
    return new RawSocket(descriptor, family)
  }

  /** @returns the errno's name when the kernel refused to send; undefined when it did not. */
  send(address: string, payload: Uint8Array): string | undefined {
    const result = addon().send(this.#descriptor, addressBytes(address), payload)
    return result < 0 ? getSystemErrorName(result) : undefined
  }

  /** Takes out what has arrived until now. */
  *receive(): Generator<ReceivedPacket> {
    for (;;) {
      const length = addon().receive(this.#descriptor, this.#packet, this.#source)
      if (length < 0) return
      const headerLength = this.#family === 4 ? ((this.#packet[0] ?? 0) & 0xf) * 4 : 0
      yield {
        source: addressText(this.#source.subarray(0, this.#family === 4 ? 4 : 16)),
        payload: this.#packet.slice(headerLength, length),
      }
    }
  }

  close(): void {
    addon().close(this.#descriptor)
  }
}

/** 4 or 16 bytes. */
export function addressBytes(address: string): Uint8Array {
  if (!address.includes(':')) return Uint8Array.from(address.split('.'), Number)
  const [head = '', tail] = address.split('::')
  const groups = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
  const first = groups(head)
  const last = groups(tail ?? '')
  const zeros = new Array<number>(8 - first.length - last.length).fill(0)
  return Uint8Array.from([...first, ...zeros, ...last].flatMap((group) => [group >> 8, group & 0xff]))
}

/** The text of 4 or 16 bytes, IPv6 as RFC 5952 writes it. */
export function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.')
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0)).toString(16),
  )
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1)
}
