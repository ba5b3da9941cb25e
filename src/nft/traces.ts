import { checkObject } from '../input.js'
import type { Outcome, SocketHandle } from '../native/addon.js'
import { EventStream } from '../native/event-stream.js'
import { errorOfAll, failed } from '../native/failure.js'
import type { NftTraceRecord } from '../native/records.js'
import { unpack } from '../native/unpack.js'
import type { Namespace } from '../netns/index.js'
import { readFamily, readVerdict } from './decompile/index.js'
import { listRuleset, readGeneration } from './list.js'
import type { Family, Policy, Rule, Verdict } from './model/index.js'
import { readPacket, type TracedPacket } from './trace-packet.js'

export type { TracedPacket } from './trace-packet.js'

/** A verdict as a trace tells it: those of rules, and what else may become of a packet. */
export type TracedVerdict =
  | Verdict
  /** The comparison that ends the rule. */
  | { readonly break: null }
  | { readonly queue: { readonly num: number } }
  | { readonly stolen: null }
  | { readonly repeat: null }
  /** A code that the library does not know. */
  | { readonly code: number }

/** Connection tracking's view of a traced packet. Kernel 6.16. */
export interface TracedConnection {
  readonly id?: number
  readonly direction?: 'original' | 'reply'
  /** IPS_* of linux/netfilter/nf_conntrack_common.h */
  readonly status?: number
  /** NF_CT_STATE_*: bits as `ct state` has them. */
  readonly state?: number
}

/** What all messages about a packet have. */
export interface TraceStep {
  /** Equal for all messages about one packet at one hook. */
  readonly id: number
  /** Of the chain's table. */
  readonly family: Family
  readonly table: string
  readonly chain: string
  /** The packet's own family in tables that see several: NFPROTO_* (2: IPv4, 10: IPv6). */
  readonly nfproto?: number
  /** Indexes of the interfaces. */
  readonly iif?: number
  readonly oif?: number
  /** The packet's mark, unless it is 0. */
  readonly mark?: number
  /** With the first message about a packet at a hook. */
  readonly packet?: TracedPacket
  readonly ct?: TracedConnection
}

/** A step of a packet with `meta nftrace set 1` on its way through the chains, discriminated by `kind`. */
export type NftTrace =
  /** A rule matched and said something. */
  | (TraceStep & {
      readonly kind: 'rule'
      /** The rule's handle. */
      readonly handle: number
      /** The rule itself, with `rules` asked for and if it is still there. */
      readonly rule?: Rule
      readonly verdict: TracedVerdict
    })
  /** The chain has no more rules, and none has decided. Not all kernels say so; `nft monitor trace` does not print it. */
  | (TraceStep & { readonly kind: 'end'; readonly verdict: TracedVerdict })
  /** The end of a chain, or a `return`, leads back to where the packet came from. */
  | (TraceStep & { readonly kind: 'return'; readonly verdict: TracedVerdict })
  /** The end of a base chain: its policy decides. */
  | (TraceStep & { readonly kind: 'policy'; readonly policy: Policy })
  /** A message that this library does not understand. */
  | { readonly kind: 'other'; readonly record: NftTraceRecord }
  /** Messages were lost, by the kernel or because nobody took them. */
  | { readonly kind: 'lost' }

/** How {@link Nft.traces} goes about it. */
export interface TraceOptions {
  /** Look up the rules that traces name. Costs a question to the kernel for each. Default: false. */
  readonly rules?: boolean
  /** How many messages wait for the program before they are given up for one `lost`. Default 16384. */
  readonly limit?: number
}

/** NFNLGRP_NFTRACE of linux/netfilter/nfnetlink_compat.h */
const TRACE_GROUP = 9
const operation = 'nft.traces'

/**
 * The traces of a namespace's packets, as an async iterator. It is subscribed from the moment it exists; leaving the loop,
 * or {@link close}, ends the subscription.
 */
export class NftTraces implements AsyncIterableIterator<NftTrace> {
  readonly #stream: EventStream<NftTrace>
  readonly #rules: RuleLookup | undefined
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(options: TraceOptions, rules: RuleLookup | undefined) {
    this.#stream = new EventStream<NftTrace>(options.limit, { kind: 'lost' }, operation)
    this.#rules = rules
  }

