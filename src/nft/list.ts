/** Listing: the kernel's ruleset, or a part of it, as one consistent snapshot. */
import { NfbridgeError } from '../errors.js'
import { checkObject } from '../input.js'
import type { SocketHandle } from '../native/addon.js'
import { failed, unwrap } from '../native/failure.js'
import { MessageFlag, Packer } from '../native/pack.js'
import type { MessageName, MessageRecords } from '../native/records.js'
import { inSlices, picked } from '../native/slices.js'
import { type ReplyMessage, unpack } from '../native/unpack.js'
import { isAnonymous } from './decompile/index.js'
import { familyNumbers } from './kernel/constants.js'
import { assemble, isInScope, type KernelRuleset } from './list-assemble.js'
import type { Family, Ruleset } from './model/index.js'

/** A kind of object in a listing. `set` stands for maps as well, `object` for counters and what is like them. */
export type ListedKind = 'table' | 'chain' | 'rule' | 'set' | 'object'

/** Which part of the ruleset; what is left out is not restricted. The kernel filters where it can. */
export interface ListFilter {
  readonly family?: Family
  readonly table?: string
  /** The chain of this name and its rules; of other chains and rules none. */
  readonly chain?: string
  /** The set or map of this name; of others none. */
  readonly set?: string
  /** Only objects of these kinds. */
  readonly kinds?: readonly ListedKind[]
  /** Whether sets and maps are listed with their elements; default true. */
  readonly elements?: boolean
}

/** How often a listing begins anew because somebody changed the ruleset meanwhile. */
const attempts = 8
const operation = 'nft.list'
const ENOENT = 2

/**
 * Lists the ruleset as it was at one moment.
 * @throws NfbridgeError NFB_DUMP_INCONSISTENT when it changed during each of several attempts; NFB_NOT_PERMITTED,
 * NFB_CLOSED
 */
export async function listRuleset(socket: SocketHandle, filter: ListFilter = {}): Promise<Ruleset> {
  checkObject(filter, ['family', 'table', 'chain', 'set', 'kinds', 'elements'], operation, 'filter')
  for (let attempt = 0; attempt < attempts; attempt++) {
    const before = await readGeneration(socket)
    const ruleset = await new Lister(socket, filter).read()
    const after = await readGeneration(socket)
    if (before === after) return { generation: before, nftables: await inSlices(assemble(ruleset, filter)) }
  }
  throw new NfbridgeError({
    code: 'NFB_DUMP_INCONSISTENT',
    operation,
    message: `the ruleset changed during each of ${attempts} listings: try again`,
  })
}

/** The number that the kernel counts up with each change of the namespace's ruleset. */
export async function readGeneration(socket: SocketHandle): Promise<number> {
  const packer = new Packer()
  packer.add('nftGetGeneration', 0, {})
  for (const message of unpack(unwrap(await socket.request(packer.words()), operation)))
    if (message.name === 'nftNewGeneration' && message.record.id !== undefined) return message.record.id
  throw new NfbridgeError({ code: 'NFB_INTERNAL', operation, message: 'the kernel told no generation' })
}

/** The dumps that one listing needs. They run one after the other on the socket's thread, without waiting for us. */
class Lister {
  readonly #socket: SocketHandle
  readonly #filter: ListFilter

  constructor(socket: SocketHandle, filter: ListFilter) {
    this.#socket = socket
    this.#filter = filter
  }

  async read(): Promise<KernelRuleset> {
    const { chain, set } = this.#filter
    const whole = chain === undefined && set === undefined
    const wants = {
      tables: whole && this.#wants('table'),
      chains: set === undefined && this.#wants('chain'),
      rules: set === undefined && this.#wants('rule'),
      sets: chain === undefined && this.#wants('set'),
      objects: whole && this.#wants('object'),
    }
    const [tables, chains, sets, objects, flowtables, rules] = await Promise.all([
      wants.tables ? this.#dump('nftGetTable', this.#family(), tableOf) : [],
      wants.chains ? this.#dump('nftGetChain', this.#family(), chainOf) : [],
      // Rules need the sets that they look up, of which those without a name are a part of the rule.
      wants.rules || wants.sets ? this.#dump('nftGetSet', this.#table(), setOf) : [],
      wants.objects ? this.#dump('nftGetObject', this.#table(), objectOf) : [],
      wants.objects ? this.#dump('nftGetFlowtable', this.#table(), flowtableOf) : [],
      wants.rules
        ? this.#dump('nftGetRule', { ...this.#table(), ...(chain !== undefined && { chain }) }, ruleOf)
        : [],
    ])
    const wanted = sets.filter(
      (record) => isInScope(record, this.#filter) && this.#wantsElements(record, wants.rules, wants.sets),
    )
    const lists = await Promise.all(
      wanted.map(({ family, table, name }) =>
        this.#dump(
          'nftGetElement',
          {
            ...(family !== undefined && { family }),
            ...(table !== undefined && { table }),
            ...(name !== undefined && { set: name }),
          },
          elementsOf,
        ),
      ),
    )
    return {
      tables,
      chains,
      sets,
      listsSets: wants.sets,
      elements: lists.flat(),
      objects,
      flowtables,
      rules,
    }
  }

  #wants(kind: ListedKind): boolean {
    return this.#filter.kinds === undefined || this.#filter.kinds.includes(kind)
  }

  #wantsElements(record: MessageRecords['nftNewSet'], rules: boolean, sets: boolean): boolean {
    if (isAnonymous(record)) return rules
    const { set, elements = true } = this.#filter
    return sets && elements && (set === undefined || set === record.name)
  }

  #family(): { readonly family?: number } {
    const { family } = this.#filter
    return family === undefined ? {} : { family: familyNumbers[family] }
  }

  /** The kernel finds a table by its name only together with its family. */
  #table(): { readonly family?: number; readonly table?: string } {
    const { family, table } = this.#filter
    return family !== undefined && table !== undefined ? { ...this.#family(), table } : this.#family()
  }

  /** One dump; empty when the table or set that it names is not there. */
  async #dump<K extends MessageName, R>(
    name: K,
    record: MessageRecords[K],
    pick: (message: ReplyMessage) => R | undefined,
  ): Promise<R[]> {
    const packer = new Packer()
    packer.add(name, MessageFlag.dump, record)
    const outcome = await this.#socket.dump(packer.words())
    if (failed(outcome) && outcome[0]?.reason === 'kernel' && outcome[0].errno === ENOENT) return []
    return inSlices(picked(unpack(unwrap(outcome, operation)), pick))
  }
}

const tableOf = (message: ReplyMessage): MessageRecords['nftNewTable'] | undefined =>
  message.name === 'nftNewTable' ? message.record : undefined
const chainOf = (message: ReplyMessage): MessageRecords['nftNewChain'] | undefined =>
  message.name === 'nftNewChain' ? message.record : undefined
const setOf = (message: ReplyMessage): MessageRecords['nftNewSet'] | undefined =>
  message.name === 'nftNewSet' ? message.record : undefined
const elementsOf = (message: ReplyMessage): MessageRecords['nftNewElement'] | undefined =>
  message.name === 'nftNewElement' ? message.record : undefined
const objectOf = (message: ReplyMessage): MessageRecords['nftNewObject'] | undefined =>
  message.name === 'nftNewObject' ? message.record : undefined
const flowtableOf = (message: ReplyMessage): MessageRecords['nftNewFlowtable'] | undefined =>
  message.name === 'nftNewFlowtable' ? message.record : undefined
const ruleOf = (message: ReplyMessage): MessageRecords['nftNewRule'] | undefined =>
  message.name === 'nftNewRule' ? message.record : undefined
