/**
 * A test machine: a network namespace of its own and a thread inside it that serves and probes ports. No process
 * is started, and the namespace has no name: nothing is left behind, not even after `kill -9`.
 */
import { Namespace } from 'nfbridge'
import { AgentThread } from './agent-thread.js'
import type { PingArrival, PingOutcome, ProbeOutcome, SendOutcome, Transport } from './messages.js'
import { bringUpLoopback } from './wiring.js'

export type {
  PingArrival,
  PingOutcome,
  ProbeOutcome,
  SendOutcome,
  ServerAnswer,
  Transport,
} from './messages.js'

/** How to probe. */
export interface ProbeOptions {
  /** How long to wait for the server's answer, in milliseconds. Default {@link PATIENCE_MS}: who expects none says so. */
  readonly timeoutMs?: number
  /** Source address; the kernel's choice by default. */
  readonly localAddress?: string
  /** Source port; the kernel's choice by default. */
  readonly localPort?: number
}

/** How to serve. */
export interface ServeOptions {
  /** Where to listen. Default `0.0.0.0`; `::` serves IPv6 and IPv4. */
  readonly address?: string
}

/** How long an answer may take that must come: for what hangs, whatever else the machine does. */
export const PATIENCE_MS = 30_000

/** How long an answer is waited for that must not come. */
export const SILENCE_MS = 300

/** How long to wait for an answer, by whether it must come. */
export function answerLimit(mustCome: boolean): number {
  return mustCome ? PATIENCE_MS : SILENCE_MS
}

/** A connection that stays open until it is closed, to see what becomes of it when rules change. */
export class HeldConnection {
  readonly #agent: AgentThread
  readonly #id: number
  /** What the server answered when the connection was made. */
  readonly result: ProbeOutcome

  constructor(agent: AgentThread, id: number, result: ProbeOutcome) {
    this.#agent = agent
    this.#id = id
    this.result = result
  }

