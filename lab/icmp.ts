/** Echo requests of an agent's thread (RFC 792, RFC 4443), and a record of those that reached it. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { PingArrival, PingOutcome } from './messages.js'
import { RawSocket } from './raw-socket.js'
import { startTimeLimit } from './time-limit.js'

const PROTOCOL = { 4: 1, 6: 58 } as const
const ECHO_REQUEST = { 4: 8, 6: 128 } as const
const ECHO_REPLY = { 4: 0, 6: 129 } as const
/** Type, code, checksum, identifier, sequence number; then our token. */
const HEADER_LENGTH = 8
/** What an ICMP error quotes after its own header: the IP header of what it is about, and the beginning of that. */
const QUOTED = { 4: { error: 3, header: 20 }, 6: { error: 1, header: 40 } } as const

type Family = 4 | 6

interface Waiting {
  readonly family: Family
  readonly identifier: number
  settle(outcome: PingOutcome): void
}

export class Pinger {
  readonly #sockets = new Map<Family, RawSocket>()
  readonly #waiting = new Map<string, Waiting>()
  readonly #arrived: PingArrival[] = []
  #polling = false
  #lastIdentifier = Math.floor(Math.random() * 0xffff)

  /** From now on requests that reach this machine are recorded. */
  listen(): void {
    for (const family of [4, 6] as const) this.#socket(family)
  }

  /** Sends one request and waits for its reply. The token, 8 bytes of ASCII, is in the packet and tells it from others. */
  ping(address: string, token: string, timeoutMs: number): Promise<PingOutcome> {
    const family = address.includes(':') ? 6 : 4
    this.#lastIdentifier = (this.#lastIdentifier + 1) & 0xffff
    const identifier = this.#lastIdentifier
    return new Promise((resolve) => {
      const endLimit = startTimeLimit(timeoutMs, () => settle({ outcome: 'timeout' }))
      const settle = (outcome: PingOutcome): void => {
        endLimit()
        this.#waiting.delete(token)
        resolve(outcome)
      }
      this.#waiting.set(token, { family, identifier, settle })
      const error = this.#socket(family).send(address, echoRequest(family, identifier, token))
      if (error !== undefined) settle({ outcome: 'unreachable', error })
      else void this.#poll()
    })
  }

  /** The requests that arrived since the last call. */
  takeArrived(): PingArrival[] {
    this.#read()
    return this.#arrived.splice(0)
  }

  close(): void {
    for (const socket of this.#sockets.values()) socket.close()
    this.#sockets.clear()
    for (const { settle } of [...this.#waiting.values()])
      settle({ outcome: 'unreachable', error: 'ECANCELED' })
    this.#arrived.length = 0
  }

  #socket(family: Family): RawSocket {
    const socket = this.#sockets.get(family) ?? RawSocket.open(family, PROTOCOL[family])
    this.#sockets.set(family, socket)
    return socket
  }

  /** Node.js can't wait for a raw socket: it is looked at every few milliseconds, as long as somebody waits. */
  async #poll(): Promise<void> {
    if (this.#polling) return
    this.#polling = true
    while (this.#waiting.size > 0) {
      this.#read()
      await sleep(2)
    }
    this.#polling = false
  }

  #read(): void {
    for (const [family, socket] of this.#sockets) {
      for (const { source, payload } of socket.receive()) this.#take(family, source, payload)
    }
  }

  #take(family: Family, source: string, packet: Uint8Array): void {
    const type = packet[0]
    const token = Buffer.from(packet.subarray(HEADER_LENGTH, HEADER_LENGTH + 8)).toString('latin1')
    if (type === ECHO_REQUEST[family]) this.#arrived.push({ token, seen: source })
    if (type === ECHO_REPLY[family]) this.#waiting.get(token)?.settle({ outcome: 'reached' })
    if (type === QUOTED[family].error) {
      const quoted = packet.subarray(HEADER_LENGTH + QUOTED[family].header)
      const identifier = ((quoted[4] ?? 0) << 8) | (quoted[5] ?? 0)
      for (const waiting of [...this.#waiting.values()]) {
        if (waiting.family === family && waiting.identifier === identifier)
          waiting.settle({ outcome: 'unreachable', error: 'EHOSTUNREACH' })
      }
    }
  }
}

function echoRequest(family: Family, identifier: number, token: string): Uint8Array {
  const packet = Buffer.alloc(HEADER_LENGTH + 8)
  packet[0] = ECHO_REQUEST[family]
  packet.writeUInt16BE(identifier, 4)
  packet.write(token.padEnd(8).slice(0, 8), HEADER_LENGTH, 'latin1')
  // Of ICMPv6 the kernel makes the checksum, because it covers addresses.
  if (family === 4) packet.writeUInt16BE(checksum(packet), 2)
  return packet
}

/** RFC 1071, of an even number of bytes. */
function checksum(bytes: Buffer): number {
  let sum = 0
  for (let index = 0; index < bytes.length; index += 2) sum += bytes.readUInt16BE(index)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}
