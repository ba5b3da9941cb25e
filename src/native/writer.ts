import { type ErrorCode, joinPath, NfbridgeError } from '../errors.js'
import { hasHalfCharacter } from '../input.js'
import {
  type FieldLayout,
  HEAD_WORDS,
  type Layouts,
  OPAQUE,
  PackKind,
  type SchemaLayout,
  STAMP,
} from './layout.js'
import { packedRecord } from './shared.js'
import { type Stamp, stampedMessages } from './stamp.js'

const LARGEST_U64 = 0xffff_ffff_ffff_ffffn
const FIRST_WORDS = 1024
const LARGEST_WORDS = 1 << 28
const encoder = new TextEncoder()
const wide = new BigUint64Array(1)
const halves = new Uint32Array(wide.buffer)
const [LOW, HIGH] = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? [0, 1] : [1, 0]

/** What a record was made from, for the error when it is refused. Looked at only then. */
export interface RecordOrigin {
  /** The operation in the caller's words: `rtnl.apply`. */
  readonly operation: string
  /** Where a property of the record is in what the caller gave. */
  locate(path: string): string
}

/** Plain objects by property name; what a record is to the writer. */
type Properties = { readonly [name: string]: unknown }

function isProperties(value: unknown): value is Properties {
  return typeof value === 'object' && value !== null
}

/**
 * Writes records into one growing buffer, in the layout of native/codec/records.h. This is the hot path of every
 * batch: one loop over an object's own keys, nothing allocated for a field, paths built only when a value is wrong.
 */
export class RecordWriter {
  readonly #layouts: Layouts
  #words: Uint32Array = new Uint32Array(FIRST_WORDS)
  #bytes: Uint8Array = new Uint8Array(this.#words.buffer)
  /** The end of the last whole message: what a failed `add` had begun lies behind it and is forgotten. */
  #end = 0
  /** Where the next word goes. */
  #at = 0
  #count = 0
  /** The properties and indices that lead to the record being written. */
  readonly #trail: (string | number)[] = []
  #depth = 0
  #origin: RecordOrigin | undefined = undefined

  constructor(layouts: Layouts) {
    this.#layouts = layouts
  }

  /** How many messages were added since the last {@link reset}. */
  get count(): number {
    return this.#count
  }

  /** Begins anew; the buffer is kept. */
  reset(): void {
    this.#end = 0
    this.#count = 0
  }

  /** What was added, as a view: valid until the next `write` or `reset`. */
  words(): Uint32Array {
    return this.#words.subarray(0, this.#end)
  }

  /**
   * Appends one message and returns its index in the batch.
   * @throws NfbridgeError NFB_INVALID_ARGUMENT with the property's path; the batch is then as it was before.
   */
  write(name: string, flags: number, record: object, origin?: RecordOrigin): number {
    const message = this.#layouts.byName.get(name)
    this.#depth = 0
    this.#origin = origin
    if (message === undefined) throw this.#fault('', `there is no message "${name}"`)
    const start = this.#end
    this.#at = start
    this.#reserve(HEAD_WORDS)
    this.#at = start + HEAD_WORDS
    this.#record(message.schema, record)
    const words = this.#words
    words[start] = message.id
    words[start + 1] = flags
    words[start + 2] = 0
    words[start + 3] = this.#at - start - HEAD_WORDS
    this.#end = this.#at
    return this.#count++
  }

  /**
   * Appends the messages that a stamp makes of rows, `rowWords` words each; returns the index of the first.
   * @param flags for the messages' headers, beside those of the template
   */
  stamp(flags: number, stamp: Stamp, rows: Uint32Array): number {
    const message = this.#layouts.byName.get(stamp.message)
    this.#depth = 0
    this.#origin = undefined
    if (message === undefined) throw this.#fault('', `there is no message "${stamp.message}"`)
    const start = this.#end
    const { sites, rowWords } = stamp
    const count = rowWords === 0 ? 0 : rows.length / rowWords
    this.#at = start
    this.#reserve(HEAD_WORDS + 5 + 4 * sites.length)
    this.#at = start + HEAD_WORDS
    for (const word of [message.id, stamp.rowsPerMessage, rowWords, count, sites.length])
      this.#words[this.#at++] = word
    for (const { offset, length, word, form } of sites)
      for (const value of [offset, length, word, form]) this.#words[this.#at++] = value
    this.#raw('head', stamp.head)
    this.#raw('template', stamp.template)
    this.#reserve(rows.length)
    this.#words.set(rows, this.#at)
    this.#at += rows.length
    const words = this.#words
    words[start] = STAMP
    words[start + 1] = flags
    words[start + 2] = 0
    words[start + 3] = this.#at - start - HEAD_WORDS
    this.#end = this.#at
    const first = this.#count
    this.#count += stampedMessages(stamp, count)
    return first
  }

