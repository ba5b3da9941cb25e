/** The servers of an agent: they tell each peer which address they saw, then echo. */
import { createSocket, type Socket as DatagramSocket } from 'node:dgram'
import { createServer, isIPv6, type Server, type Socket } from 'node:net'
import type { ServerAnswer, Transport } from './messages.js'
import { serveSctp } from './sctp.js'

/** A server that can be stopped, its open connections with it. */
export interface RunningServer {
  readonly port: number
  stop(): Promise<void>
}

/** `::ffff:172.17.0.2`, as a dual-stack socket reports it, is 172.17.0.2. */
export function plainAddress(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '')
}

/**
 * Starts a server on a port; port 0 lets the kernel choose.
 * @param address where to listen; by default every IPv4 address (`0.0.0.0`).
 */
export function serve(
  name: string,
  transport: Transport,
  port: number,
  address = '0.0.0.0',
): Promise<RunningServer> {
  switch (transport) {
    case 'tcp':
      return serveTcp(name, port, address)
    case 'udp':
      return serveUdp(name, port, address)
    case 'sctp':
      return Promise.resolve(serveSctp(name, port))
  }
}

/** Answers a connection with one line of JSON ({@link ServerAnswer}), then sends back whatever comes. */
async function serveTcp(name: string, port: number, address: string): Promise<RunningServer> {
  const open = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    socket.on('error', () => socket.destroy())
    const answer: ServerAnswer = {
      server: name,
      seen: plainAddress(socket.remoteAddress),
      seenPort: socket.remotePort ?? 0,
      local: plainAddress(socket.localAddress),
      localPort: socket.localPort ?? 0,
    }
    socket.write(`${JSON.stringify(answer)}\n`)
    socket.pipe(socket)
  })
  const bound = await listen(server, port, address)
  return {
    port: bound,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of open) socket.destroy()
      }),
  }
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host, backlog: 512 }, () => {
      server.off('error', reject)
      const bound = server.address()
      resolve(bound !== null && typeof bound === 'object' ? bound.port : port)
    })
  })
}

/** Answers each datagram with JSON: {@link ServerAnswer} and the datagram's text as `echo`. */
function serveUdp(name: string, port: number, address: string): Promise<RunningServer> {
  const socket: DatagramSocket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.bind({ port, address, exclusive: true }, () => {
      socket.off('error', reject)
      socket.on('error', () => {}) // an ICMP error for an answer: the next datagram is answered all the same
      const bound = socket.address()
      socket.on('message', (datagram, sender) => {
        const answer: ServerAnswer & { echo: string } = {
          server: name,
          seen: plainAddress(sender.address),
          seenPort: sender.port,
          local: bound.address,
          localPort: bound.port,
          echo: datagram.toString(),
        }
        socket.send(JSON.stringify(answer), sender.port, sender.address, () => {})
      })
      resolve({ port: bound.port, stop: () => new Promise((stopped) => socket.close(() => stopped())) })
    })
  })
}
