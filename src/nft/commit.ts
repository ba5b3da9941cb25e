/** How the operations of a transaction reach the kernel: listed for, compiled, sent, and what it answers. */
import { release } from 'node:os'
import { NfbridgeError } from '../errors.js'
import { checkBoolean, checkInteger, checkIsObject, checkObject, checkOneOf } from '../input.js'
import type { Outcome } from '../native/addon.js'
import { failed, unwrap } from '../native/failure.js'
import type { Packer } from '../native/pack.js'
import { atOnce, inSlices } from '../native/slices.js'
import { unpack } from '../native/unpack.js'
import {
  compileInSteps,
  isLong,
  type Listed,
  located,
  type Operation,
  SetScope,
  sendSettled,
  Trail,
} from './compile/index.js'
import type { Connection } from './connection.js'
import { type Datatype, interfaceIndexType } from './datatype/index.js'
import { InterfacesWanted, unread } from './interfaces.js'
import { refuseUnknownKey, unknownKeyOf } from './json/unknown-keys.js'
import { lackingFeature } from './lacking-feature.js'
import { generationOf } from './list.js'
import { type Found, type Needs, needsOf, readNeeds } from './listed.js'
import { locateFailure } from './locate.js'
import type { MapObject, SetObject } from './model/index.js'
import { AlikeRules } from './prepare/index.js'
import { RangedSets } from './ranges/index.js'
import { refusedElements } from './refused-elements.js'
import { refusedInput } from './refused-input.js'
import { type Asking, ask, askSync } from './requests.js'

/** How {@link Transaction.commit} goes about it. */
export interface CommitOptions {
  /** Ask for the handles of what is added. The kernel echoes each message then, at some 2.5 times the price. */
  readonly handles?: boolean
  /** The generation that the operations were planned for ({@link Ruleset.generation}); NFB_STALE_GENERATION if it is past. */
  readonly expectGeneration?: number
  /**
   * What of interval sets the kernel cannot tell: whether ranges overlap, whether what is deleted is there, what merges.
   * `checked` (the default): the sets whose ranges change are read, unless this connection has changed them last and nobody
   * has committed since; then it is checked as `nft` does it. `trusted`: the caller answers for it, nothing is read, and
   * what overlaps may leave a hole in the set.
   */
  readonly ranges?: 'checked' | 'trusted'
  /**
   * What becomes of rules that iptables-nft can't read, in chains of its own (names in capital letters in `ip` and `ip6`
   * tables filter, nat, mangle, raw, security): `refuse` (the default) or `ignore`. {@link iptablesRule} writes them so that
   * it can.
   */
  readonly iptables?: 'refuse' | 'ignore'
}

/** What a commit tells. */
export interface CommitResult {
  /**
   * With `handles` asked for: an entry for each operation in the order of the input, with the handle of what it added;
   * `undefined` for elements, deletions and flushes. Without: empty.
   */
  readonly handles: readonly (number | undefined)[]
}

/** How often a transaction is listed for anew, when it needs that and somebody else is quicker each time. */
const attempts = 8

/** What the kernel answers, and for each message the operation that it came from. */
interface Answer {
  readonly outcome: Outcome<ArrayBuffer> | undefined
  readonly owners: readonly number[]
}

/** What is known of the ruleset while a transaction is compiled. */
interface Known {
  readonly listed?: Listed
  /** Undefined where ranges are not checked. */
  readonly ranged: RangedSets | undefined
}

/** One commit, or dry run, of what a transaction had at its call. */
export class Commit {
  readonly #connection: Connection
  readonly #operations: readonly Operation[]
  readonly #declared: readonly (SetObject | MapObject)[]
  readonly #options: CommitOptions
  readonly #dryRun: boolean
  readonly #operation: string
  /** The type iface_index with the names of the namespace. */
  #interfaces: Datatype | undefined

  constructor(
    connection: Connection,
    operations: readonly Operation[],
    declared: readonly (SetObject | MapObject)[],
    options: CommitOptions & { readonly dryRun?: boolean },
  ) {
    this.#connection = connection
    this.#operations = operations
    this.#declared = declared
    this.#options = options
    this.#dryRun = options?.dryRun ?? false
    this.#operation = this.#dryRun ? 'nft.check' : 'nft.commit'
    this.#checkInput()
  }