  /** Subscribes. For {@link Nft.traces}. */
  static async open(namespace: Namespace, options: TraceOptions): Promise<NftTraces> {
    checkObject(options, ['rules', 'limit'], operation, '')
    const socket = options.rules ? await namespace.openSocket('netfilter', operation) : undefined
    const traces = new NftTraces(options, socket && new RuleLookup(socket))
    try {
      traces.#stream.attach(
        await namespace.openMonitor(
          'netfilter',
          [TRACE_GROUP],
          (outcome) => traces.#receive(outcome),
          operation,
        ),
      )
      return traces
    } catch (error) {
      traces.close()
      throw error
    }
  }

  /** How many messages wait to be taken. */
  get waiting(): number {
    return this.#stream.waiting
  }

  /** The next step. @throws NfbridgeError when the subscription broke */
  next(): Promise<IteratorResult<NftTrace>> {
    const rules = this.#rules
    if (rules === undefined) return this.#stream.next()
    const result = this.#turn.then(async () => {
      const next = await this.#stream.next()
      return next.done || next.value.kind !== 'rule'
        ? next
        : { done: false, value: await rules.complete(next.value) }
    })
    this.#turn = result.catch(() => {})
    return result
  }

  /** Ends the subscription; what waits for a message gets the end. */
  return(): Promise<IteratorResult<NftTrace>> {
    this.close()
    return Promise.resolve({ done: true, value: undefined })
  }

  /** Ends the subscription. Closing twice is the same as closing once. */
  close(): void {
    this.#stream.close()
    this.#rules?.close()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #receive(outcome: Outcome<ArrayBuffer>): void {
    const stream = this.#stream
    if (stream.ended) return
    if (failed(outcome)) {
      if (outcome[0]?.reason === 'overflow') stream.lose()
      else stream.fail(errorOfAll(outcome, operation))
      return
    }
    for (const message of unpack(outcome))
      if (message.name === 'nftTrace') stream.put(readTrace(message.record))
  }
}

/** Finds the rules that traces name. Handles stay when rules are replaced: what was listed holds for its generation. */
class RuleLookup {
  readonly #socket: SocketHandle
  #generation = 0
  #chains = new Map<string, ReadonlyMap<number, Rule>>()

  constructor(socket: SocketHandle) {
    this.#socket = socket
  }

  async complete(trace: NftTrace & { readonly kind: 'rule' }): Promise<NftTrace> {
    const { family, table, chain } = trace
    const generation = await readGeneration(this.#socket)
    if (generation !== this.#generation) this.#chains = new Map()
    this.#generation = generation
    const key = `${family} ${table} ${chain}`
    let rules = this.#chains.get(key)
    if (rules === undefined) {
      const { nftables } = await listRuleset(this.#socket, { family, table, chain, kinds: ['rule'] })
      rules = new Map(
        nftables.flatMap((object) => ('rule' in object ? [[object.rule.handle ?? 0, object.rule]] : [])),
      )
      this.#chains.set(key, rules)
    }
    const rule = rules.get(trace.handle)
    return rule === undefined ? trace : { ...trace, rule }
  }

  close(): void {
    this.#socket.close()
  }
}

/** NFT_TRACETYPE_* of linux/netfilter/nf_tables.h */
const TraceTypes = { policy: 1, return: 2, rule: 3 } as const

/** A message of the kernel as a step. */
export function readTrace(record: NftTraceRecord): NftTrace {
  const family = readFamily(record.family)
  const { table, chain, id } = record
  if (!family || table === undefined || chain === undefined || id === undefined || record.opaque)
    return { kind: 'other', record }
  const { nfproto, iif, oif, mark } = record
  const packet = readPacket(record)
  const ct = readConnection(record)
  const step: TraceStep = {
    id,
    family,
    table,
    chain,
    ...(nfproto !== undefined && { nfproto }),
    ...(iif !== undefined && { iif }),
    ...(oif !== undefined && { oif }),
    ...(mark !== undefined && { mark }),
    ...(packet && { packet }),
    ...(ct && { ct }),
  }
  const verdict = readTracedVerdict(record)
  if (record.type === TraceTypes.rule && verdict)
    return record.ruleHandle === undefined
      ? { kind: 'end', ...step, verdict }
      : { kind: 'rule', ...step, handle: Number(record.ruleHandle), verdict }
  if (record.type === TraceTypes.return && verdict) return { kind: 'return', ...step, verdict }
  if (record.type === TraceTypes.policy && record.policy !== undefined)
    return { kind: 'policy', ...step, policy: record.policy === 0 ? 'drop' : 'accept' }
  return { kind: 'other', record }
}

/** The lower bits of what leaves the rules (NF_VERDICT_MASK); those above are a queue's number. */
const verdictMask = 0xff

function readTracedVerdict({ verdict }: NftTraceRecord): TracedVerdict | undefined {
  const { code } = verdict ?? {}
  if (verdict === undefined || code === undefined) return undefined
  const known = readVerdict(verdict)
  if (known) return known
  if (code === -2) return { break: null }
  if (code < 0) return { code }
  switch (code & verdictMask) {
    case 0: // NF_DROP with an errno above it
      return { drop: null }
    case 2:
      return { stolen: null }
    case 3:
      return { queue: { num: code >>> 16 } }
    case 4:
      return { repeat: null }
    default:
      return { code }
  }
}

function readConnection(record: NftTraceRecord): TracedConnection | undefined {
  const { ctId: id, ctDirection, ctStatus: status, ctState: state } = record
  if (id === undefined && ctDirection === undefined && status === undefined && state === undefined)
    return undefined
  return {
    ...(id !== undefined && { id }),
    ...(ctDirection !== undefined && { direction: ctDirection === 0 ? 'original' : 'reply' }),
    ...(status !== undefined && { status }),
    ...(state !== undefined && { state }),
  }
}
