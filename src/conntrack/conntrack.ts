/** The kernel's connection tracking table: list, and forget, connections (`linux/netfilter/nfnetlink_conntrack.h`). */
import { checkObject } from '../input.js'
import type { Failure, SocketHandle } from '../native/addon.js'
import { errorOfAll, failed, unwrap } from '../native/failure.js'
import { MessageFlag, Packer } from '../native/pack.js'
import type { CtEntryRecord } from '../native/records.js'
import { inSlices, picked } from '../native/slices.js'
import { unpack } from '../native/unpack.js'
import { Namespace, type NamespaceSource } from '../netns/index.js'
import { type ConntrackEntry, entryFromRecord } from './entry.js'
import {
  alternatives,
  type ConntrackFilter,
  checkFilter,
  FILTER_PROPERTIES,
  filterToRecord,
  matches,
} from './filter.js'
import { familyOf, invalid, type Tuple, tupleToRecord } from './tuple.js'

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
  static async open(options: ConntrackOptions = {}): Promise<Conntrack> {
    checkObject(options, ['netns'], 'conntrack.open', '')
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
  async list(filter: ConntrackFilter = {}): Promise<ConntrackEntry[]> {
    checkFilter(filter)
    const found = new Map<string, ConntrackEntry>()
    for (const alternative of alternatives(filter))
      for (const entry of await this.#dump(alternative))
        if (matches(entry, filter)) found.set(identity(entry), entry)
    return [...found.values()]
  }

  /**
   * Forgets one connection: its next packet is a new connection's, and is judged as such. An entry names exactly the
   * connection that was listed; a tuple alone (of either direction) names whichever has it now.
   * @returns false when there is none (any more)
   * @throws NfbridgeError NFB_INVALID_ARGUMENT, NFB_NOT_PERMITTED, NFB_CLOSED
   */
  async delete(connection: ConntrackEntry | Tuple): Promise<boolean> {
    return (await this.#delete([deletion(connection)])) === 1
  }

  /**
   * Forgets the connections that `filter` means at the time of the call; each by its own tuple and id, so that one
   * that begins meanwhile with the same ports stays.
   * @param filter `{}` means every connection
   * @param test narrows down further what the filter found
   * @returns how many there were
   */
  async deleteAll(
    filter: ConntrackFilter,
    test: (entry: ConntrackEntry) => boolean = () => true,
  ): Promise<number> {
    // Without a filter it would be every connection, which is only meant when it is said: `{}`.
    checkObject(filter, FILTER_PROPERTIES, 'conntrack.deleteAll', 'filter')
    const entries = await this.list(filter)
    return this.#delete(entries.filter(test).map(deletion))
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

  async #delete(records: readonly CtEntryRecord[]): Promise<number> {
    let gone = 0
    for (let start = 0; start < records.length; start += deletionsPerSend) {
      const packer = new Packer()
      for (const record of records.slice(start, start + deletionsPerSend)) packer.add('ctDelete', 0, record)
      const outcome = await this.#socket.request(packer.words())
      if (!failed(outcome)) continue
      const others = outcome.filter((failure) => failure.reason !== 'kernel' || failure.errno !== ENOENT)
      if (others.length > 0)
        throw errorOfAll(others, 'conntrack.delete', (index, path) =>
          index < 0 ? path : `connections[${start + index}]${path === '' ? '' : `.${path}`}`,
        )
      gone += outcome.length
    }
    return records.length - gone
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
    family: familyOf(tuple.source),
    tupleOrig: tupleToRecord(tuple, 'connection'),
    ...(entry && { id: entry.id, ...(entry.zone !== 0 && { zone: entry.zone }) }),
  }
}
