/** The kernel's connection tracking table: list, and forget, connections (`linux/netfilter/nfnetlink_conntrack.h`). */
import { checkArray, checkObject } from '../input.js'
import type { Failure, SocketHandle } from '../native/addon.js'
import { errorOfAll, failed, unwrap } from '../native/failure.js'
import { MessageFlag, Packer } from '../native/pack.js'
import type { CtEntryRecord } from '../native/records.js'
import { inSlices, picked } from '../native/slices.js'
import { unpack } from '../native/unpack.js'
import { Namespace, type NamespaceSource } from '../netns/index.js'
import { readInput, withInput } from '../read-input.js'
import { type ConntrackEntry, entryFromRecord } from './entry.js'
import {
  alternatives,
  type ConnectionSelection,
  type ConntrackFilter,
  checkFilter,
  FILTER_PROPERTIES,
  familyOf,
  filterToRecord,
  isKernelFilter,
  matches,
} from './filter.js'
import { patternWords } from './pattern.js'
import { familyOf as familyNumber, invalid, type Tuple, tupleToRecord } from './tuple.js'

/** Where to look. */
export interface ConntrackOptions {
  /** The network namespace; default: the process's own. */
  readonly netns?: NamespaceSource
}

/**
 * How many deletions share a send. Each that is already gone answers with an error of its own, and some 250 errors
 * fill a default receive buffer.
 */
const deletionsPerSend = 128

/** Each filter costs the kernel a walk through its whole table; more than these, and it is listed once instead. */
const mostWalks = 4

const ENOENT = 2
const EINVAL = 22
const EOPNOTSUPP = 95

/** A handle on one namespace's table. Calls run in their order; it must be closed. */
export class Conntrack {
  readonly #socket: SocketHandle

  private constructor(socket: SocketHandle) {
    this.#socket = socket
  }

  /** @throws NfbridgeError NFB_NAMESPACE_GONE, NFB_NOT_PERMITTED, NFB_NOT_SUPPORTED (a kernel without ctnetlink) */
  static async open(given: ConntrackOptions = {}): Promise<Conntrack> {
    const options = checkObject(readInput(given, 'conntrack.open', ''), ['netns'], 'conntrack.open', '')
    const namespace = options.netns === undefined ? Namespace.current() : Namespace.open(options.netns)
    try {
      return new Conntrack(await namespace.openSocket('netfilter', 'conntrack.open'))
    } finally {
      namespace.close()
    }
  }

