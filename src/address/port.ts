import type { NfbridgeError } from '../errors.js'
import { quote, rejected } from './failure.js'

/** A transport protocol that has ports. */
export type Protocol = 'tcp' | 'udp' | 'sctp'

/** The numbers that the kernel knows them by (IPPROTO_* of linux/in.h). */
export const protocolNumbers: Readonly<Record<Protocol, number>> = Object.freeze({
  tcp: 6,
  udp: 17,
  sctp: 132,
})

/** The ports from `first` to `last`, both included; one port where they are equal. */
export interface PortRange {
  readonly first: number
  readonly last: number
}

/** A range of ports of one protocol: what a container exposes. An immutable value. */
export class PortProtocol implements PortRange {
  readonly protocol: Protocol
  readonly first: number
  readonly last: number

  private constructor(protocol: Protocol, first: number, last: number) {
    this.protocol = protocol
    this.first = first
    this.last = last
    Object.freeze(this)
  }

  /** @throws NfbridgeError NFB_INVALID_PORT for a port outside 1 to 65535, a range that runs backwards, an unknown protocol */
  static of(protocol: Protocol, first: number, last: number = first, path?: string): PortProtocol {
    const range = orderedRange(parsePort(first, path), parsePort(last, path), `${first}-${last}`, path)
    return new PortProtocol(parseProtocol(protocol, path), range.first, range.last)
  }

  /** The number of ports. */
  get count(): number {
    return this.last - this.first + 1
  }

  /** One value for each port: what a hash set holds. */
  expand(): PortProtocol[] {
    return Array.from(
      { length: this.count },
      (_, index) => new PortProtocol(this.protocol, this.first + index, this.first + index),
    )
  }

  contains(port: number): boolean {
    return port >= this.first && port <= this.last
  }

  equals(other: PortProtocol): boolean {
    return this.protocol === other.protocol && this.first === other.first && this.last === other.last
  }

  /** `80/tcp`, `8000-8010/udp`: what {@link parseExpose} reads. */
  toString(): string {
    return `${formatRange(this)}/${this.protocol}`
  }

  toJSON(): string {
    return this.toString()
  }
}

/**
 * A port from 1 to 65535, given as a number or in decimal digits without sign, space or leading zero. 0 is
 * rejected: the kernel takes it for "any".
 * @throws NfbridgeError NFB_INVALID_PORT
 */
export function parsePort(value: number | string, path?: string): number {
  const given = typeof value === 'string' ? quote(value) : typeof value === 'number' ? value : quote(value)
  const fail = (reason: string): NfbridgeError =>
    rejected('NFB_INVALID_PORT', 'port.parse', `${given} is no port: ${reason}`, path)
  if (typeof value === 'string') {
    if (value === '') throw fail('it is empty')
    if (!/^[0-9]+$/.test(value)) throw fail('it is not written in decimal digits only')
    if (value.length > 1 && value.startsWith('0')) throw fail('it has a leading zero')
  } else if (typeof value !== 'number' || !Number.isInteger(value)) {
    throw fail('a whole number is expected')
  }
  const port = Number(value)
  if (port < 1 || port > 65535) throw fail('a port is a number from 1 to 65535')
  return port
}

/** `tcp`, `udp` or `sctp`, in small or capital letters. @throws NfbridgeError NFB_INVALID_PORT */
export function parseProtocol(text: string, path?: string): Protocol {
  const name = typeof text === 'string' ? text.toLowerCase() : text
  if (name === 'tcp' || name === 'udp' || name === 'sctp') return name
  throw rejected(
    'NFB_INVALID_PORT',
    'port.parse',
    `the protocol ${quote(text)} is none of tcp, udp, sctp`,
    path,
  )
}

/** `80`, 80 or `8000-8010`. @throws NfbridgeError NFB_INVALID_PORT */
export function parsePortRange(value: number | string, path?: string): PortRange {
  const dash = typeof value === 'string' ? value.indexOf('-') : -1
  // A dash in front is a sign, not a range: let parsePort say so.
  if (typeof value !== 'string' || dash < 1) {
    const port = parsePort(value, path)
    return Object.freeze({ first: port, last: port })
  }
  return orderedRange(
    parsePort(value.slice(0, dash), path),
    parsePort(value.slice(dash + 1), path),
    value,
    path,
  )
}

/**
 * What a container exposes, in Docker's words: `80/tcp`, `80` (tcp), `8000-8010/udp`.
 * @throws NfbridgeError NFB_INVALID_PORT
 */
export function parseExpose(text: string, path?: string): PortProtocol {
  if (typeof text !== 'string')
    throw rejected(
      'NFB_INVALID_PORT',
      'port.parse',
      `${quote(text)} is no port with protocol, such as "80/tcp"`,
      path,
    )
  const slash = text.indexOf('/')
  const { first, last } = parsePortRange(slash < 0 ? text : text.slice(0, slash), path)
  return PortProtocol.of(slash < 0 ? 'tcp' : parseProtocol(text.slice(slash + 1), path), first, last, path)
}

/** `80` or `8000-8010`. */
export function formatRange(range: PortRange): string {
  return range.first === range.last ? String(range.first) : `${range.first}-${range.last}`
}

function orderedRange(first: number, last: number, text: string, path: string | undefined): PortRange {
  if (last < first)
    throw rejected('NFB_INVALID_PORT', 'port.parse', `the range ${quote(text)} runs backwards`, path)
  return Object.freeze({ first, last })
}
