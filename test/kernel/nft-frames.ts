/** Packets made byte by byte, sent in one go, and what becomes of them. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Namespace } from '../../src/netns/index.js'
import { runIn } from '../support/tools.js'
import { checksum, ipHeader, word } from './network/frames.js'

/** Bytes as they go over the wire. */
export type Bytes = readonly number[]

const macs = [...Array<number>(6).fill(0xff), 0x02, 0, 0, 0, 0, 1]

/** A frame to everybody: `ethernet(0x0800, packet)`. */
export function ethernet(type: number, payload: Bytes): Bytes {
  return [...macs, ...word(type), ...payload]
}

/** A VLAN header in front of something: the type before it says that it is one, `type` what follows. */
export function tag(id: number, type: number, payload: Bytes): Bytes {
  return [...word(id), ...word(type), ...payload]
}

export function ipv4(protocol: number, payload: Bytes): Bytes {
  return [...ipHeader(protocol, '10.0.0.2', '10.0.0.1', payload.length), ...payload]
}

/** @param trafficClass dscp and ecn together, eight bits */
export function ipv6(nextHeader: number, payload: Bytes, trafficClass = 0): Bytes {
  const address = (last: number): Bytes => [0xfd, ...Array<number>(14).fill(0), last]
  const first = [0x60 | (trafficClass >> 4), (trafficClass & 15) << 4, 0, 0]
  return [...first, ...word(payload.length), nextHeader, 64, ...address(2), ...address(1), ...payload]
}

/** `sum`: over the pseudo-header as well, as TCP, UDP and DCCP have it; 0 where it is right. */
export function transportSum(protocol: number, segment: Bytes): number {
  return checksum([10, 0, 0, 2, 10, 0, 0, 1, 0, protocol, ...word(segment.length), ...segment])
}

/** The segment with its checksum, which begins at the given byte. */
export function summed(protocol: number, segment: Bytes, at: number): Bytes {
  const blank = [...segment.slice(0, at), 0, 0, ...segment.slice(at + 2)]
  return [...blank.slice(0, at), ...word(transportSum(protocol, blank)), ...blank.slice(at + 2)]
}

const program = `
import socket, sys
kind, device = sys.argv[1:3]
for line in sys.stdin:
    if kind == 'frames':
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind((device, 0)); s.send(bytes.fromhex(line))
    else:
        s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW); s.sendto(bytes.fromhex(line), ('10.0.0.1', 0))`

/** Sends frames from an interface, or whole IPv4 packets by the way of the namespace's own, in their order. */
export async function sendAll(
  namespace: Namespace,
  kind: 'frames' | 'packets',
  device: string,
  all: readonly Bytes[],
): Promise<void> {
  const lines = all.map((bytes) => Buffer.from(bytes).toString('hex')).join('\n')
  await runIn(namespace, 'python3', ['-c', program, kind, device], `${lines}\n`)
}

const listener = `
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
s.bind((sys.argv[1], 0))
print('ready', flush=True)
while True: print(s.recv(65535).hex(), flush=True)`

/** The IPv4 packets that come to an interface. */
export class Capture {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #lines: AsyncIterator<string>

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child
    this.#lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  }

  /** Resolves when whatever comes from now on will be seen. */
  static async start(namespace: Namespace, device: string): Promise<Capture> {
    const net = `--net=${namespace.path()}`
    const capture = new Capture(spawn('nsenter', [net, 'python3', '-u', '-c', listener, device]))
    if ((await capture.#next()) !== 'ready') throw new Error('the listener did not begin')
    return capture
  }

  async #next(): Promise<string> {
    const { value, done } = await this.#lines.next()
    if (done) throw new Error('the listener ended')
    return value
  }

  /** The next packet. */
  async next(): Promise<Bytes> {
    return [...Buffer.from(await this.#next(), 'hex')]
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#child.once('close', () => resolve())
      this.#child.kill('SIGKILL')
    })
  }
}
