import { checkArray } from '../input.js'
import { inputError, withInput } from '../read-input.js'
import { Commit, type CommitOptions, type CommitResult } from './commit.js'
import type { ChainRenaming, DeletableObject, FlushableObject, Operation } from './compile/index.js'
import type { Connection } from './connection.js'
import type { MapObject, RuleObject, RulesetObject, SetObject } from './model/index.js'
import { type Prepared, PreparedRows, type Rows } from './prepare/index.js'

/** How {@link Transaction.check} goes about it. */
export type CheckOptions = Pick<CommitOptions, 'expectGeneration' | 'iptables'>

/**
 * Operations that happen together or not at all. Objects are put in, in the order in which they shall happen; nothing is
 * checked or sent before {@link commit}. What refers to a set or map that the same transaction adds need not repeat its
 * types. A transaction can be committed again, for example after NFB_STALE_GENERATION.
 */
export class Transaction {
  readonly #connection: Connection
  readonly #operations: Operation[] = []
  readonly #declared: (SetObject | MapObject)[] = []

  /** @internal Use {@link Nft.transaction}. */
  constructor(connection: Connection) {
    this.#connection = connection
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

  /** Puts in operations as they are: those of `ruleset.fromJson(…)`, or of `ruleset.toOperations(await nft.list())`. */
  addAll(operations: readonly Operation[] | { readonly operations: readonly Operation[] }): this {
    // One by one, not as arguments of one call: they may be a great many.
    const all = withInput(operations, 'transaction.addAll', 'operations', () =>
      checkArray(
        'operations' in operations ? operations.operations : operations,
        'transaction.addAll',
        'operations',
      ),
    )
    for (const operation of all) this.#operations.push(operation)
    return this
  }

  /** Adds an object that must not exist yet: else the commit fails with NFB_EXISTS. */
  create(object: RulesetObject): this {
    this.#operations.push({ create: object })
    return this
  }

  /** Adds a rule at the beginning of its chain, or before the rule of the given handle, `index` or `nextTo`. */
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

  /**
   * Deletes an object, or elements of a set, where they are there (kernel 6.3); what they are in must be there. On older
   * kernels the commit fails with NFB_NOT_SUPPORTED.
   */
  destroy(object: DeletableObject): this {
    this.#operations.push({ destroy: object })
    return this
  }

  /**
   * Gives a chain the name `newname`. The kernel finds such a chain by its handle: where that is not said, `commit` looks
   * it up, and the chain must be there before the transaction.
   */
  rename(chain: ChainRenaming): this {
    this.#operations.push({ rename: { chain } })
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
    const made = withInput(rows, 'transaction.addPrepared', 'rows', () => new PreparedRows(prepared, rows))
    this.#operations.push({ prepared: made })
    return this
  }

  /** Tells the types of a set or map that exists already, so that elements and rules need not repeat them. */
  declare(object: SetObject | MapObject): this {
    this.#declared.push(object)
    return this
  }

  /**
   * Commits on the socket's own thread: all of it or nothing. What takes long to compile is compiled in slices, between
   * which the event loop has its turn; later calls on the same connection wait for it.
   * @throws NfbridgeError NFB_INVALID_ARGUMENT (and other codes for names and addresses) with the path in the operations,
   * before anything is sent, as are ranges that overlap others (NFB_EXISTS) or are not there (NFB_MISSING); NFB_EXISTS,
   * NFB_MISSING, NFB_BUSY, NFB_REJECTED, NFB_NOT_SUPPORTED, NFB_NOT_PERMITTED with
   * the operation that the kernel refused; NFB_STALE_GENERATION; NFB_TOO_LARGE, with the sizes, before anything is sent;
   * NFB_CLOSED
   */
  async commit(options: CommitOptions = {}): Promise<CommitResult> {
    try {
      return await this.#commit(options).run()
    } catch (error) {
      throw this.#refused(error, options, 'nft.commit')
    }
  }

  /**
   * As {@link commit}, on the calling thread: the quickest way for few operations. It goes before calls that wait. Sets of
   * ranges are read on that thread as well.
   */
  commitSync(options: CommitOptions = {}): CommitResult {
    try {
      return this.#commit(options).runSync()
    } catch (error) {
      throw this.#refused(error, options, 'nft.commit')
    }
  }

  /**
   * A dry run: the kernel does and validates all of it, and undoes it before anybody sees it. Neither the ruleset nor its
   * generation changes. It fails as {@link commit} would. The kernel needs some 12 ms for it; a table that a transaction
   * makes dormant no more is hooked in for that long.
   */
  async check(options: CheckOptions = {}): Promise<void> {
    try {
      await this.#commit({ ...options, dryRun: true }).run()
    } catch (error) {
      throw this.#refused(error, options, 'nft.check')
    }
  }

  /** What was put in is read where it stands. */
  #refused(error: unknown, options: CommitOptions, operation: string): unknown {
    const declared = inputError(error, this.#declared, operation, 'declared')
    return inputError(inputError(declared, options, operation, ''), this.#operations, operation, 'operations')
  }

  #commit(options: CommitOptions & { readonly dryRun?: boolean }): Commit {
    return new Commit(this.#connection, this.#operations.slice(), this.#declared.slice(), options)
  }
}
