/**
 * Just enough SCTP (RFC 9260) to see whether an association would be set up: INIT one way, INIT ACK the other, from raw
 * sockets. The machine's kernel need not speak SCTP.
 */
import type { ProbeOutcome, ServerAnswer, Target } from './messages.js'
import { RawSocket } from './raw-socket.js'
import type { RunningServer } from './servers.js'
import { startTimeLimit } from './time-limit.js'

const PROTOCOL = 132
const INIT = 1
const INIT_ACK = 2
const ABORT = 6
const STATE_COOKIE = 7
const HEADER_LENGTH = 12
const CHUNK_HEADER_LENGTH = 4
/** Initiate tag, window, streams out and in, initial TSN. */
const INIT_LENGTH = 16
const POLL_MS = 3

interface Packet {
  readonly sourcePort: number
  readonly destinationPort: number
  readonly tag: number
  readonly chunk: number
  readonly initiateTag: number
  readonly cookie: string
}

/** Answers each INIT to a port with what it saw, as the cookie of its INIT ACK. */
export function serveSctp(name: string, port: number): RunningServer {
  const sockets = ([4, 6] as const).map((family) => RawSocket.open(family, PROTOCOL))
  const timer = setInterval(() => {
    for (const socket of sockets) {
      for (const { source, payload } of socket.receive()) {
        const packet = parse(payload)
        if (packet?.chunk !== INIT || packet.destinationPort !== port) continue
        const seen = { seen: source, seenPort: packet.sourcePort }
        const answer: ServerAnswer = { server: name, ...seen, local: '', localPort: port }
        const ports = { sourcePort: port, destinationPort: packet.sourcePort }
        const cookie = JSON.stringify(answer)
        socket.send(
          source,
          build({ ...ports, tag: packet.initiateTag, chunk: INIT_ACK, initiateTag: 1, cookie }),
        )
      }
    }
  }, POLL_MS)
  return {
    port,
    stop: async () => {
      clearInterval(timer)
      for (const socket of sockets) socket.close()
    },
  }
}

/** Sends an INIT and waits for what a server of the lab answers. */
export async function probeSctp({ address, port, timeoutMs, localPort }: Target): Promise<ProbeOutcome> {
  const socket = RawSocket.open(address.includes(':') ? 6 : 4, PROTOCOL)
  const sourcePort = localPort ?? 32768 + Math.floor(Math.random() * 28000)
  const initiateTag = 1 + Math.floor(Math.random() * 0xfffffffe)
  let expired = false
  const endLimit = startTimeLimit(timeoutMs, () => {
    expired = true
  })
  try {
    const init = { sourcePort, destinationPort: port, tag: 0, chunk: INIT, initiateTag, cookie: '' }
    const error = socket.send(address, build(init))
    if (error !== undefined) return { outcome: 'unreachable', error }
    while (!expired) {
      for (const { payload } of socket.receive()) {
        const packet = parse(payload)
        if (packet?.destinationPort !== sourcePort || packet.sourcePort !== port) continue
        if (packet.tag !== initiateTag) continue
        if (packet.chunk === ABORT) return { outcome: 'refused' }
        if (packet.chunk === INIT_ACK) return { outcome: 'reached', ...parseAnswer(packet.cookie) }
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
    return { outcome: 'timeout' }
  } finally {
    endLimit()
    socket.close()
  }
}

function build({ sourcePort, destinationPort, tag, chunk, initiateTag, cookie }: Packet): Uint8Array {
  const parameter = cookie === '' ? 0 : 4 + cookie.length
  const length = CHUNK_HEADER_LENGTH + INIT_LENGTH + parameter
  const packet = Buffer.alloc(HEADER_LENGTH + Math.ceil(length / 4) * 4)
  packet.writeUInt16BE(sourcePort, 0)
  packet.writeUInt16BE(destinationPort, 2)
  packet.writeUInt32BE(tag, 4)
  packet[HEADER_LENGTH] = chunk
  packet.writeUInt16BE(length, HEADER_LENGTH + 2)
  const body = HEADER_LENGTH + CHUNK_HEADER_LENGTH
  packet.writeUInt32BE(initiateTag, body)
  packet.writeUInt32BE(0x10000, body + 4)
  packet.writeUInt16BE(1, body + 8)
  packet.writeUInt16BE(1, body + 10)
  packet.writeUInt32BE(1, body + 12)
  if (cookie !== '') {
    packet.writeUInt16BE(STATE_COOKIE, body + INIT_LENGTH)
    packet.writeUInt16BE(parameter, body + INIT_LENGTH + 2)
    packet.write(cookie, body + INIT_LENGTH + 4, 'latin1')
  }
  packet.writeUInt32LE(crc32c(packet), 8)
  return packet
}

function parse(bytes: Uint8Array): Packet | undefined {
  const packet = Buffer.from(bytes)
  const body = HEADER_LENGTH + CHUNK_HEADER_LENGTH
  if (packet.length < body) return undefined
  const parameter = body + INIT_LENGTH
  const hasCookie = packet.length >= parameter + 4 && packet.readUInt16BE(parameter) === STATE_COOKIE
  const cookieEnd = hasCookie ? parameter + packet.readUInt16BE(parameter + 2) : 0
  return {
    sourcePort: packet.readUInt16BE(0),
    destinationPort: packet.readUInt16BE(2),
    tag: packet.readUInt32BE(4),
    chunk: packet[HEADER_LENGTH] ?? 0,
    initiateTag: packet.length >= body + 4 ? packet.readUInt32BE(body) : 0,
    cookie: hasCookie ? packet.toString('latin1', parameter + 4, cookieEnd) : '',
  }
}

function parseAnswer(text: string): ServerAnswer {
  return JSON.parse(text) // written by serveSctp, whose answer is typed
}

/** CRC-32C (Castagnoli), as RFC 9260 appendix A wants it. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return ~crc >>> 0
}