  /**
   * The connections that `filter` means; all of them without one. The kernel filters (from 5.8 on by tuple), and the
   * result is tested once more, so that it is the same on kernels that cannot.
   * @throws NfbridgeError NFB_INVALID_ARGUMENT, NFB_INVALID_PORT, NFB_NOT_PERMITTED, NFB_CLOSED
   */
  async list(given: ConntrackFilter = {}): Promise<ConntrackEntry[]> {
    const filter = readInput(given, 'conntrack.list', 'filter')
    checkFilter(filter)
    const found = new Map<string, ConntrackEntry>()
    for (const alternative of alternatives(filter))
      await inSlices(
        picked(await this.#dump(alternative), (entry) => {
          if (matches(entry, filter)) found.set(identity(entry), entry)
          return undefined
        }),
      )
    return [...found.values()]
  }

  /**
   * Forgets one connection: its next packet is a new connection's, and is judged as such. An entry names exactly the
   * connection that was listed; a tuple alone (of either direction) names whichever has it now.
   * @returns false when there is none (any more)
   * @throws NfbridgeError NFB_INVALID_ARGUMENT, NFB_NOT_PERMITTED, NFB_CLOSED
   */
  async delete(connection: ConntrackEntry | Tuple): Promise<boolean> {
    const operation = 'conntrack.delete'
    const asked = readInput(connection, operation, 'connection')
    const record = withInput(asked, operation, 'connection', () => deletion(asked))
    return (await this.#delete([record], 0)) === 1
  }

  /**
   * Forgets the connections that `filter` means at the time of the call; each by its own tuple and id, so that one
   * that begins meanwhile with the same ports stays.
   * @param filter `{}` means every connection
   * @param test narrows down further what the filter found
   * @returns how many there were
   */
  async deleteAll(given: ConntrackFilter, test?: (entry: ConntrackEntry) => boolean): Promise<number> {
    // Without a filter it would be every connection, which is only meant when it is said: `{}`.
    const operation = 'conntrack.deleteAll'
    const filter = checkObject(readInput(given, operation, 'filter'), FILTER_PROPERTIES, operation, 'filter')
    checkFilter(filter)
    if (!test) return this.#forget([{ filters: [filter] }])
    const entries = await this.list(filter)
    return this.deleteListed(await inSlices(picked(entries, (entry) => (test(entry) ? entry : undefined))))
  }

  /** Forgets several connections that were listed. @returns how many were still there */
  async deleteListed(entries: readonly ConntrackEntry[]): Promise<number> {
    const operation = 'conntrack.deleteListed'
    const records = withInput(entries, operation, 'entries', () =>
      checkArray(entries, operation, 'entries').map(deletion),
    )
    let gone = 0
    for (let start = 0; start < records.length; start += deletionsPerSend)
      gone += await this.#delete(records.slice(start, start + deletionsPerSend), start)
    return gone
  }

  /**
   * Forgets the connections that any of several selections means, whatever their number: the kernel itself does, from 6.12 on,
   * where `walk` says that a walk through its table for each filter is wanted, and it tests all that the filters say. Else they are
   * listed once and judged on a thread of the addon's own.
   */
  async forget(given: readonly ConnectionSelection[], walk: boolean): Promise<void> {
    const operation = 'conntrack.forget'
    const selections = readInput(given, operation, 'selections')
    const filters = withInput(selections, operation, 'selections', () => {
      for (const { filters, unless = [] } of checkArray(selections, operation, 'selections'))
        for (const list of [filters, unless]) checkArray(list, operation, 'selections').forEach(checkFilter)
      return selections.flatMap((selection) => selection.filters)
    })
    if (filters.length === 0) return
    const plain = selections.every(({ unless = [] }) => unless.length === 0)
    if (walk && plain && filters.length <= mostWalks && filters.every(isKernelFilter)) {
      const packer = new Packer()
      for (const filter of filters) packer.add('ctDelete', 0, filterToRecord(filter))
      // What an older kernel refuses, and whatever else goes wrong, is told of by the other way.
      if (!failed(await this.#socket.request(packer.words()))) return
    }
    await this.#forget(selections)
  }

  /** What is pending fails with NFB_CLOSED. Idempotent. */
  close(): void {
    this.#socket.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  async #dump(filter: ConntrackFilter): Promise<ConntrackEntry[]> {
    const record = filterToRecord(filter)
    let outcome = await this.#socket.dump(request('ctGet', MessageFlag.dump, record))
    // A kernel without zones, marks or tuple filters refuses what it cannot test: then everything is tested here.
    if (failed(outcome) && outcome[0]?.reason === 'kernel' && refusesFilter(outcome[0]))
      outcome = await this.#socket.dump(request('ctGet', MessageFlag.dump, { family: record.family ?? 0 }))
    const messages = unpack(unwrap(outcome, 'conntrack.list'))
    return inSlices(
      picked(messages, (message) => (message.name === 'ctNew' ? entryFromRecord(message.record) : undefined)),
    )
  }

  /** Listed and deleted on the addon's thread. Only one filter can be the kernel's, and none that has an alternative. */
  async #forget(selections: readonly ConnectionSelection[]): Promise<number> {
    const filters = selections.flatMap((selection) => selection.filters)
    const families = new Set(filters.map(familyOf))
    const [family] = families
    const [first] = filters
    const onlyFamily = filterToRecord(families.size === 1 && family !== undefined ? { family } : {})
    const record = filters.length === 1 && first && !first.address ? filterToRecord(first) : onlyFamily
    const patterns = patternWords(selections)
    let outcome = await this.#socket.forget(request('ctGet', MessageFlag.dump, record), patterns)
    if (failed(outcome) && outcome[0]?.reason === 'kernel' && refusesFilter(outcome[0]))
      outcome = await this.#socket.forget(request('ctGet', MessageFlag.dump, onlyFamily), patterns)
    return unwrap(outcome, 'conntrack.delete')
  }

  /** As many as share a send; `start` is the place of the first, for an error's path. */
  async #delete(records: readonly CtEntryRecord[], start: number): Promise<number> {
    const packer = new Packer()
    for (const record of records) packer.add('ctDelete', 0, record)
    const outcome = await this.#socket.request(packer.words())
    if (!failed(outcome)) return records.length
    const others = outcome.filter((failure) => failure.reason !== 'kernel' || failure.errno !== ENOENT)
    if (others.length > 0)
      throw errorOfAll(others, 'conntrack.delete', (index, path) =>
        index < 0 ? path : `connections[${start + index}]${path === '' ? '' : `.${path}`}`,
      )
    return records.length - outcome.length
  }
}

function refusesFilter(failure: Failure): boolean {
  return failure.errno === EOPNOTSUPP || failure.errno === EINVAL
}

function request(name: 'ctGet', flags: number, record: CtEntryRecord): Uint32Array {
  const packer = new Packer()
  packer.add(name, flags, record)
  return packer.words()
}

/** The kernel's id alone may be used again; with the original tuple it is unique. */
function identity({ id, zone, original }: ConntrackEntry): string {
  const { source, destination, protocol, sourcePort, destinationPort, icmp } = original
  return [
    id,
    zone,
    protocol,
    source,
    sourcePort,
    destination,
    destinationPort,
    icmp?.type,
    icmp?.code,
    icmp?.id,
  ].join()
}

/** A message without a tuple would flush the whole table: none leaves here. */
function deletion(connection: ConntrackEntry | Tuple): CtEntryRecord {
  if (typeof connection !== 'object' || connection === null)
    throw invalid('a connection is an entry of a listing or a tuple', 'connection')
  const entry = 'original' in connection ? connection : undefined
  const tuple = 'original' in connection ? connection.original : connection
  if (!tuple.source || !tuple.destination || tuple.protocol === undefined)
    throw invalid('a connection is named by source, destination and protocol', 'connection')
  return {
    family: familyNumber(tuple.source),
    tupleOrig: tupleToRecord(tuple, 'connection'),
    ...(entry && { id: entry.id, ...(entry.zone !== 0 && { zone: entry.zone }) }),
  }
}
