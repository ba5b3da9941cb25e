import { isDeepStrictEqual } from 'node:util'
import { NfbridgeError } from '../../errors.js'
import type { ContainerRecord, NetworkRecord } from '../plan/records.js'
import type { Registry } from '../plan/registry.js'
import {
  containerWithout,
  type Fact,
  networkWithout,
  type Records,
  revokedBy,
  withoutRevoked,
} from '../plan/revocations.js'
import type { NetworkView, ViewChange } from '../plan/view.js'
import { containerToJson } from './container-json.js'
import { networkToJson } from './network-json.js'
import type { Journal, Persistence, Remembered } from './persistence.js'
import type { RevokedMarks } from './revoked-marks.js'
import type { UserRuleSet } from './user-rules.js'

/** What of a disk that is full or read-only a file cannot be written for, whatever stands in it. */
const OF_THE_DISK: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EFBIG'])

type Marks = Pick<RevokedMarks, 'read' | 'add' | 'clear'>

/** Which records the files do not tell any more. */
interface Stale {
  readonly networks: Set<string>
  readonly containers: Set<string>
  readonly peers: Set<string>
}

/**
 * The memory of changes, which what takes something back gets by on where files cannot be written: what was revoked is noted in room
 * that was set aside, or in the kernel, and the next `open` obeys it. Whatever opens something waits until the files can be written, and
 * the note is gone.
 */
export class Revocations {
  readonly #persistence: Persistence
  readonly #registry: Registry
  readonly #marks: Marks
  readonly #stale: Stale = { networks: new Set(), containers: new Set(), peers: new Set() }
  /** What is noted, wherever. */
  readonly #facts = new Set<Fact>()
  #userRules: UserRuleSet | undefined
  #isMarked = false
  #told: NfbridgeError | undefined

  constructor(persistence: Persistence, registry: Registry, marks: Marks) {
    this.#persistence = persistence
    this.#registry = registry
    this.#marks = marks
  }