  #record(schema: SchemaLayout, record: unknown): void {
    if (!isProperties(record)) throw this.#wrong('', 'an object', record)
    let last: FieldLayout | undefined
    let guess = schema.first
    for (const name in record) {
      const value = record[name]
      if (value === undefined) continue
      let field = guess
      if (field === undefined || field.name !== name) {
        field = schema.byName.get(name)
        if (field === undefined) {
          if (name !== 'opaque') throw this.#fault(name, `${schema.name} has no property "${name}"`)
          this.#opaqueEntries(value)
          continue
        }
        if (last === undefined) schema.first = field
        else last.next = field
      }
      this.#field(field, value, record)
      last = field
      guess = field.next
    }
  }

  #field(field: FieldLayout, value: unknown, record: Properties): void {
    if (this.#at + 4 > this.#words.length) this.#reserve(4)
    const words = this.#words
    switch (field.kind) {
      case PackKind.word:
        if (typeof value !== 'number' || value >>> 0 !== value) {
          throw this.#wrong(field.name, 'an integer from 0 to 4294967295', value)
        }
        words[this.#at++] = field.index
        words[this.#at++] = value
        return
      case PackKind.byte:
        if (typeof value !== 'number' || (value & 0xff) !== value) {
          throw this.#wrong(field.name, 'an integer from 0 to 255', value)
        }
        words[this.#at++] = field.index
        words[this.#at++] = value
        return
      case PackKind.half:
        if (typeof value !== 'number' || (value & 0xffff) !== value) {
          throw this.#wrong(field.name, 'an integer from 0 to 65535', value)
        }
        words[this.#at++] = field.index
        words[this.#at++] = value
        return
      case PackKind.signed:
        if (typeof value !== 'number' || (value | 0) !== value) {
          throw this.#wrong(field.name, 'an integer from -2147483648 to 2147483647', value)
        }
        words[this.#at++] = field.index
        words[this.#at++] = value
        return
      case PackKind.wide:
        if (typeof value !== 'bigint' || value < 0n || value > LARGEST_U64) {
          throw this.#wrong(field.name, 'a bigint from 0 to 18446744073709551615', value)
        }
        wide[0] = value
        words[this.#at++] = field.index
        words[this.#at++] = halves[LOW] ?? 0
        words[this.#at++] = halves[HIGH] ?? 0
        return
      case PackKind.string:
        words[this.#at++] = field.index
        this.#string(field.name, value)
        return
      case PackKind.flag:
        if (value !== true) throw this.#wrong(field.name, 'true (leave it out otherwise)', value)
        words[this.#at++] = field.index
        words[this.#at++] = 1
        return
      case PackKind.bytes:
        words[this.#at++] = field.index
        this.#raw(field.name, value)
        return
      case PackKind.nested:
        words[this.#at++] = field.index
        this.#nest(field.name, field.schema, value)
        return
      case PackKind.list:
        words[this.#at++] = field.index
        this.#list(field, value)
        return
      case PackKind.select:
        words[this.#at++] = field.index
        this.#select(field, value, record)
        return
    }
  }

  /** `[words] entry*` */
  #nest(step: string | number, schema: SchemaLayout, value: unknown): void {
    const start = this.#at
    this.#reserve(1)
    this.#at = start + 1
    this.#trail[this.#depth++] = step
    this.#record(schema, value)
    this.#depth--
    this.#words[start] = this.#at - start - 1
  }

  #list(field: FieldLayout, value: unknown): void {
    if (!Array.isArray(value)) throw this.#wrong(field.name, 'an array', value)
    const start = this.#at
    this.#reserve(1)
    this.#at = start + 1
    this.#trail[this.#depth++] = field.name
    const strings = field.type === 'strings'
    for (let index = 0; index < value.length; index++) {
      if (strings) this.#string(index, value[index])
      else this.#item(index, field.schema, value[index])
    }
    this.#depth--
    this.#words[start] = this.#at - start - 1
  }

  /** An item of a list; one that is shared is packed the first time only. */
  #item(index: number, schema: SchemaLayout, value: unknown): void {
    const packed = isProperties(value) ? packedRecord(value) : undefined
    if (packed === undefined) {
      this.#nest(index, schema, value)
    } else if (packed.schema === schema) {
      const { words } = packed
      this.#reserve(words.length)
      const target = this.#words
      const start = this.#at
      for (let place = 0; place < words.length; place++) target[start + place] = words[place] ?? 0
      this.#at = start + words.length
    } else {
      const start = this.#at
      this.#nest(index, schema, value)
      packed.words = this.#words.slice(start, this.#at)
      packed.schema = schema
    }
  }

  /** `[variant] [words] entry*`, or `[OPAQUE] [byteLength] bytes` for what was read without being understood. */
  #select(field: FieldLayout, value: unknown, record: Properties): void {
    const key = record[field.keyName]
    const variant = field.variantIndex.get(key)
    const schema = variant === undefined ? undefined : field.variants[variant]
    if (variant !== undefined && schema !== undefined) {
      this.#words[this.#at++] = variant
      this.#nest(field.name, schema, value)
      return
    }
    if (!isProperties(value) || !(value.opaque instanceof Uint8Array)) {
      throw this.#fault(
        field.name,
        `${field.keyName} is ${show(key)}, which has no data that is known: give { opaque: bytes }`,
      )
    }
    this.#words[this.#at++] = OPAQUE
    this.#raw(field.name, value.opaque)
  }

  #string(step: string | number, value: unknown): void {
    if (typeof value !== 'string') throw this.#wrong(step, 'a string', value)
    const length = value.length
    this.#reserve(1 + length)
    const lengthAt = this.#at
    const start = (lengthAt + 1) * 4
    const bytes = this.#bytes
    this.#words[lengthAt + 1 + ((length - 1) >> 2)] = 0
    for (let place = 0; place < length; place++) {
      const code = value.charCodeAt(place)
      if (code === 0) throw this.#fault(step, 'contains a NUL character, which would end it')
      if (code > 127) {
        this.#unicode(step, value, start)
        return
      }
      bytes[start + place] = code
    }
    this.#words[lengthAt] = length
    this.#at = lengthAt + 1 + ((length + 3) >> 2)
  }

  #unicode(step: string | number, value: string, start: number): void {
    if (value.includes('\0')) throw this.#fault(step, 'contains a NUL character, which would end it')
    if (hasHalfCharacter(value)) throw this.#fault(step, 'contains half a character (an unpaired surrogate)')
    this.#reserve(1 + value.length) // three bytes a UTF-16 unit at most: a word for each is enough
    const { written } = encoder.encodeInto(value, this.#bytes.subarray(start))
    this.#finishBytes(start, written)
  }

  #raw(step: string | number, value: unknown): void {
    if (!(value instanceof Uint8Array)) throw this.#wrong(step, 'a Uint8Array', value)
    const length = value.length
    this.#reserve(2 + (length >> 2))
    const start = (this.#at + 1) * 4
    const bytes = this.#bytes
    if (length > 64) bytes.set(value, start)
    else for (let place = 0; place < length; place++) bytes[start + place] = value[place] ?? 0
    this.#finishBytes(start, length)
  }

  /** Writes the length in front of bytes and zeros behind them, up to a whole word. */
  #finishBytes(start: number, length: number): void {
    this.#words[(start >> 2) - 1] = length
    const end = start + length
    const padded = (end + 3) & ~3
    for (let place = end; place < padded; place++) this.#bytes[place] = 0
    this.#at = padded >> 2
  }

  /** Attributes that were read without being understood go back as they were. */
  #opaqueEntries(value: unknown): void {
    if (!Array.isArray(value)) throw this.#wrong('opaque', 'an array', value)
    this.#trail[this.#depth++] = 'opaque'
    for (let index = 0; index < value.length; index++) {
      const entry: unknown = value[index]
      if (!isProperties(entry)) throw this.#wrong(index, 'an object { type, bytes }', entry)
      const type = entry.type
      this.#trail[this.#depth++] = index
      if (typeof type !== 'number' || (type & 0xffff) !== type) {
        throw this.#wrong('type', 'an integer from 0 to 65535', type)
      }
      this.#reserve(3)
      this.#words[this.#at++] = OPAQUE
      this.#words[this.#at++] = type
      this.#raw('bytes', entry.bytes)
      this.#depth--
    }
    this.#depth--
  }

  /** Makes room for `more` words, and a little to spare. */
  #reserve(more: number): void {
    const needed = this.#at + more + 4
    if (needed <= this.#words.length) return
    if (needed > LARGEST_WORDS) {
      throw this.#fault('', 'the batch is larger than 1 GiB: split it', 'NFB_TOO_LARGE')
    }
    const grown = new Uint32Array(Math.min(LARGEST_WORDS, Math.max(needed, this.#words.length * 2)))
    grown.set(this.#words.subarray(0, this.#at))
    this.#words = grown
    this.#bytes = new Uint8Array(grown.buffer)
  }

  #wrong(step: string | number, wanted: string, value: unknown): NfbridgeError {
    return this.#fault(step, `must be ${wanted}, not ${show(value)}`)
  }

  #fault(step: string | number, message: string, code: ErrorCode = 'NFB_INVALID_ARGUMENT'): NfbridgeError {
    let path = ''
    for (let place = 0; place < this.#depth; place++) path = joinPath(path, this.#trail[place] ?? '')
    if (step !== '') path = joinPath(path, step)
    const origin = this.#origin
    return new NfbridgeError({
      code,
      operation: origin?.operation ?? 'pack',
      message,
      path: origin === undefined ? path : origin.locate(path),
    })
  }
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'number' || typeof value === 'boolean' || value === undefined) return String(value)
  if (value === null) return 'null'
  return Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