  /** What a caller without types may pass: looking into it must not fail by itself. */
  #checkInput(): void {
    const operation = this.#operation
    const { handles, ranges, iptables, expectGeneration } = checkObject(
      this.#options,
      ['handles', 'expectGeneration', 'ranges', 'iptables', 'dryRun'],
      operation,
      '',
    )
    if (handles !== undefined) checkBoolean(handles, operation, 'handles')
    if (ranges !== undefined) checkOneOf(ranges, ['checked', 'trusted'], operation, 'ranges')
    if (iptables !== undefined) checkOneOf(iptables, ['refuse', 'ignore'], operation, 'iptables')
    if (expectGeneration !== undefined)
      checkInteger(expectGeneration, [1, 0xffff_ffff], operation, 'expectGeneration')
    for (const [index, each] of this.#operations.entries()) {
      const objects = Object.values(checkIsObject(each, operation, `operations[${index}]`))
      for (const object of objects) {
        if (typeof object === 'object' && object !== null) continue
        const [name = ''] = Object.keys(each)
        throw new NfbridgeError({
          code: 'NFB_INVALID_ARGUMENT',
          operation: this.#operation,
          message: `an object such as { table: … } is expected, not ${object === null ? 'null' : typeof object}`,
          path: `operations[${index}].${name}`,
        })
      }
    }
  }

  async run(): Promise<CommitResult> {
    this.#interfaces = this.#connection.readInterfaces && interfaceIndexType(unread)
    const needs = this.#needs()
    if (needs !== undefined) return this.#readAndRun(needs)
    const { packer, preparing, socket } = this.#connection
    if (preparing !== undefined || isLong(this.#operations)) return this.#finish(await this.#send())
    const owners = this.#compileAtOnce(packer)
    if (owners === undefined) return this.#finish(await this.#send())
    if (packer.count === 0) return noHandles
    const outcome = await socket.transaction(packer.words(), this.#native(this.#options.expectGeneration))
    return this.#finish({ outcome, owners })
  }

  runSync(): CommitResult {
    const needs = this.#needs()
    if (needs === undefined) return this.#sendSync()
    return this.#whileStale((attempt) => {
      const found =
        (attempt === 1 ? this.#remembered(needs) : undefined) ??
        askSync(this.#connection.socket, readNeeds(needs, this.#connection.told, this.#operation))
      return this.#sendSync(found)
    })
  }

  #sendSync(found?: Found): CommitResult {
    const { packer, socket } = this.#connection
    const generation = this.#options.expectGeneration ?? found?.generation
    const ranged = found?.ranged ?? this.#freshSets()
    const confirm = () => askSync(socket, this.#confirm(found))
    let owners: readonly number[]
    try {
      owners = atOnce(this.#compile(packer, { ...found, ranged }))
    } catch (error) {
      confirm()
      throw error
    }
    if (packer.count === 0) {
      confirm()
      return noHandles
    }
    const outcome = socket.transactionSync(packer.words(), this.#native(generation))
    if (generation !== undefined && ranged !== undefined && !failed(outcome) && !this.#dryRun)
      this.#connection.ranged.keep(generation, ranged)
    return this.#finish({ outcome, owners })
  }

  /** Undefined when an interface is named: what must be read for it takes its turn. */
  #compileAtOnce(packer: Packer): readonly number[] | undefined {
    try {
      return atOnce(this.#compile(packer, { ranged: this.#freshSets() }))
    } catch (error) {
      if (error instanceof InterfacesWanted) return undefined
      throw error
    }
  }

  /** Reads the interfaces of the namespace once one is named. */
  async #compileInSlices(packer: Packer, known: () => Known): Promise<readonly number[]> {
    const { readInterfaces } = this.#connection
    try {
      return await inSlices(this.#compile(packer, known()))
    } catch (error) {
      if (!(error instanceof InterfacesWanted) || readInterfaces === undefined) throw error
    }
    this.#interfaces = interfaceIndexType(await readInterfaces())
    return inSlices(this.#compile(packer, known()))
  }

  /** Undefined when nothing must be read. */
  #needs(): Needs | undefined {
    return needsOf(this.#operations, this.#declared, this.#connection.told, this.#checksRanges)
  }

  get #checksRanges(): boolean {
    return this.#options.ranges !== 'trusted'
  }

  /** For sets that the transaction itself makes. */
  #freshSets(): RangedSets | undefined {
    return this.#checksRanges ? new RangedSets() : undefined
  }

  /** What is remembered of an earlier commit, if that is all that must be known. */
  #remembered(needs: Needs): Found | undefined {
    if (needs.handles.size + needs.orders.size > 0) return undefined
    const found = this.#connection.ranged.find(needs.sets.keys())
    return found && { generation: found.generation, ranged: new RangedSets(found.sets) }
  }

  /** Reads, compiles and sends for the generation that was read; begins anew when that is past. */
  async #readAndRun(needs: Needs): Promise<CommitResult> {
    for (let attempt = 1; ; attempt++) {
      try {
        return this.#finish(await this.#send({ needs, attempt }))
      } catch (error) {
        if (!this.#mayRetry(error, attempt)) throw error
      }
    }
  }

  #whileStale<T>(work: (attempt: number) => T): T {
    for (let attempt = 1; ; attempt++) {
      try {
        return work(attempt)
      } catch (error) {
        if (!this.#mayRetry(error, attempt)) throw error
      }
    }
  }

  #mayRetry(error: unknown, attempt: number): boolean {
    const stale = error instanceof NfbridgeError && error.code === 'NFB_STALE_GENERATION'
    return stale && this.#options.expectGeneration === undefined && attempt < attempts
  }

  /** In its turn, with a packer of its own, because others may have theirs in between. */
  #send(reading?: { readonly needs: Needs; readonly attempt: number }): Promise<Answer> {
    const connection = this.#connection
    const { socket } = connection
    return connection.inOrder(async () => {
      const found = reading && (await this.#read(reading.needs, reading.attempt))
      const generation = this.#options.expectGeneration ?? found?.generation
      const packer = connection.takePacker()
      const confirm = () => ask(socket, this.#confirm(found))
      let ranged: RangedSets | undefined
      let owners: readonly number[]
      try {
        owners = await this.#compileInSlices(packer, () => {
          // Compiled twice, it must begin with what was read twice.
          ranged = found ? new RangedSets(found.ranged.sets) : this.#freshSets()
          return { ...found, ranged }
        })
      } catch (error) {
        await confirm()
        throw error
      }
      if (packer.count === 0) {
        await confirm()
        return { call: Promise.resolve({ outcome: undefined, owners }) }
      }
      const outcome = socket.transaction(packer.words(), this.#native(generation))
      connection.giveBack(packer)
      if (generation !== undefined && ranged !== undefined && !this.#dryRun)
        connection.ranged.follow(
          generation,
          ranged,
          outcome.then((settled) => !failed(settled)),
        )
      return { call: outcome.then((settled) => ({ outcome: settled, owners })) }
    })
  }

  async #read(needs: Needs, attempt: number): Promise<Found> {
    const { ranged, socket, told } = this.#connection
    if (attempt === 1) {
      await ranged.idle
      const found = this.#remembered(needs)
      if (found !== undefined) return found
    }
    return ask(socket, readNeeds(needs, told, this.#operation))
  }

  /** Where nothing is sent, the kernel cannot say that what was read, or remembered, is past. */
  *#confirm(found: Found | undefined): Asking<void> {
    if (found?.generation === undefined) return
    if ((yield* generationOf(this.#operation)) === found.generation) return
    throw new NfbridgeError({
      code: 'NFB_STALE_GENERATION',
      operation: this.#operation,
      message: 'the ruleset has changed since it was read: try again',
    })
  }

  #native(generation: number | undefined): { generation?: number; dryRun?: boolean } | undefined {
    if (generation === undefined && !this.#dryRun) return undefined
    return { ...(generation !== undefined && { generation }), ...(this.#dryRun && { dryRun: true }) }
  }

  /** Compiles into the packer, and gives for each message the operation that it came from. */
  *#compile(packer: Packer, { listed, ranged }: Known): Generator<undefined, readonly number[], undefined> {
    packer.reset()
    const trail = new Trail()
    const scope = new SetScope()
    const owners: number[] = []
    const { told } = this.#connection
    const interfaces = this.#interfaces
    const { iptables } = this.#options
    const batch = { sink: packer, scope, trail, nextSetId: 0, listed, told, ranged, interfaces, iptables }
    const options = { echo: this.#options.handles ?? false }
    // Where places are counted, each rule must be seen by itself.
    const alike =
      listed === undefined && isLong(this.#operations) ? new AlikeRules(batch, options.echo) : undefined
    const settle = (which: 'early' | 'all'): void => {
      for (const settled of ranged?.settle(which) ?? []) {
        alike?.flush()
        sendSettled(packer, settled)
        while (owners.length < packer.count) owners.push(settled.operation)
      }
    }
    try {
      for (const object of this.#declared) scope.declare('set' in object ? object.set : object.map)
      trail.enter('operations')
      for (let index = 0; index < this.#operations.length; index++) {
        const one = this.#operations[index]
        if (one === undefined) continue
        if (ranged !== undefined) {
          ranged.operation = index
          if (!changesElements(one)) settle('prepared' in one ? 'all' : 'early')
        }
        if (alike?.take(one)) {
          owners.push(index)
          if (index % 64 === 0) yield
          continue
        }
        alike?.flush()
        trail.enter(index)
        refuseUnknownKey(yield* unknownKeyOf(one), trail)
        yield* compileInSteps(batch, one, options)
        trail.leave()
        while (owners.length < packer.count) owners.push(index)
        yield
      }
      alike?.flush()
      settle('all')
    } catch (error) {
      packer.reset()
      throw this.#inOperation(located(error, this.#operation, trail), trail)
    }
    return owners
  }

  /** An error of the packer says a path in the message only: it belongs to the operation that was being compiled. */
  #inOperation(error: unknown, trail: Trail): unknown {
    if (!(error instanceof NfbridgeError) || error.operation !== 'pack') return error
    const { code, message } = error
    return new NfbridgeError({
      code,
      operation: this.#operation,
      message,
      path: trail.toString(),
      cause: error,
    })
  }

  #finish({ outcome, owners }: Answer): CommitResult {
    if (outcome === undefined) return noHandles
    try {
      const reply = unwrap(outcome, this.#operation, (index, path) =>
        locateFailure(this.#operations, owners, this.#declared, index, path),
      )
      if (!this.#options.handles || this.#dryRun) return noHandles
      return { handles: readHandles(reply, owners, this.#operations.length) }
    } catch (error) {
      throw (
        unknownDestroy(error, this.#operations, release()) ??
        lackingFeature(error, this.#operations) ??
        refusedElements(error, this.#operations) ??
        refusedInput(error, this.#operations, { declared: this.#declared, told: this.#connection.told }) ??
        error
      )
    }
  }
}

function changesElements(operation: Operation): boolean {
  const [object]: unknown[] = Object.values(operation)
  return typeof object === 'object' && object !== null && 'element' in object
}

const noHandles: CommitResult = { handles: [] }

/**
 * A kernel that does not know how to destroy says EINVAL and nothing more. Some that are older than 6.3 know it, so that
 * it is tried first, and the age only explains the answer.
 * @returns undefined when the error means something else
 */
export function unknownDestroy(
  error: unknown,
  operations: readonly Operation[],
  kernel: string,
): NfbridgeError | undefined {
  if (!(error instanceof NfbridgeError) || error.errno !== 'EINVAL' || error.kernelMessage !== undefined)
    return undefined
  const [, index] = /^operations\[(\d+)\]/.exec(error.path ?? '') ?? []
  const operation = index === undefined ? undefined : operations[Number(index)]
  const [major = 0, minor = 0] = kernel.split('.').map((part) => Number.parseInt(part, 10))
  if (operation === undefined || !('destroy' in operation) || major > 6 || (major === 6 && minor >= 3))
    return undefined
  return new NfbridgeError({
    code: 'NFB_NOT_SUPPORTED',
    operation: error.operation,
    message: `this kernel (${kernel}) cannot destroy, which came with 6.3: list first, and delete what is there`,
    errno: error.errno,
    path: error.path,
    cause: error,
  })
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
      case 'nftNewFlowtable':
        if (message.record.handle !== undefined) handles[owner] = Number(message.record.handle)
        break
      default:
        break
    }
  }
  return handles
}
