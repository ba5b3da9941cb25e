/** The machine's side of its agent: starts the thread, asks, and matches the replies. */
import { statSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type {
  AgentCall,
  AgentMessage,
  AgentReply,
  AgentStart,
  ReplyOf,
  RequestMessage,
  RequestOf,
} from './messages.js'

interface Pending {
  resolve(reply: AgentReply): void
  reject(error: Error): void
}

export class AgentThread {
  readonly #worker: Worker
  readonly #pending = new Map<number, Pending>()
  #name: string
  #lastId = 0
  #ended = false

  private constructor(name: string, worker: Worker) {
    this.#name = name
    this.#worker = worker
  }

  /** Starts a thread in the namespace; resolves once the thread is inside. */
  static async start(start: AgentStart): Promise<AgentThread> {
    // A thread inherits the namespace of the thread that creates it. libuv creates its pool when the first job comes:
    // that must not be an agent's job, or file and DNS calls of the whole process would run in a test machine.
    await stat('/')
    const worker = new Worker(agentFile(), { workerData: start, execArgv: [], name: `agent-${start.name}` })
    const thread = new AgentThread(start.name, worker)
    await new Promise<void>((resolve, reject) => {
      worker.on('message', (message: AgentMessage) => {
        if (message.kind === 'ready') resolve()
        else if (message.kind === 'broken') reject(thread.#error(`cannot start: ${message.message}`))
        else thread.#settle(message.id, message.reply)
      })
      worker.on('error', (error) => {
        reject(error)
        thread.#end(thread.#error(`threw: ${error.message}`))
      })
      worker.on('exit', () => {
        reject(thread.#error('ended before it was ready'))
        thread.#end(thread.#error('has ended'))
      })
    }).catch(async (error) => {
      await worker.terminate()
      throw error
    })
    worker.unref() // a machine that nobody closed must not keep the program alive
    return thread
  }

  /** Asks the agent; rejects with its words, and its error's `code`, when it cannot do what was asked. */
  async ask<K extends AgentCall>(request: RequestOf<K>): Promise<ReplyOf<K>> {
    if (this.#ended) throw this.#error('has ended')
    const id = ++this.#lastId
    const message: RequestMessage = { id, request }
    const reply = await new Promise<AgentReply>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
      this.#worker.ref()
      this.#worker.postMessage(message)
    })
    if (reply.call === 'failed') throw Object.assign(this.#error(reply.message), { code: reply.code })
    if (isReplyTo(request.call, reply)) return reply
    throw this.#error(`answered ${reply.call} to ${request.call}`)
  }

  /** Closes everything that is open, and goes on as another machine in another namespace. Only one that `moves`. */
  async enter(name: string, namespaceFd: number): Promise<void> {
    this.#name = name
    await this.ask<'enter'>({ call: 'enter', name, namespaceFd })
  }

  /** Ends the thread; its sockets are closed with it. */
  async end(): Promise<void> {
    await this.#worker.terminate()
  }

  #settle(id: number, reply: AgentReply): void {
    this.#pending.get(id)?.resolve(reply)
    this.#pending.delete(id)
    if (this.#pending.size === 0) this.#worker.unref()
  }

  #end(error: Error): void {
    this.#ended = true
    for (const pending of this.#pending.values()) pending.reject(error)
    this.#pending.clear()
  }

  #error(text: string): Error {
    return new Error(`agent of machine ${this.#name}: ${text}`)
  }
}

function isReplyTo<K extends AgentCall>(call: K, reply: AgentReply): reply is ReplyOf<K> {
  return reply.call === call
}

/**
 * The compiled agent: a worker runs plain JavaScript. Next to this file when that is compiled; in build/lab when
 * vitest runs lab/*.ts from source, and then it must be as new as the source.
 */
function agentFile(): URL {
  if (!import.meta.url.endsWith('.ts')) return new URL('./agent.js', import.meta.url)
  for (const part of [
    'agent',
    'connections',
    'servers',
    'messages',
    'icmp',
    'sctp',
    'raw-socket',
    'time-limit',
  ]) {
    const source = statSync(new URL(`./${part}.ts`, import.meta.url)).mtimeMs
    const built = statSync(new URL(`../build/lab/${part}.js`, import.meta.url), {
      throwIfNoEntry: false,
    })?.mtimeMs
    if (built === undefined || built < source) {
      const path = fileURLToPath(new URL(`../build/lab/${part}.js`, import.meta.url))
      throw new Error(
        `${path} is ${built === undefined ? 'missing' : 'older than its source'}: npm run build:ts`,
      )
    }
  }
  return new URL('../build/lab/agent.js', import.meta.url)
}
