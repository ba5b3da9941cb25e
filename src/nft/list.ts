/** Listing: the kernel's ruleset, or a part of it, as one consistent snapshot. */

import { joinPath, NfbridgeError } from '../errors.js'
import { checkArray, checkObject, checkOneOf } from '../input.js'
import type { SocketHandle } from '../native/addon.js'
import type { MessageName, MessageRecords } from '../native/records.js'
import { inSlices } from '../native/slices.js'
import type { ReplyMessage } from '../native/unpack.js'
import { type Interfaces, interfaceIndexType } from './datatype/index.js'
import { isAnonymous } from './decompile/index.js'
import { familyOf } from './family.js'
import { withInterfaces } from './interfaces.js'
import { assemble, isInScope, type KernelRuleset } from './list-assemble.js'
import type { Family, Ruleset } from './model/index.js'
import {
  type Asking,
  ask,
  chainOf,
  dumpAll,
  elementsOf,
  flowtableOf,
  getOne,
  objectOf,
  one,
  type Pick,
  ruleOf,
  setOf,
  tableOf,
} from './requests.js'

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

const KINDS: readonly ListedKind[] = ['table', 'chain', 'rule', 'set', 'object']

/** How often a listing begins anew because somebody changed the ruleset meanwhile. */
const attempts = 8
const operation = 'nft.list'

/**
 * Lists the ruleset as it was at one moment.
 * @param readInterfaces for rules that have the index of an interface: their names; without it the index is listed
 * @throws NfbridgeError NFB_DUMP_INCONSISTENT when it changed during each of several attempts; NFB_NOT_PERMITTED,
 * NFB_CLOSED
 */
export async function listRuleset(
  socket: SocketHandle,
  filter: ListFilter = {},
  readInterfaces?: () => Promise<Interfaces>,
): Promise<Ruleset> {
  const { generation, kernel } = await listKernel(socket, filter)
  const nftables = await withInterfaces(readInterfaces, (interfaces) =>
    inSlices(assemble(kernel, filter, interfaces && interfaceIndexType(interfaces))),
  )
  return { generation, nftables }
}

/** As {@link listRuleset}, as the kernel has it. */
export async function listKernel(
  socket: SocketHandle,
  filter: ListFilter,
): Promise<{ readonly generation: number; readonly kernel: KernelRuleset }> {
  const { kinds } = checkObject(
    filter,
    ['family', 'table', 'chain', 'set', 'kinds', 'elements'],
    operation,
    'filter',
  )
  if (kinds !== undefined)
    for (const [index, kind] of checkArray(kinds, operation, 'filter.kinds').entries())
      checkOneOf(kind, KINDS, operation, joinPath('filter.kinds', index))
  for (let attempt = 0; attempt < attempts; attempt++) {
    const before = await readGeneration(socket)
    const kernel = await new Lister(socket, filter).read()
    const after = await readGeneration(socket)
    if (before === after) return { generation: before, kernel }
  }
  throw new NfbridgeError({
    code: 'NFB_DUMP_INCONSISTENT',
    operation,
    message: `the ruleset changed during each of ${attempts} listings: try again`,
  })
}

/** The number that the kernel counts up with each change of the namespace's ruleset. */
export function readGeneration(socket: SocketHandle): Promise<number> {
  return ask(socket, generationOf(operation))
}

/** {@link readGeneration} */
export function* generationOf(operation: string): Asking<number> {
  const id = yield* one('nftGetGeneration', {}, idOf, operation)
  if (id !== undefined) return id
  throw new NfbridgeError({ code: 'NFB_INTERNAL', operation, message: 'the kernel told no generation' })
}

function idOf(answer: ReplyMessage): number | undefined {
  return answer.name === 'nftNewGeneration' ? answer.record.id : undefined
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
      wants.tables ? this.#tables() : [],
      wants.chains ? this.#chains() : [],
      wants.rules || wants.sets ? this.#sets(wants.rules) : [],
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
    return family === undefined ? {} : { family: familyOf(family, operation, 'filter.family') }
  }

  /** The kernel finds a table by its name only together with its family. */
  #table(): { readonly family?: number; readonly table?: string } {
    const { family, table } = this.#filter
    return family !== undefined && table !== undefined ? { ...this.#family(), table } : this.#family()
  }

  #dump<K extends MessageName, R>(name: K, record: MessageRecords[K], pick: Pick<R>): Promise<R[]> {
    return dumpAll(this.#socket, name, record, pick, operation)
  }

  /** What has a name, which the kernel finds by itself. */
  async #one<K extends MessageName, R>(name: K, record: MessageRecords[K], pick: Pick<R>): Promise<R[]> {
    const found = await getOne(this.#socket, name, record, pick, operation)
    return found === undefined ? [] : [found]
  }

  /** The table that is asked for, or those of its family. */
  #tables(): Promise<MessageRecords['nftNewTable'][]> {
    const { family, table } = this.#filter
    return family !== undefined && table !== undefined
      ? this.#one('nftGetTable', { ...this.#family(), name: table }, tableOf)
      : this.#dump('nftGetTable', this.#family(), tableOf)
  }

  #chains(): Promise<MessageRecords['nftNewChain'][]> {
    const { family, table, chain } = this.#filter
    return family !== undefined && table !== undefined && chain !== undefined
      ? this.#one('nftGetChain', { ...this.#table(), name: chain }, chainOf)
      : this.#dump('nftGetChain', this.#family(), chainOf)
  }

  /** Rules need the sets that they look up, of which those without a name are a part of the rule. */
  #sets(forRules: boolean): Promise<MessageRecords['nftNewSet'][]> {
    const { family, table, set } = this.#filter
    return family !== undefined && table !== undefined && set !== undefined && !forRules
      ? this.#one('nftGetSet', { ...this.#table(), name: set }, setOf)
      : this.#dump('nftGetSet', this.#table(), setOf)
  }
}
