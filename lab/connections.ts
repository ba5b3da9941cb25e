/** The agent's outgoing side: one connection (or connected datagram socket) to a server of the lab. */
import { createSocket } from 'node:dgram'
import { connect, isIPv6 } from 'node:net'
import type { ProbeOutcome, SendOutcome, ServerAnswer, Target } from './messages.js'
import { probeSctp } from './sctp.js'
import { startTimeLimit } from './time-limit.js'

/** A peer that was reached, or not; `send` works only on one that was. */
export interface Connection {
  readonly result: ProbeOutcome
  /** Sends a text and waits for it to come back. */
  send(text: string, timeoutMs: number): Promise<SendOutcome>
  close(): void
}

/** Tries to reach a server and reports what it answered; never rejects. */
export function open(target: Target): Promise<Connection> {
  switch (target.transport) {
    case 'tcp':
      return openTcp(target)
    case 'udp':
      return openUdp(target)
    case 'sctp':
      return openSctp(target)
  }
}

/** There is nothing to send on: no more than the handshake's first half is spoken. */
async function openSctp(target: Target): Promise<Connection> {
  return { result: await probeSctp(target), send: async () => 'reset', close: () => {} }
}

/** Texts that wait for their echo, by the text on the wire. */
class Echoes {
  readonly #waiting = new Map<string, (outcome: SendOutcome) => void>()
  #count = 0
  #dead = false

  /** `transmit` gets the text made unique, so that a late echo is not taken for a newer one's. */
  send(text: string, timeoutMs: number, transmit: (line: string) => void): Promise<SendOutcome> {
    if (this.#dead) return Promise.resolve('reset')
    const line = `${++this.#count} ${text}`
    return new Promise((resolve) => {
      const endLimit = startTimeLimit(timeoutMs, () => this.#settle(line, 'timeout'))
      this.#waiting.set(line, (outcome) => {
        endLimit()
        resolve(outcome)
      })
      transmit(line)
    })
  }

  arrived(line: string): void {
    this.#settle(line, 'echo')
  }

  /** What waits was refused; a datagram socket can be used again. */
  refused(): void {
    for (const line of [...this.#waiting.keys()]) this.#settle(line, 'reset')
  }

  /** The connection is gone: what waits, and what is sent from now on, was reset. */
  gone(): void {
    this.#dead = true
    this.refused()
  }

  #settle(line: string, outcome: SendOutcome): void {
    const resolve = this.#waiting.get(line)
    this.#waiting.delete(line)
    resolve?.(outcome)
  }
}

function openTcp(target: Target): Promise<Connection> {
  const { address, port, timeoutMs, localAddress, localPort } = target
  const socket = connect({
    host: address,
    port,
    noDelay: true,
    ...(localAddress !== undefined && { localAddress }),
    ...(localPort !== undefined && { localPort }),
  })
  const echoes = new Echoes()
  return new Promise((resolve) => {
    const settle = (result: ProbeOutcome): void => {
      endLimit()
      if (result.outcome !== 'reached') socket.destroy()
      resolve({
        result,
        send: (text, limit) => echoes.send(text, limit, (line) => socket.write(`${line}\n`)),
        close: () => socket.destroy(),
      })
    }
    const endLimit = startTimeLimit(timeoutMs, () => settle({ outcome: 'timeout' }))
    socket.on('error', (error) => settle(failure(error)))
    socket.on('close', () => {
      echoes.gone()
      settle({ outcome: 'unreachable', error: 'ECONNRESET' }) // has no effect once something was settled
    })
    let answered = false
    readLines(socket, (line) => {
      if (answered) return echoes.arrived(line)
      answered = true
      settle({ outcome: 'reached', ...parseAnswer(line) })
    })
  })
}

/** The socket is connected: only datagrams from the address that was asked count as answers. */
function openUdp(target: Target): Promise<Connection> {
  const { address, port, timeoutMs, localAddress, localPort } = target
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  const echoes = new Echoes()
  return new Promise((resolve) => {
    let closed = false
    const close = (): void => {
      if (closed) return
      closed = true
      echoes.gone()
      socket.close()
    }
    const settle = (result: ProbeOutcome): void => {
      endLimit()
      if (result.outcome !== 'reached') close()
      resolve({
        result,
        send: (text, limit) => echoes.send(text, limit, (line) => socket.send(line, () => {})),
        close,
      })
    }
    const endLimit = startTimeLimit(timeoutMs, () => settle({ outcome: 'timeout' }))
    socket.on('error', (error) => {
      echoes.refused()
      settle(failure(error))
    })
    let answered = false
    socket.on('message', (datagram) => {
      const { echo, ...answer } = parseAnswer(datagram.toString())
      if (answered) return echoes.arrived(echo ?? '')
      answered = true
      settle({ outcome: 'reached', ...answer })
    })
    socket.once('connect', () => socket.send('probe', (error) => error && settle(failure(error))))
    socket.bind(
      { port: localPort ?? 0, ...(localAddress !== undefined && { address: localAddress }) },
      () => {
        socket.connect(port, address)
      },
    )
  })
}

function readLines(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  let rest = ''
  stream.on('data', (chunk: Buffer | string) => {
    const lines = (rest + chunk.toString()).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  })
}

function parseAnswer(text: string): ServerAnswer & { echo?: string } {
  return JSON.parse(text) // written by servers.ts, whose answer is typed
}

function failure(error: NodeJS.ErrnoException): ProbeOutcome {
  return error.code === 'ECONNREFUSED'
    ? { outcome: 'refused' }
    : { outcome: 'unreachable', error: error.code ?? error.message }
}
