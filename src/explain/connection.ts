/** Whether a connection that is tracked would still be let through, were it new: for what rules allowed that are gone. */
import type { ConntrackEntry, Tuple } from '../conntrack/index.js'
import { protocolNumber } from '../conntrack/protocol.js'
import type { Hook } from '../nft/index.js'
import { type Decisive, decisiveStep, stepText } from './answer.js'
import type { HookResult } from './evaluate.js'
import { CONNECTION_STATUS, type Packet, type PacketTuple, PROTOCOL_NUMBERS } from './packet.js'
import { hasAddress, type NamespaceState } from './state.js'
import type { Step } from './trace.js'

/** What the rules say of a tracked connection now. */
export interface ConnectionAnswer {
  /** `unknown`: it hangs on something that nobody can know from the connection alone. */
  readonly allowed: boolean | 'unknown'
  readonly because: string
  /** What stops it; absent where nothing does. */
  readonly decisive?: Decisive
}

/**
 * Evaluates a connection as its first packet, in its original direction, with the translation that it has: what is
 * asked is whether it may go on, not where a new one would go. Its way is that of the addresses by the listed routes.
 */
export function evaluateConnection(
  state: NamespaceState,
  entry: ConntrackEntry,
  isOwn?: (step: Step) => boolean,
): ConnectionAnswer {
  const original = tupleFrom(entry.original)
  const reply = tupleFrom(entry.reply)
  const way = wayOf(state, original, reply)
  let packet: Packet = {
    family: original.source.includes(':') ? 'ip6' : 'ip',
    ...original,
    ...way.devices,
    mark: entry.mark,
    ...(entry.original.icmp && { icmpType: entry.original.icmp.type, icmpCode: entry.original.icmp.code }),
    ...(original.protocol === PROTOCOL_NUMBERS.tcp && { tcpFlags: TCP_SYN }),
    ...(original.protocol === PROTOCOL_NUMBERS.sctp && { sctpChunk: 'init' as const }),
    connection: {
      state: 'new',
      status: statusOf(entry),
      direction: 'original',
      original,
      reply,
      mark: entry.mark,
      zone: entry.zone,
      settled: ['source', 'destination'],
    },
  }
  for (const hook of way.hooks) {
    if (hook !== 'prerouting' && hook !== 'output') packet = destined(packet, reply)
    const result = state.evaluator.hook({ layer: packet.family === 'ip6' ? 'ip6' : 'ip', hook }, packet)
    if (result.verdict !== 'accept') return stopped(state.name, hook, result, isOwn)
    packet = result.packet
  }
  return { allowed: true, because: `no rule of ${state.name} stops it` }
}

const TCP_SYN = 0x02

interface Way {
  readonly hooks: readonly Hook[]
  readonly devices: Pick<Packet, 'inputDevice' | 'outputDevice'>
}

/** The hooks that the connection's packets pass: what is this namespace's own is neither received nor sent on. */
function wayOf(state: NamespaceState, original: PacketTuple, reply: PacketTuple): Way {
  const { environment } = state.evaluator
  const sends = hasAddress(state, original.source) || environment.addressType(original.source) === 'local'
  const takes = hasAddress(state, reply.source) || environment.addressType(reply.source) === 'local'
  const input = sends ? null : environment.deviceTowards(original.source)
  const output = takes ? null : environment.deviceTowards(reply.source)
  return {
    hooks: [
      sends ? 'output' : 'prerouting',
      ...(takes ? (['input'] as const) : sends ? [] : (['forward'] as const)),
      ...(takes ? [] : (['postrouting'] as const)),
    ],
    devices: { ...(input && { inputDevice: input }), ...(output && { outputDevice: output }) },
  }
}

/** The packet on its way to the one who answers. */
function destined(packet: Packet, { source, sourcePort }: PacketTuple): Packet {
  return { ...packet, destination: source, ...(sourcePort !== undefined && { destinationPort: sourcePort }) }
}

function stopped(
  namespace: string,
  hook: Hook,
  { verdict, decisive: step, undecided, undecidedRule: rule }: HookResult,
  isOwn: ((step: Step) => boolean) | undefined,
): ConnectionAnswer {
  if (verdict !== 'drop' && verdict !== 'reject')
    return {
      allowed: 'unknown',
      because: `at ${hook} it hangs on ${undecided.join('; ')}`,
      decisive: { kind: 'unknown', namespace, hook, statements: undecided, ...(rule && { rule }) },
    }
  if (step === undefined) return { allowed: false, because: `at ${hook} it is stopped` }
  return {
    allowed: false,
    because: `at ${hook}, ${stepText(step)} stops it`,
    decisive: decisiveStep(namespace, hook, step, isOwn),
  }
}

function tupleFrom({ source, destination, protocol, sourcePort, destinationPort }: Tuple): PacketTuple {
  return {
    source: source.toString(),
    destination: destination.toString(),
    protocol: protocolNumber(protocol) ?? 0,
    ...(sourcePort !== undefined && { sourcePort }),
    ...(destinationPort !== undefined && { destinationPort }),
  }
}

function statusOf({ status }: ConntrackEntry): number {
  return (
    (status.includes('snat') ? CONNECTION_STATUS.sourceTranslated : 0) |
    (status.includes('dnat') ? CONNECTION_STATUS.destinationTranslated : 0)
  )
}
