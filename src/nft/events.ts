import { checkObject } from '../input.js'
import type { Outcome, SocketHandle } from '../native/addon.js'
import { EventStream } from '../native/event-stream.js'
import { errorOfAll, failed } from '../native/failure.js'
import { inSlices } from '../native/slices.js'
import { type ReplyMessage, unpack } from '../native/unpack.js'
import { Namespace } from '../netns/index.js'
import { type Change, KnownSets, readChanges } from './changes.js'
import { interfaceIndexType } from './datatype/index.js'
import { readInterfaces, withInterfaces } from './interfaces.js'
import { listKernel } from './list.js'
import { assemble } from './list-assemble.js'
import type { Ruleset } from './model/index.js'

export type { Change, DeletedObject } from './changes.js'

/** What the kernel reports of its ruleset, discriminated by `kind`. */
export type NftEvent =
  /** What one transaction changed. */
  | {
      readonly kind: 'change'
      /** The generation that it made. */
      readonly generation: number
      /** The thread that made it, as the kernel saw it: that of an `nft`, or one of ours for what is committed here. */
      readonly process: { readonly pid: number; readonly name: string }
      readonly changes: readonly Change[]
    }
  /** Events were lost: this is the ruleset by now. Events that follow are about what happened after it. */
  | { readonly kind: 'resync'; readonly ruleset: Ruleset }

/** How {@link Nft.events} goes about it. */
export interface NftEventOptions {
  /** Begin with a snapshot (`resync`), to which the events that follow belong. Default: false. */
  readonly snapshot?: boolean
  /** How many transactions wait for the program before they are given up for a `resync`. Default 16384. */
  readonly limit?: number
}

/** NFNLGRP_NFTABLES of linux/netfilter/nfnetlink_compat.h */
export const RULESET_GROUP = 7
const operation = 'nft.events'

/** A transaction as it was told. */
interface Told {
  readonly generation: number
  readonly process: { readonly pid: number; readonly name: string }
  readonly messages: readonly ReplyMessage[]
}

/**
 * The changes of a namespace's ruleset, as an async iterator: one event for each transaction. It is subscribed from the
 * moment it exists; leaving the loop, or {@link close}, ends the subscription.
 */
export class NftEvents implements AsyncIterableIterator<NftEvent> {
  readonly #namespace: Namespace
  readonly #socket: SocketHandle
  readonly #stream: EventStream<Told | 'lost'>
  /** Messages of a transaction whose end has not come yet. */
  #open: ReplyMessage[] = []
  #sets: KnownSets = new KnownSets({ sets: [], elements: [] })
  /** What belongs to this generation, or an earlier one, is known already. */
  #generation = 0
  /** Whether the next event is a snapshot. */
  #resync: boolean
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(namespace: Namespace, socket: SocketHandle, options: NftEventOptions) {
    this.#namespace = Namespace.open(namespace)
    this.#socket = socket
    this.#stream = new EventStream<Told | 'lost'>(options.limit, 'lost', operation)
    this.#resync = options.snapshot ?? false
  }

  /** Subscribes. For {@link Nft.events}. */
  static async open(namespace: Namespace, options: NftEventOptions): Promise<NftEvents> {
    checkObject(options, ['snapshot', 'limit'], operation, '')
    const socket = await namespace.openSocket('netfilter', operation)
    const events = new NftEvents(namespace, socket, options)
    try {
      events.#stream.attach(
        await namespace.openMonitor(
          'netfilter',
          [RULESET_GROUP],
          (outcome) => events.#receive(outcome),
          operation,
        ),
      )
      // What is told is read with the sets that were there before.
      if (!events.#resync) events.#know(await listKernel(socket, { kinds: ['rule'] }))
      return events
    } catch (error) {
      events.close()
      throw error
    }
  }

  /** How many transactions wait to be taken. */
  get waiting(): number {
    return this.#stream.waiting
  }

  /**
   * The next event.
   * @throws NfbridgeError when the subscription broke; NFB_DUMP_INCONSISTENT when a snapshot could not be made because the
   * ruleset changed again and again: the next call tries again
   */
  next(): Promise<IteratorResult<NftEvent>> {
    const result = this.#turn.then(() => this.#next())
    this.#turn = result.catch(() => {})
    return result
  }

  /** Ends the subscription; what waits for an event gets the end. */
  return(): Promise<IteratorResult<NftEvent>> {
    this.close()
    return Promise.resolve({ done: true, value: undefined })
  }

  /** Ends the subscription. Closing twice is the same as closing once. */
  close(): void {
    this.#stream.close()
    this.#socket.close()
    this.#namespace.close()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  [Symbol.dispose](): void {
    this.close()
  }

  async #next(): Promise<IteratorResult<NftEvent>> {
    for (;;) {
      if (this.#resync && !this.#stream.ended) return { done: false, value: await this.#snapshot() }
      const { done, value } = await this.#stream.next()
      if (done) return { done: true, value: undefined }
      if (value === 'lost') {
        this.#resync = true
        continue
      }
      // Generations are 32 bits and begin again after the last.
      if (((value.generation - this.#generation) | 0) <= 0) continue
      const { generation, process, messages } = value
      const changes = await inSlices(readChanges(messages, this.#sets))
      return { done: false, value: { kind: 'change', generation, process, changes } }
    }
  }

  async #snapshot(): Promise<NftEvent> {
    const listed = await listKernel(this.#socket, {})
    this.#know(listed)
    this.#resync = false
    const nftables = await withInterfaces(
      () => readInterfaces(this.#namespace, operation),
      (interfaces) => inSlices(assemble(listed.kernel, {}, interfaces && interfaceIndexType(interfaces))),
    )
    return { kind: 'resync', ruleset: { generation: listed.generation, nftables } }
  }

  #know({ generation, kernel }: Awaited<ReturnType<typeof listKernel>>): void {
    this.#generation = generation
    this.#sets = new KnownSets(kernel)
  }

  #receive(outcome: Outcome<ArrayBuffer>): void {
    const stream = this.#stream
    if (stream.ended) return
    if (failed(outcome)) {
      this.#open = []
      if (outcome[0]?.reason === 'overflow') stream.lose()
      else stream.fail(errorOfAll(outcome, operation))
      return
    }
    for (const message of unpack(outcome)) {
      if (message.name !== 'nftNewGeneration') {
        this.#open.push(message)
        continue
      }
      const { id = 0, procPid = 0, procName = '' } = message.record
      stream.put({ generation: id, process: { pid: procPid, name: procName }, messages: this.#open })
      this.#open = []
    }
  }
}