  /** What an earlier process remembered, without what it could note only. */
  async obey(remembered: Remembered): Promise<Remembered> {
    const marks = await this.#marks.read()
    const { facts, userRules } = this.#persistence.journal
    this.#isMarked = marks.length > 0
    this.#userRules = userRules
    for (const fact of [...facts, ...marks]) this.#facts.add(fact)
    if (!this.#isPending) return remembered
    const obeyed = withoutRevoked(remembered, this.#facts)
    const change = differences(remembered, obeyed)
    this.#note(change)
    try {
      await this.#settleAs(change)
    } catch (error) {
      if (!isOfTheDisk(error)) throw error
    }
    return { ...remembered, ...obeyed, ...(userRules && { userRules }) }
  }

  /** Remembers a change. @throws NfbridgeError where it cannot be remembered at all; some files may be written */
  async save(change: ViewChange, before: NetworkView): Promise<void> {
    const failure = await this.#settle()
    try {
      if (failure !== undefined && !isClosing(before, change)) throw failure
      this.#persistence.save(change)
      if (failure === undefined) return
    } catch (error) {
      if (!isOfTheDisk(error) || !isClosing(before, change)) throw error
    }
    const revoked = revokedBy(before, change)
    const known = new Set(this.#facts)
    for (const fact of revoked) this.#facts.add(fact)
    try {
      await this.#keepNote()
    } catch (error) {
      for (const fact of revoked) if (!known.has(fact)) this.#facts.delete(fact)
      throw error
    }
    this.#note(change)
  }

  /** Remembers the rules of the users; those that stand are in the kernel, whose word counts as long as it runs. */
  saveUserRules(rules: UserRuleSet): void {
    let failure: unknown
    try {
      this.#persistence.saveUserRules(rules)
      if (this.#userRules === undefined) return
    } catch (error) {
      if (!isOfTheDisk(error)) throw error
      failure = error
    }
    const former = this.#userRules
    this.#userRules = rules
    try {
      this.#persistence.journal = this.#journal
    } catch (error) {
      if (!isOfTheDisk(error)) throw error
      this.#userRules = former
      // Without a network there is no chain that holds them.
      if ([...this.#registry.networks].length === 0) throw failure ?? error
      this.#tell(failure ?? error)
    }
  }

  /** What whoever made the call should know, once. */
  takeTold(): NfbridgeError | undefined {
    const told = this.#told
    this.#told = undefined
    return told
  }

  /** Writes what could only be noted. @returns why it still can't be */
  async #settle(): Promise<unknown> {
    if (!this.#isPending) return undefined
    try {
      await this.#settleAs({
        networks: new Map([...this.#stale.networks].map((name) => [name, this.#registry.network(name)])),
        containers: new Map([...this.#stale.containers].map((id) => [id, this.#registry.container(id)])),
        peers: new Map([...this.#stale.peers].map((subnet) => [subnet, this.#registry.peer(subnet)])),
      })
      return undefined
    } catch (error) {
      if (isOfTheDisk(error)) return error
      throw error
    }
  }

  /** First the files, then the notes: killed in between, what is noted is revoked once more. */
  async #settleAs(change: ViewChange): Promise<void> {
    this.#persistence.save(change)
    if (this.#userRules) this.#persistence.saveUserRules(this.#userRules)
    this.#persistence.journal = { facts: [] }
    if (this.#isMarked) await this.#marks.clear()
    this.#isMarked = false
    this.#userRules = undefined
    this.#facts.clear()
    for (const names of Object.values(this.#stale)) names.clear()
  }

  async #keepNote(): Promise<void> {
    try {
      this.#persistence.journal = this.#journal
    } catch (error) {
      if (!isOfTheDisk(error)) throw error
      await this.#marks.add(this.#facts)
      this.#isMarked = true
      this.#tell(error)
    }
  }

  #tell(error: unknown): void {
    if (!(error instanceof NfbridgeError)) return
    this.#told = new NfbridgeError({
      code: error.code,
      operation: error.operation,
      message:
        'it is done, and the next open does not bring it back as long as this kernel runs; but it could not be written, and after a ' +
        `reboot it would be as before, unless another call was made that could be: ${error.reason}`,
      errno: error.errno,
      remaining: ['files of the state directory'],
      cause: error,
    })
  }

  #note({ networks, containers, peers }: ViewChange): void {
    for (const name of networks?.keys() ?? []) this.#stale.networks.add(name)
    for (const id of containers?.keys() ?? []) this.#stale.containers.add(id)
    for (const subnet of peers?.keys() ?? []) this.#stale.peers.add(subnet)
  }

  get #journal(): Journal {
    return { facts: [...this.#facts], ...(this.#userRules && { userRules: this.#userRules }) }
  }

  get #isPending(): boolean {
    return this.#facts.size > 0 || this.#userRules !== undefined
  }
}

function isOfTheDisk(error: unknown): boolean {
  return error instanceof NfbridgeError && OF_THE_DISK.has(error.errno)
}

/** Whether all that a change does is to take something back, so that the facts which do not hold any more tell it wholly. */
function isClosing(before: NetworkView, change: ViewChange): boolean {
  const revoked = revokedBy(before, change)
  const networks = [...(change.networks ?? [])].every(([name, network]) => {
    const former = before.network(name)
    return former ? isEqual(networkWithout(former, revoked), network, networkToJson) : network === undefined
  })
  const containers = [...(change.containers ?? [])].every(([id, container]) => {
    const former = before.container(id)
    return former
      ? isEqual(containerWithout(former, revoked), container, containerToJson)
      : container === undefined
  })
  return networks && containers && [...(change.peers ?? [])].every(([, peer]) => peer === undefined)
}

function isEqual<T extends ContainerRecord | NetworkRecord>(
  one: T | undefined,
  other: T | undefined,
  toJson: (record: T) => object,
): boolean {
  if (!one || !other) return one === other
  const text = (record: T): unknown => JSON.parse(JSON.stringify(toJson(record)))
  return isDeepStrictEqual(text(one), text(other))
}

function differences(before: Records, after: Records): ViewChange {
  const changed = <T>(had: readonly T[], has: readonly T[], keyOf: (record: T) => string) => {
    const now = new Map(has.map((record) => [keyOf(record), record]))
    return new Map(
      had
        .map((record) => [keyOf(record), now.get(keyOf(record))] as const)
        .filter(([key, record]) => {
          return had.find((each) => keyOf(each) === key) !== record
        }),
    )
  }
  return {
    networks: changed(before.networks, after.networks, ({ name }) => name),
    containers: changed(before.containers, after.containers, ({ id }) => id),
    peers: changed(before.peers, after.peers, ({ subnet }) => subnet.toString()),
  }
}
