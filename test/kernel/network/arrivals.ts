/** Which packets get from one namespace to another. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { SILENCE_MS } from '../../../lab/machine.js'
import type { Namespace } from '../../../src/index.js'
import { runIn } from '../../support/tools.js'

/** What is sent under one name. */
export interface Sending {
  /** One after the other. */
  readonly frames: readonly Uint8Array[]
  /** What tells that it is there: the end of a frame, or of a packet that the kernel put together again. */
  readonly mark: Uint8Array
}

const SENDER = `
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(('eth0', 0))
for line in sys.stdin:
    s.send(bytes.fromhex(line))`

/** Takes lines of a name and its mark, and a last empty line; prints the names whose mark arrived. */
const OBSERVER = `
import select, socket, sys
frames = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
frames.bind(('eth0', 0))
sockets = [frames]
for family in (socket.AF_INET, socket.AF_INET6):
    for protocol in (socket.IPPROTO_TCP, socket.IPPROTO_UDP, 132):
        sockets.append(socket.socket(family, socket.SOCK_RAW, protocol))
silence = int(sys.argv[1]) / 1000
wanted = []
for line in sys.stdin:
    if line == '\\n':
        break
    name, _, mark = line.rpartition('=')
    wanted.append((name, bytes.fromhex(mark)))
print('ready', flush=True)
working = True
seen = set()
while True:
    ready = select.select(sockets + [sys.stdin] if working else sockets, [], [], None if working else silence)[0]
    if not ready:
        break
    for s in ready:
        if s is sys.stdin:
            working = False
            continue
        packet, address = s.recvfrom(65535)
        if s is not frames or address[2] != socket.PACKET_OUTGOING:
            seen.update(name for name, mark in wanted if packet.endswith(mark))
for name, _ in wanted:
    if name in seen:
        print(name)
print('done')`

/** Sends from one namespace's eth0, in order, and tells the names of what arrives at another's. Marks must differ. */
export async function arrivals(
  from: Namespace,
  to: Namespace,
  sent: Readonly<Record<string, Sending>>,
): Promise<string[]> {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
  const wanted = Object.entries(sent).map(([name, { mark }]) => `${name}=${hex(mark)}\n`)
  if (new Set(Object.values(sent).map(({ mark }) => hex(mark))).size < wanted.length)
    throw new Error('two marks are the same')
  const child = spawn('nsenter', [`--net=${to.path()}`, 'python3', '-c', OBSERVER, `${SILENCE_MS}`])
  try {
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
    child.stdin.write(`${wanted.join('')}\n`)
    if ((await lines.next()).value !== 'ready') throw new Error('nobody observes')
    const input = Object.values(sent).flatMap(({ frames }) => frames.map((frame) => `${hex(frame)}\n`))
    await runIn(from, 'python3', ['-c', SENDER], input.join(''))
    child.stdin.end()
    const arrived: string[] = []
    for await (const line of lines) arrived.push(line)
    if (arrived.pop() !== 'done') throw new Error('the observer failed')
    return arrived
  } finally {
    child.kill('SIGKILL')
  }
}