  /** Sends a text and waits for its echo. `reset`: the connection is gone, or (UDP) an ICMP error came. */
  async send(text: string, options: { readonly timeoutMs?: number } = {}): Promise<SendOutcome> {
    const timeoutMs = options.timeoutMs ?? PATIENCE_MS
    return (await this.#agent.ask<'send'>({ call: 'send', connection: this.#id, text, timeoutMs })).result
  }

  async close(): Promise<void> {
    await this.#agent.ask<'release'>({ call: 'release', connection: this.#id })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

export class Machine {
  readonly name: string
  readonly namespace: Namespace
  readonly #agent: AgentThread
  readonly #leave: () => Promise<unknown>
  #closed: Promise<void> | undefined

  private constructor(
    name: string,
    namespace: Namespace,
    agent: AgentThread,
    leave: () => Promise<unknown> = () => agent.end(),
  ) {
    this.name = name
    this.namespace = namespace
    this.#agent = agent
    this.#leave = leave
  }

  /** A machine in a new namespace, its loopback up and nothing else in it. */
  static async create(name: string): Promise<Machine> {
    const namespace = await Namespace.create()
    try {
      const [agent] = await Promise.all([
        AgentThread.start({ name, namespaceFd: namespace.fd }),
        bringUpLoopback({ namespace }),
      ])
      return new Machine(name, namespace, agent)
    } catch (error) {
      namespace.close()
      throw error
    }
  }

  /**
   * A machine of a thread that was another one's before; see {@link MachinePool}.
   * @param leave what becomes of the thread when the machine is closed
   */
  static async createWith(name: string, agent: AgentThread, leave: () => Promise<unknown>): Promise<Machine> {
    const namespace = await Namespace.create()
    try {
      await Promise.all([agent.enter(name, namespace.fd), bringUpLoopback({ namespace })])
      return new Machine(name, namespace, agent, leave)
    } catch (error) {
      namespace.close()
      throw error
    }
  }

  /** Several machines at once, in the order of their names. */
  static createAll(names: readonly string[]): Promise<Machine[]> {
    return Promise.all(names.map((name) => Machine.create(name)))
  }

  /** Answers on a TCP port with what it saw, then echoes; resolves with the port (0: the kernel's choice). */
  serveTcp(port: number, options: ServeOptions = {}): Promise<number> {
    return this.#serve('tcp', port, options)
  }

  /** Answers each datagram with what it saw. */
  serveUdp(port: number, options: ServeOptions = {}): Promise<number> {
    return this.#serve('udp', port, options)
  }

  /** Answers the INIT of an association (RFC 9260) with what it saw. */
  serveSctp(port: number): Promise<number> {
    return this.#serve('sctp', port, {})
  }

  /** Stops serving a port and closes its connections. */
  async stop(port: number, transport: Transport = 'tcp'): Promise<void> {
    await this.#agent.ask<'stop'>({ call: 'stop', transport, port })
  }

  /** Connects, reads the server's answer, closes. Never rejects for what the network does. */
  probeTcp(address: string, port: number, options: ProbeOptions = {}): Promise<ProbeOutcome> {
    return this.#probe('tcp', address, port, options)
  }

  /** Sends a datagram and waits for an answer from that very address and port. */
  probeUdp(address: string, port: number, options: ProbeOptions = {}): Promise<ProbeOutcome> {
    return this.#probe('udp', address, port, options)
  }

  /** Tries to set up an association: INIT, and INIT ACK by a server of the lab. */
  probeSctp(address: string, port: number, options: ProbeOptions = {}): Promise<ProbeOutcome> {
    return this.#probe('sctp', address, port, options)
  }

  /** From now on echo requests that reach this machine are recorded, for {@link takePings}. */
  async listenForPings(): Promise<void> {
    await this.#agent.ask<'listenForPings'>({ call: 'listenForPings' })
  }

  /**
   * Sends an echo request (ICMP, ICMPv6) and waits for the kernel's reply at the other end.
   * @param token 8 characters that tell this request from others, here and in {@link takePings} of who gets it
   */
  async ping(
    address: string,
    token: string,
    options: { readonly timeoutMs?: number } = {},
  ): Promise<PingOutcome> {
    const timeoutMs = options.timeoutMs ?? PATIENCE_MS
    return (await this.#agent.ask<'ping'>({ call: 'ping', address, token, timeoutMs })).result
  }

  /** The echo requests that arrived since it listens, or since the last call: who sent them. */
  async takePings(): Promise<readonly PingArrival[]> {
    return (await this.#agent.ask<'takePings'>({ call: 'takePings' })).arrived
  }

  /** Connects and keeps the connection; rejects when the server was not reached. */
  holdTcp(address: string, port: number, options: ProbeOptions = {}): Promise<HeldConnection> {
    return this.#hold('tcp', address, port, options)
  }

  /** Keeps one datagram socket, so that all its datagrams belong to one flow. */
  holdUdp(address: string, port: number, options: ProbeOptions = {}): Promise<HeldConnection> {
    return this.#hold('udp', address, port, options)
  }

  /** Ends the thread, its servers and connections, and lets go of the namespace. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#leave()
      .then(() => {})
      .finally(() => this.namespace.close())
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #serve(transport: Transport, port: number, { address }: ServeOptions): Promise<number> {
    return (await this.#agent.ask<'serve'>({ call: 'serve', transport, port, address })).port
  }

  async #probe(
    transport: Transport,
    address: string,
    port: number,
    { timeoutMs = PATIENCE_MS, localAddress, localPort }: ProbeOptions,
  ): Promise<ProbeOutcome> {
    const target = { transport, address, port, timeoutMs, localAddress, localPort }
    return (await this.#agent.ask<'probe'>({ call: 'probe', ...target })).result
  }

  async #hold(
    transport: Transport,
    address: string,
    port: number,
    { timeoutMs = PATIENCE_MS, localAddress, localPort }: ProbeOptions,
  ): Promise<HeldConnection> {
    const target = { transport, address, port, timeoutMs, localAddress, localPort }
    const { connection, result } = await this.#agent.ask<'hold'>({ call: 'hold', ...target })
    const held = new HeldConnection(this.#agent, connection, result)
    if (result.outcome === 'reached') return held
    await held.close()
    throw new Error(`${this.name} does not reach ${transport} ${address}:${port}: ${JSON.stringify(result)}`)
  }
}
