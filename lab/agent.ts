/**
 * The thread of a test machine. It enters the machine's namespace before it does anything else; the sockets that
 * Node then opens on this thread's event loop belong to that namespace.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { type Connection, open } from './connections.js'
import { Pinger } from './icmp.js'
import type { AgentMessage, AgentReply, AgentRequest, AgentStart, RequestMessage } from './messages.js'
import { type RunningServer, serve } from './servers.js'

// Only the module that enters the namespace: the whole package would take longer to load than the thread to start.
const netnsModule = new URL('./netns/index.js', import.meta.resolve('nfbridge'))
const { Namespace }: Pick<typeof import('nfbridge'), 'Namespace'> = await import(netnsModule.href)

const { namespaceFd, moves }: AgentStart = workerData
let { name }: AgentStart = workerData
let pinger = new Pinger()
const servers = new Map<string, RunningServer>()
const connections = new Map<number, Connection>()
let lastConnection = 0

function post(message: AgentMessage): void {
  parentPort?.postMessage(message)
}

async function obey(request: AgentRequest): Promise<AgentReply> {
  switch (request.call) {
    case 'serve': {
      const server = await serve(name, request.transport, request.port, request.address)
      servers.set(`${request.transport}/${server.port}`, server)
      return { call: 'serve', port: server.port }
    }
    case 'stop': {
      const key = `${request.transport}/${request.port}`
      await servers.get(key)?.stop()
      servers.delete(key)
      return { call: 'stop' }
    }
    case 'probe': {
      const connection = await open(request)
      connection.close()
      return { call: 'probe', result: connection.result }
    }
    case 'hold': {
      const connection = await open(request)
      connections.set(++lastConnection, connection)
      return { call: 'hold', result: connection.result, connection: lastConnection }
    }
    case 'send': {
      const connection = connections.get(request.connection)
      return { call: 'send', result: (await connection?.send(request.text, request.timeoutMs)) ?? 'reset' }
    }
    case 'release':
      connections.get(request.connection)?.close()
      connections.delete(request.connection)
      return { call: 'release' }
    case 'enter': {
      await closeAll()
      name = request.name
      const namespace = Namespace.open({ fd: request.namespaceFd })
      namespace.enterWorkerThread()
      namespace.close()
      return { call: 'enter' }
    }
    case 'listenForPings':
      pinger.listen()
      return { call: 'listenForPings' }
    case 'ping': {
      const { address, token, timeoutMs } = request
      return { call: 'ping', result: await pinger.ping(address, token, timeoutMs) }
    }
    case 'takePings':
      return { call: 'takePings', arrived: pinger.takeArrived() }
  }
}

async function closeAll(): Promise<void> {
  for (const connection of connections.values()) connection.close()
  connections.clear()
  await Promise.all([...servers.values()].map((server) => server.stop()))
  servers.clear()
  pinger.close()
  pinger = new Pinger()
}

function failed(error: unknown): AgentReply {
  const message = error instanceof Error ? error.message : String(error)
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return { call: 'failed', message, code }
}

try {
  const namespace = Namespace.open({ fd: namespaceFd })
  namespace.enterWorkerThread()
  // Otherwise not closed: it goes with this thread, and to close it the addon starts a thread of its own here. For one that
  // moves it does so now, while it is where it waits: that thread would hold whatever namespace it was started in.
  if (moves) namespace.close()
  parentPort?.on('message', async ({ id, request }: RequestMessage) => {
    post({ kind: 'reply', id, reply: await obey(request).catch(failed) })
  })
  post({ kind: 'ready' })
} catch (error) {
  post({ kind: 'broken', message: error instanceof Error ? error.message : String(error) })
}
