import { NfbridgeError } from '../errors.js'
import type { Outcome, SocketHandle } from '../native/addon.js'
import { unwrap } from '../native/failure.js'
import type { Packer } from '../native/pack.js'
import { unpack } from '../native/unpack.js'
import {
  type BatchContext,
  compileOperation,
  type DeletableObject,
  type FlushableObject,
  located,
  type Operation,
  SetScope,
  Trail,
} from './compile/index.js'
import { locateFailure } from './locate.js'
import type { MapObject, RuleObject, RulesetObject, SetObject } from './model/index.js'
import { type Prepared, PreparedRows, type Rows } from './prepare/index.js'

const operation = 'nft.commit'

/** How {@link Transaction.commit} goes about it. */
export interface CommitOptions {
  /** Ask for the handles of what is added. The kernel echoes each message then, at some 2.5 times the price. */
  readonly handles?: boolean
  /** The generation that the operations were planned for ({@link Ruleset.generation}); NFB_STALE_GENERATION if it is past. */
  readonly expectGeneration?: number
}

/** What a commit tells. */
export interface CommitResult {
  /**
   * With `handles` asked for: an entry for each operation in the order of the input, with the handle of what it added;
   * `undefined` for elements, deletions and flushes. Without: empty.
   */
  readonly handles: readonly (number | undefined)[]
}

/**
 * Operations that happen together or not at all. Objects are put in, in the order in which they shall happen; nothing is
 * checked or sent before {@link commit}. What refers to a set or map that the same transaction adds need not repeat its
 * types. A transaction can be committed again, for example after NFB_STALE_GENERATION.
 */
export class Transaction {
  readonly #socket: SocketHandle
  readonly #packer: Packer
  readonly #operations: Operation[] = []
  readonly #declared: (SetObject | MapObject)[] = []

  /** @internal Use {@link Nft.transaction}. */
  constructor(socket: SocketHandle, packer: Packer) {
    this.#socket = socket
    this.#packer = packer
  }

  /** The operations so far, in the shape of libnftables' JSON commands. */
  get operations(): readonly Operation[] {
    return this.#operations
  }

  /** Adds an object; a table, chain, set or counter that exists already (and is alike) is no error. */
  add(object: RulesetObject): this {
    this.#operations.push({ add: object })
    return this
  }

  /** Adds an object that must not exist yet: else the commit fails with NFB_EXISTS. */
  create(object: RulesetObject): this {
    this.#operations.push({ create: object })
    return this
  }

  /** Adds a rule at the beginning of its chain, or before the rule of the given handle. */
  insert(rule: RuleObject): this {
    this.#operations.push({ insert: rule })
    return this
  }

  /** Puts a rule in the place of the one with its handle. */
  replace(rule: RuleObject): this {
    this.#operations.push({ replace: rule })
    return this
  }

  /** Deletes an object, or elements of a set; NFB_MISSING if it is not there. */
  delete(object: DeletableObject): this {
    this.#operations.push({ delete: object })
    return this
  }

  /** Empties a chain or table of its rules, a set or map of its elements, or the ruleset of its tables. */
  flush(object: FlushableObject): this {
    this.#operations.push({ flush: object })
    return this
  }

  /**
   * Adds what was prepared ({@link prepare}) once for each row of values, all in this place of the transaction. The values
   * are read when it is committed. A row that is wrong fails the commit before anything is sent:
   * `operations[1].rows[17].client`. With handles asked for, the entry of this operation has that of the last rule.
   */
  addPrepared(prepared: Prepared, rows: Rows): this {
    this.#operations.push({ prepared: new PreparedRows(prepared, rows) })
    return this
  }

  /** Tells the types of a set or map that exists already, so that elements and rules need not repeat them. */
  declare(object: SetObject | MapObject): this {
    this.#declared.push(object)
    return this
  }

  /**
   * Commits on the socket's own thread: all of it or nothing.
   * @throws NfbridgeError NFB_INVALID_ARGUMENT (and other codes for names and addresses) with the path in the operations,
   * before anything is sent; NFB_EXISTS, NFB_MISSING, NFB_BUSY, NFB_REJECTED, NFB_NOT_SUPPORTED, NFB_NOT_PERMITTED with
   * the operation that the kernel refused; NFB_STALE_GENERATION; NFB_TOO_LARGE; NFB_CLOSED
   */
  async commit(options: CommitOptions = {}): Promise<CommitResult> {
    const batch = this.#compile(options)
    const outcome =
      this.#packer.count === 0
        ? undefined
        : this.#socket.transaction(this.#packer.words(), nativeOptions(options))
    return outcome === undefined ? noHandles : this.#finish(await outcome, batch, options)
  }

  /** As {@link commit}, on the calling thread: the quickest way for few operations. */
  commitSync(options: CommitOptions = {}): CommitResult {
    const batch = this.#compile(options)
    if (this.#packer.count === 0) return noHandles
    const outcome = this.#socket.transactionSync(this.#packer.words(), nativeOptions(options))
    return this.#finish(outcome, batch, options)
  }

  /** Compiles into the packer, and gives for each message the operation that it came from. */
  #compile(options: CommitOptions): readonly number[] {
    const packer = this.#packer
    packer.reset()
    const trail = new Trail()
    const scope = new SetScope()
    const owners: number[] = []
    const batch: BatchContext = { sink: packer, scope, trail, nextSetId: 0 }
    const compileOptions = { echo: options.handles ?? false }
    try {
      for (const object of this.#declared) scope.declare('set' in object ? object.set : object.map)
      trail.enter('operations')
      for (let index = 0; index < this.#operations.length; index++) {
        const one = this.#operations[index]
        if (one === undefined) continue
        trail.enter(index)
        compileOperation(batch, one, compileOptions)
        trail.leave()
        while (owners.length < packer.count) owners.push(index)
      }
    } catch (error) {
      packer.reset()
      throw this.#inOperation(located(error, operation, trail), trail)
    }
    return owners
  }

  /** An error of the packer says a path in the message only: it belongs to the operation that was being compiled. */
  #inOperation(error: unknown, trail: Trail): unknown {
    if (!(error instanceof NfbridgeError) || error.operation !== 'pack') return error
    const { code, message } = error
    return new NfbridgeError({ code, operation, message, path: trail.toString(), cause: error })
  }

  #finish(outcome: Outcome<ArrayBuffer>, owners: readonly number[], options: CommitOptions): CommitResult {
    const reply = unwrap(outcome, operation, (index, path) =>
      locateFailure(this.#operations, owners, this.#declared, index, path),
    )
    return options.handles ? { handles: readHandles(reply, owners, this.#operations.length) } : noHandles
  }
}

const noHandles: CommitResult = { handles: [] }

function nativeOptions(options: CommitOptions): { generation: number } | undefined {
  return options.expectGeneration === undefined ? undefined : { generation: options.expectGeneration }
}

function readHandles(
  reply: ArrayBuffer,
  owners: readonly number[],
  operations: number,
): (number | undefined)[] {
  const handles: (number | undefined)[] = Array.from({ length: operations }, () => undefined)
  for (const message of unpack(reply)) {
    const owner = owners[message.index]
    if (owner === undefined) continue
    switch (message.name) {
      case 'nftNewTable':
      case 'nftNewChain':
      case 'nftNewRule':
      case 'nftNewSet':
      case 'nftNewObject':
        if (message.record.handle !== undefined) handles[owner] = Number(message.record.handle)
        break
      default:
        break
    }
  }
  return handles
}
