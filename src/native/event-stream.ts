/** The queue between a monitor, which delivers when it likes, and a loop that takes. */

import { checkInteger } from '../input.js'

/** How many events wait for a program unless it says otherwise. */
const defaultEventLimit = 16_384

/**
 * Events as an async iterator with a bounded queue. When it is full, or events were lost before they came here, all that
 * waits is given up for one `lost`: whoever hears that lists again, and what waited from before is of no use then.
 */
export class EventStream<T> implements AsyncIterableIterator<T> {
  readonly #limit: number
  readonly #lost: T
  #source: { close(): void } | undefined
  #queue: T[] = []
  /** How many events at the front of the queue were taken already. */
  #taken = 0
  #waiting: PromiseWithResolvers<IteratorResult<T>>[] = []
  #failure: unknown
  #ended = false

  /** @throws NfbridgeError NFB_INVALID_ARGUMENT for a `limit` that is no number of events */
  constructor(limit: number | undefined, lost: T, operation: string) {
    this.#limit = checkInteger(limit ?? defaultEventLimit, [1, Number.MAX_SAFE_INTEGER], operation, 'limit')
    this.#lost = lost
  }

  /** What to close at the end. */
  attach(source: { close(): void }): void {
    if (this.#ended) source.close()
    else this.#source = source
  }

  /** How many events wait to be taken. */
  get waiting(): number {
    return this.#queue.length - this.#taken
  }

  /** Whether nothing will come any more. */
  get ended(): boolean {
    return this.#ended
  }

  /** The next event. @throws NfbridgeError when the subscription broke; events may be had from a new one */
  next(): Promise<IteratorResult<T>> {
    const event = this.#queue[this.#taken]
    if (event !== undefined) {
      this.#taken++
      if (this.#taken === this.#queue.length) {
        this.#queue = []
        this.#taken = 0
      }
      return Promise.resolve({ done: false, value: event })
    }
    if (this.#failure !== undefined) {
      const failure = this.#failure
      this.#failure = undefined
      return Promise.reject(failure)
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined })
    const waiting = withResolvers<IteratorResult<T>>()
    this.#waiting.push(waiting)
    return waiting.promise
  }

  /** Ends the subscription; what waits for an event gets the end. */
  return(): Promise<IteratorResult<T>> {
    this.close()
    return Promise.resolve({ done: true, value: undefined })
  }

  /** Ends the subscription. Closing twice is the same as closing once. */
  close(): void {
    this.#queue = []
    this.#taken = 0
    this.#end()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** An event came. */
  put(event: T): void {
    const waiting = this.#waiting.shift()
    if (waiting !== undefined) waiting.resolve({ done: false, value: event })
    else if (this.waiting < this.#limit) this.#queue.push(event)
    else this.lose()
  }

  /** Events were lost. */
  lose(): void {
    this.#queue = []
    this.#taken = 0
    this.put(this.#lost)
  }

  /** The subscription broke: what waits is taken first. */
  fail(failure: unknown): void {
    this.#failure = failure
    this.#end()
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#source?.close()
    const waiting = this.#waiting
    this.#waiting = []
    for (const each of waiting) {
      if (this.#failure === undefined) each.resolve({ done: true, value: undefined })
      else each.reject(this.#failure)
    }
    if (waiting.length > 0) this.#failure = undefined
  }
}

interface PromiseWithResolvers<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
  readonly reject: (reason: unknown) => void
}

/** Promise.withResolvers of ES2024, which Node.js 20 lacks. */
function withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve: (value: T) => void = () => {}
  let reject: (reason: unknown) => void = () => {}
  const promise = new Promise<T>((accept, refuse) => {
    resolve = accept
    reject = refuse
  })
  return { promise, resolve, reject }
}
