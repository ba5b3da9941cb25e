/** Rules and elements that are compiled once and added many times, with other values: the prepared statements of a database. */

import { joinPath } from '../../errors.js'
import { type Stamp, StampForm } from '../../native/stamp.js'
import { readInput } from '../../read-input.js'
import { located, SetScope, Trail } from '../compile/index.js'
import type { MessageSink, PreparedMessages } from '../compile/message.js'
import type { SlotProbe } from '../compile/slot.js'
import { InvalidValue } from '../datatype/index.js'
import { refuseUnknownKey, unknownKeyInAdded } from '../json/unknown-keys.js'
import type { DatatypeName, MapObject, SetObject } from '../model/index.js'
import { withProbes } from './probes.js'
import { type RowSlot, type Rows, rowWords, writeValue } from './rows.js'
import { MAX_ELEMENTS_BYTES, type Preparable, type Template, template } from './template.js'

/** A slot of a prepared rule or element. */
export interface PreparedSlot {
  readonly name: string
  readonly type: DatatypeName
  /** Bytes of a value as the kernel has it. */
  readonly bytes: number
  /** Where the value begins in a row of a `Uint8Array`. */
  readonly offset: number
}

export interface PrepareOptions {
  /** The order of the slots in rows; default: as they come in what is prepared. */
  readonly slots?: readonly string[]
  /** Sets and maps that a rule refers to, or whose elements are prepared: their types and flags. */
  readonly declared?: readonly (SetObject | MapObject)[]
}

/** A rule or an element with slots, compiled and encoded. It belongs to no connection and never becomes stale. */
export class Prepared {
  /** In the order in which rows have their values. */
  readonly slots: readonly PreparedSlot[]
  /** Bytes of a row of a `Uint8Array`. */
  readonly rowBytes: number
  readonly #rowSlots: readonly RowSlot[]
  readonly #ofBytes: Stamp
  readonly #ofNumbers: Stamp

