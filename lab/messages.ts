/**
 * What a machine and its agent say to each other: requests down, replies up, matched by `id` and discriminated
 * by `call`.
 */

export type Transport = 'tcp' | 'udp' | 'sctp'

/** What a server of the lab answers to whoever reaches it. */
export interface ServerAnswer {
  /** Name of the machine that answered. */
  readonly server: string
  /** The source address that the server saw; an IPv4 address in its plain form. */
  readonly seen: string
  /** The source port that the server saw. */
  readonly seenPort: number
  /** The server's own address on which it was reached; the bound address for UDP. */
  readonly local: string
  readonly localPort: number
}

/** What came of an attempt to reach a port. */
export type ProbeOutcome =
  | ({ readonly outcome: 'reached' } & ServerAnswer)
  | { readonly outcome: 'timeout' }
  | { readonly outcome: 'refused' }
  /** `error` is the errno's name: EHOSTUNREACH, ENETUNREACH, EPERM, EADDRNOTAVAIL, ECONNRESET… */
  | { readonly outcome: 'unreachable'; readonly error: string }

/** What came of sending on a connection that is held open. */
export type SendOutcome = 'echo' | 'timeout' | 'reset'

/** What came of an echo request. Who answered, and which source it saw, is told by the arrivals of the machines. */
export type PingOutcome =
  | { readonly outcome: 'reached' }
  | { readonly outcome: 'timeout' }
  | { readonly outcome: 'unreachable'; readonly error: string }

/** An echo request that reached a machine. */
export interface PingArrival {
  readonly token: string
  /** The source address. */
  readonly seen: string
}

/** An address and port to reach, and how. */
export interface Target {
  readonly transport: Transport
  readonly address: string
  readonly port: number
  readonly timeoutMs: number
  /** Source address and port to send from; the kernel's choice when they are left out. */
  readonly localAddress?: string | undefined
  readonly localPort?: number | undefined
}

export type AgentRequest =
  | {
      readonly call: 'serve'
      readonly transport: Transport
      readonly port: number
      readonly address?: string | undefined
    }
  | { readonly call: 'stop'; readonly transport: Transport; readonly port: number }
  | ({ readonly call: 'probe' } & Target)
  | ({ readonly call: 'hold' } & Target)
  | { readonly call: 'send'; readonly connection: number; readonly text: string; readonly timeoutMs: number }
  | { readonly call: 'release'; readonly connection: number }
  /** Everything of before is closed; the thread is another machine from now on, in another namespace. */
  | { readonly call: 'enter'; readonly name: string; readonly namespaceFd: number }
  | { readonly call: 'listenForPings' }
  | { readonly call: 'ping'; readonly address: string; readonly token: string; readonly timeoutMs: number }
  | { readonly call: 'takePings' }

export type AgentReply =
  | { readonly call: 'serve'; readonly port: number }
  | { readonly call: 'stop' }
  | { readonly call: 'probe'; readonly result: ProbeOutcome }
  | { readonly call: 'hold'; readonly result: ProbeOutcome; readonly connection: number }
  | { readonly call: 'send'; readonly result: SendOutcome }
  | { readonly call: 'release' }
  | { readonly call: 'enter' }
  | { readonly call: 'listenForPings' }
  | { readonly call: 'ping'; readonly result: PingOutcome }
  | { readonly call: 'takePings'; readonly arrived: readonly PingArrival[] }
  | { readonly call: 'failed'; readonly message: string; readonly code: string }

export type AgentCall = AgentRequest['call']
export type RequestOf<K extends AgentCall> = Extract<AgentRequest, { call: K }>
export type ReplyOf<K extends AgentCall> = Extract<AgentReply, { call: K }>

/** From the machine to its agent. */
export interface RequestMessage {
  readonly id: number
  readonly request: AgentRequest
}

/** From the agent to its machine: once `ready` (or `broken`), then an answer to each request. */
export type AgentMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'broken'; readonly message: string }
  | { readonly kind: 'reply'; readonly id: number; readonly reply: AgentReply }

/** What the agent is started with. */
export interface AgentStart {
  readonly name: string
  /** Descriptor of the namespace that the agent's thread enters; owned by the machine. */
  readonly namespaceFd: number
  /** Whether the thread will enter further namespaces. Default: false. */
  readonly moves?: boolean
}
