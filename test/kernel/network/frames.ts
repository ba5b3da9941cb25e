import { setTimeout as sleep } from 'node:timers/promises'
import { type Arrived, Drain, FrameSocket } from '../../../lab/frame-socket.js'
import { SILENCE_MS } from '../../../lab/machine.js'
import { IPv6Address } from '../../../src/address/index.js'
import type { Namespace } from '../../../src/index.js'
import { runIn } from '../../support/tools.js'

/** Sends a frame as it is from an interface of a namespace: what a compromised container could do. */
export function sendFrame(namespace: Namespace, device: string, frame: Uint8Array): Promise<void> {
  return sendFrames(namespace, device, [frame])
}

/** Several, one after the other. */
export async function sendFrames(
  namespace: Namespace,
  device: string,
  frames: readonly Uint8Array[],
): Promise<void> {
  const socket = FrameSocket.sender(namespace, device)
  try {
    const taken = socket.send(frames)
    if (taken < frames.length) throw new Error(`the kernel took ${taken} of ${frames.length} frames`)
  } finally {
    socket.close()
  }
}

/** Counts the frames with a payload text that an interface sees while `work` runs. */
export async function countFrames(
  namespace: Namespace,
  device: string,
  text: string,
  work: () => Promise<unknown>,
): Promise<number> {
  let seen = 0
  await observe([FrameSocket.listener(namespace, 'all', device)], work, ({ bytes }) => {
    if (Buffer.from(bytes).includes(text)) seen++
  })
  return seen
}

/** Takes what arrives at sockets while `work` runs, and after it until nothing has come for a while; closes them. */
export async function observe(
  sockets: readonly FrameSocket[],
  work: () => Promise<unknown>,
  take: (arrived: Arrived) => void,
): Promise<void> {
  try {
    const drain = new Drain(sockets)
    await work()
    for (let last = performance.now(); performance.now() - last < SILENCE_MS; await sleep(SILENCE_MS / 10))
      for (const arrived of drain.take()) {
        take(arrived)
        last = performance.now()
      }
  } finally {
    for (const socket of sockets) socket.close()
  }
}

/** How many ICMP errors a namespace took in while `work` ran. */
export function countIcmp(namespace: Namespace, work: () => Promise<unknown>): Promise<number> {
  return countReceived(namespace, 'Icmp', 'InDestUnreachs', work)
}

/** How much of something a namespace took in while `work` ran, by the kernel's own count (/proc/net/snmp and snmp6). */
export async function countReceived(
  namespace: Namespace,
  protocol: 'Icmp' | 'Icmp6' | 'Udp' | 'Udp6',
  name: string,
  work: () => Promise<unknown>,
): Promise<number> {
  const count = async (): Promise<number> => {
    const six = protocol.endsWith('6')
    const text = await runIn(namespace, 'cat', [`/proc/thread-self/net/${six ? 'snmp6' : 'snmp'}`])
    const lines = text.split('\n')
    if (six) return Number(lines.find((line) => line.startsWith(`${protocol}${name} `))?.split(/\s+/)[1])
    const [names = '', values = ''] = lines.filter((line) => line.startsWith(`${protocol}:`))
    return Number(values.split(' ')[names.split(' ').indexOf(name)])
  }
  const before = await count()
  await work()
  // Until nothing has come for a while.
  for (let last = Number.NaN, now = await count(); ; last = now, now = await count()) {
    if (now === last) return now - before
    await sleep(SILENCE_MS)
  }
}

/** `02:42:…` as six bytes. */
export function macBytes(text: string): number[] {
  return text.split(':').map((byte) => Number.parseInt(byte, 16))
}

/** An ICMP port-unreachable in an Ethernet frame, about a UDP packet that somebody else sent. */
export function portUnreachable(options: {
  readonly from: { readonly mac: string; readonly address: string }
  readonly to: { readonly mac: string; readonly address: string }
  readonly about: {
    readonly destination: string
    readonly sourcePort: number
    readonly destinationPort: number
  }
}): Uint8Array {
  const { from, to, about } = options
  const udp = [...word(about.sourcePort), ...word(about.destinationPort), ...word(12), 0, 0]
  const quoted = [...ipHeader(17, to.address, about.destination, udp.length), ...udp]
  const icmp = [3, 3, 0, 0, 0, 0, 0, 0, ...quoted]
  icmp.splice(2, 2, ...word(checksum(icmp)))
  const packet = [...ipHeader(1, from.address, to.address, icmp.length), ...icmp]
  return Uint8Array.from([...macBytes(to.mac), ...macBytes(from.mac), 0x08, 0x00, ...packet])
}

/** Of IPv4, with its checksum; `payload` is the length of what follows. */
export function ipHeader(protocol: number, source: string, destination: string, payload: number): number[] {
  const bytes = (address: string): number[] => address.split('.').map(Number)
  const header = [
    0x45,
    0,
    ...word(20 + payload),
    0,
    1,
    0,
    0,
    64,
    protocol,
    0,
    0,
    ...bytes(source),
    ...bytes(destination),
  ]
  header.splice(10, 2, ...word(checksum(header)))
  return header
}

/** Two bytes, the most significant first. */
export function word(value: number): [number, number] {
  return [value >> 8, value & 0xff]
}

/** RFC 1071. */
export function checksum(bytes: readonly number[]): number {
  let sum = 0
  for (let index = 0; index < bytes.length; index += 2)
    sum += ((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16)
  return ~sum & 0xffff
}

/** An ICMPv6 message of neighbour discovery in a frame to all nodes (RFC 4861), with a text in an option of its own. */
export function discovery(options: {
  /** 134: router advertisement, 136: neighbour advertisement, 137: redirect. */
  readonly type: 134 | 136 | 137
  readonly from: { readonly mac: string; readonly address: string }
  /** What a neighbour advertisement is about. */
  readonly target?: string
  /** At most 14 characters, in an option. */
  readonly text?: string
}): Uint8Array {
  const { type, from, target, text } = options
  const body = type === 134 ? new Array(8).fill(0) : IPv6Address.parse(target ?? from.address).bytes
  // An option of a type for experiments: 16 bytes, the text in them (RFC 4727).
  const option = text === undefined ? [] : [253, 2, ...Buffer.from(text.padEnd(14, '\0'))]
  const message = [type, 0, 0, 0, 0x20, 0, 0, 0, ...body, ...option]
  const source = [...IPv6Address.parse(from.address).bytes]
  const destination = [...IPv6Address.parse('ff02::1').bytes]
  const pseudo = [...source, ...destination, 0, 0, ...word(message.length), 0, 0, 0, 58]
  message.splice(2, 2, ...word(checksum([...pseudo, ...message])))
  const header = [0x60, 0, 0, 0, ...word(message.length), 58, 255, ...source, ...destination]
  return Uint8Array.from([0x33, 0x33, 0, 0, 0, 1, ...macBytes(from.mac), 0x86, 0xdd, ...header, ...message])
}

/** A broadcast frame of a type that is no IP, with a text in it. */
export function foreignFrame(mac: string, text: string): Uint8Array {
  return Uint8Array.from([
    ...new Array(6).fill(0xff),
    ...macBytes(mac),
    0x88,
    0xb5,
    ...Buffer.from(text.padEnd(46, '\0')),
  ])
}