  /** @internal Use {@link prepare}. */
  constructor(made: Template, probes: readonly SlotProbe[]) {
    const rowSlots: RowSlot[] = []
    let offset = 0
    for (const { slot, kind } of probes) {
      if (kind === undefined) throw new InvalidValue(`no value can stand where the slot ${slot} is`)
      rowSlots.push({ name: slot, offset, ...kind })
      offset += (kind.length + 3) & ~3
    }
    this.#rowSlots = rowSlots
    this.rowBytes = offset
    this.slots = rowSlots.map(({ name, type, length, offset: at }) => ({
      name,
      type: type.name,
      bytes: length,
      offset: at,
    }))
    this.#ofBytes = this.#stamp(made, offset / 4, (slot) => ({
      word: slot.offset / 4,
      form: StampForm.bytes,
    }))
    this.#ofNumbers = this.#stamp(made, rowSlots.length, ({ order }, column) => ({
      word: column,
      form: order === 'big' ? StampForm.bigEndian : StampForm.hostOrder,
    }))
  }

  #stamp(
    made: Template,
    words: number,
    source: (slot: RowSlot, column: number) => { readonly word: number; readonly form: StampForm },
  ): Stamp {
    const { message, head, body, offsets } = made
    return {
      message,
      head,
      template: body,
      rowsPerMessage: head.length === 0 ? 0 : Math.max(1, Math.floor(MAX_ELEMENTS_BYTES / body.length)),
      rowWords: words,
      sites: this.#rowSlots.flatMap((slot, column) =>
        (offsets[column] ?? []).map((offset) => ({ offset, length: slot.length, ...source(slot, column) })),
      ),
    }
  }

  /** @internal What makes messages of rows of bytes. */
  get ofBytes(): Stamp {
    return this.#ofBytes
  }

  /** @internal Writes a value into a row of bytes that begins at `start`. @throws InvalidValue */
  writeValue(column: number, value: unknown, target: Uint8Array, start: number): void {
    const slot = this.#rowSlots[column]
    if (slot !== undefined) writeValue(slot, value, target, start + slot.offset)
  }

  /** @internal Packs the rows; the trail stands at them. @throws InvalidValue with the trail at what is wrong */
  *pack(sink: MessageSink, rows: Rows, flags: number, trail: Trail): Generator<undefined, void, undefined> {
    if (sink.stamp === undefined) throw new InvalidValue('prepared rules can be committed only')
    const words = yield* rowWords(this.#rowSlots, this.rowBytes, rows, trail)
    sink.stamp(flags, rows instanceof Uint32Array ? this.#ofNumbers : this.#ofBytes, words)
  }

  /**
   * @internal The row that a failure of the kernel is about.
   * @param message which of the messages that the rows became
   * @param path in its record
   */
  rowOf(message: number, path: string): number | undefined {
    const { rowsPerMessage } = this.#ofBytes
    if (rowsPerMessage === 0) return message
    const [, place] = /^elements\[(\d+)\]/.exec(path) ?? []
    return place === undefined ? undefined : message * rowsPerMessage + Number(place)
  }
}

/** What is added: a prepared rule or element, and its rows. */
export class PreparedRows implements PreparedMessages {
  readonly what: Prepared
  readonly rows: Rows
  readonly work: number

  constructor(what: Prepared, rows: Rows) {
    this.what = what
    this.rows = rows
    this.work = Array.isArray(rows) ? rows.length : 0
  }

  pack(sink: MessageSink, flags: number, trail: Trail): Generator<undefined, void, undefined> {
    if (!(this.what instanceof Prepared))
      throw new InvalidValue('what prepare() or prepareElements() gave is expected')
    return this.what.pack(sink, this.rows, flags, trail)
  }

  locate(message: number, path: string): string {
    const row = this.what.rowOf(message, path)
    return row === undefined ? 'rows' : joinPath('rows', row)
  }
}

/**
 * Compiles and encodes a rule or an element whose constants may be slots: `prepare({ rule: { …, expr: [
 * match.ip.saddr.eq(slot('client')), verdict.accept() ] } })`. Added with {@link Transaction.addPrepared}, only the values
 * cross to C++, which makes the messages of them on a thread of its own.
 *
 * A slot is one constant that reaches the kernel as it is: a value that is compared, a field of an element's key or data, a
 * target of address translation. Not: ranges and prefixes, protocols (`ip protocol`, `meta l4proto`: they decide what else
 * is compiled), fields of less than a byte, names of chains, literal sets; these are refused.
 * @throws NfbridgeError NFB_INVALID_ARGUMENT (and other codes for names and addresses) with the path in `object`
 */
export function prepare(given: Preparable, givenOptions: PrepareOptions = {}): Prepared {
  const object = readInput(given, 'nft.prepare', 'object')
  const options = readInput(givenOptions, 'nft.prepare', '')
  const trail = new Trail()
  try {
    const scope = new SetScope()
    for (const declared of options.declared ?? [])
      scope.declare('set' in declared ? declared.set : declared.map)
    if (typeof object !== 'object' || object === null || !('rule' in object || 'element' in object))
      throw new InvalidValue('a rule or an element can be prepared: { rule: … }, { element: … }')
    const found = new Map<string, SlotProbe>()
    const probed = withProbes(object, found, trail)
    refuseUnknownKey(unknownKeyInAdded(probed), trail)
    const probes = inOrder(found, options.slots)
    const made = template(probed, probes, scope, trail)
    return new Prepared(made, probes)
  } catch (error) {
    throw located(error, 'nft.prepare', trail)
  }
}

function inOrder(found: ReadonlyMap<string, SlotProbe>, order: readonly string[] | undefined): SlotProbe[] {
  if (found.size === 0) throw new InvalidValue('it has no slot: there is nothing to prepare it for')
  const names = order ?? [...found.keys()]
  const probes = names.flatMap((name) => found.get(name) ?? [])
  if (new Set(names).size !== found.size || probes.length !== names.length || names.length !== found.size)
    throw new InvalidValue(`the slots are ${[...found.keys()].join(', ')}, not ${names.join(', ')}`)
  return probes
}
