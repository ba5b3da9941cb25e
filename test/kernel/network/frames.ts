import type { Namespace } from '../../../src/index.js'
import { runIn } from '../../support/tools.js'

/** Sends a frame as it is from an interface of a namespace: what a compromised container could do. */
export async function sendFrame(namespace: Namespace, device: string, frame: Uint8Array): Promise<void> {
  const program = `
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
s.send(bytes.fromhex(sys.argv[2]))`
  await runIn(namespace, 'python3', ['-c', program, device, Buffer.from(frame).toString('hex')])
}

/** Counts the frames with a payload text that an interface sees while `work` runs. */
export async function countFrames(
  namespace: Namespace,
  device: string,
  text: string,
  work: () => Promise<unknown>,
): Promise<number> {
  const program = `
import socket, sys, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.bind((sys.argv[1], 0))
s.settimeout(0.1)
seen, end = 0, time.time() + 1.5
while time.time() < end:
    try:
        seen += sys.argv[2].encode() in s.recv(65535)
    except TimeoutError:
        pass
print(seen)`
  const counting = runIn(namespace, 'python3', ['-c', program, device, text])
  await new Promise((resolve) => setTimeout(resolve, 400))
  await work()
  return Number(await counting)
}

/** How many ICMP errors a namespace took in while `work` ran, by the kernel's own count. */
export async function countIcmp(namespace: Namespace, work: () => Promise<unknown>): Promise<number> {
  const count = async (): Promise<number> => {
    const lines = (await runIn(namespace, 'cat', ['/proc/thread-self/net/snmp'])).split('\n')
    const [names = '', values = ''] = lines.filter((line) => line.startsWith('Icmp:'))
    return Number(values.split(' ')[names.split(' ').indexOf('InDestUnreachs')])
  }
  const before = await count()
  await work()
  await new Promise((resolve) => setTimeout(resolve, 300))
  return (await count()) - before
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

function ipHeader(protocol: number, source: string, destination: string, payload: number): number[] {
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

function word(value: number): [number, number] {
  return [value >> 8, value & 0xff]
}

/** RFC 1071. */
function checksum(bytes: readonly number[]): number {
  let sum = 0
  for (let index = 0; index < bytes.length; index += 2)
    sum += ((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16)
  return ~sum & 0xffff
}
