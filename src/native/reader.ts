import { NfbridgeError } from '../errors.js'
import { type FieldLayout, type Layouts, OPAQUE, type SchemaLayout } from './layout.js'

/** A message as it was read: of a type that the tables know (`name`), or not (`bytes`). */
export interface ReadMessage {
  /** The message's name; `opaque` for a type that the tables do not know. */
  readonly name: string
  /** Index of the request that it answers; 0 in dumps and events. */
  readonly index: number
  /** nlmsg_flags. */
  readonly flags: number
  readonly record: object
  /** nlmsg_type and payload of an `opaque` message; 0 and empty otherwise. */
  readonly type: number
  readonly bytes: Uint8Array
}

type Properties = { [name: string]: unknown }

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const NO_BYTES = new Uint8Array(0)

/**
 * Reads the messages of a reply one by one, so that a long listing never exists as objects all at once.
 * Every length is checked against what encloses it.
 * @throws NfbridgeError NFB_INTERNAL when the buffer is not what native/codec/records.h says.
 */
export function* readMessages(layouts: Layouts, reply: ArrayBuffer): Generator<ReadMessage, void, undefined> {
  const reader = new RecordReader(reply)
  for (;;) {
    const message = reader.message(layouts)
    if (message === undefined) return
    yield message
  }
}

class RecordReader {
  readonly #words: Uint32Array
  readonly #bytes: Uint8Array
  #at = 0

  constructor(reply: ArrayBuffer) {
    if (reply.byteLength % 4 !== 0) throw malformed(`${reply.byteLength} bytes are no whole number of words`)
    this.#words = new Uint32Array(reply)
    this.#bytes = new Uint8Array(reply)
  }

  message(layouts: Layouts): ReadMessage | undefined {
    const length = this.#words.length
    if (this.#at === length) return undefined
    const id = this.#word(length)
    const flags = this.#word(length)
    const index = this.#word(length)
    const end = this.#end(length)
    if (id === OPAQUE) {
      const type = this.#word(end)
      const bytes = this.#raw(end)
      this.#finish(end)
      return { name: 'opaque', index, flags, record: {}, type, bytes }
    }
    const layout = layouts.messages[id]
    if (layout === undefined) throw malformed(`there is no message ${id}`)
    return {
      name: layout.name,
      index,
      flags,
      record: this.#record(layout.schema, end),
      type: 0,
      bytes: NO_BYTES,
    }
  }

  #record(schema: SchemaLayout, end: number): Properties {
    const record: Properties = {}
    let opaque: { type: number; bytes: Uint8Array }[] | undefined
    while (this.#at < end) {
      const number = this.#word(end)
      const field = schema.fields[number]
      if (field !== undefined) {
        record[field.name] = this.#value(field, end)
      } else if (number === OPAQUE) {
        const type = this.#word(end)
        opaque ??= []
        opaque.push({ type, bytes: this.#raw(end) })
      } else {
        throw malformed(`${schema.name} has no field ${number}`)
      }
    }
    if (opaque !== undefined) record.opaque = opaque
    return record
  }

  #value(field: FieldLayout, end: number): unknown {
    switch (field.type) {
      case 'u8':
      case 'u16':
      case 'u32':
      case 'be16':
      case 'be32':
        return this.#word(end)
      case 's32':
      case 'beS32':
        return this.#word(end) | 0
      case 'flag':
        this.#word(end)
        return true
      case 'u64':
      case 'be64': {
        const first = BigInt(this.#word(end))
        return first | (BigInt(this.#word(end)) << 32n)
      }
      case 'string':
        return this.#string(end)
      case 'bytes':
        return this.#raw(end)
      case 'nested':
        return this.#nest(field.schema, end)
      case 'list':
      case 'structs': {
        const inner = this.#end(end)
        const records: Properties[] = []
        while (this.#at < inner) records.push(this.#nest(field.schema, inner))
        return records
      }
      case 'strings': {
        const inner = this.#end(end)
        const strings: string[] = []
        while (this.#at < inner) strings.push(this.#string(inner))
        return strings
      }
      case 'select': {
        const number = this.#word(end)
        if (number === OPAQUE) return { opaque: this.#raw(end) }
        const schema = field.variants[number]
        if (schema === undefined) throw malformed(`${field.name} has no variant ${number}`)
        return this.#nest(schema, end)
      }
    }
  }

  #nest(schema: SchemaLayout, end: number): Properties {
    const inner = this.#end(end)
    return this.#record(schema, inner)
  }

  /** Reads a number of words and returns where they end. */
  #end(limit: number): number {
    const length = this.#word(limit)
    const end = this.#at + length
    if (end > limit) throw malformed(`${length} words at ${this.#at} pass the end`)
    return end
  }

  #finish(end: number): void {
    if (this.#at !== end) throw malformed(`words are left at ${this.#at}`)
  }

  #word(limit: number): number {
    const word = this.#at < limit ? this.#words[this.#at] : undefined
    if (word === undefined) throw malformed(`the words end at ${this.#at}`)
    this.#at++
    return word
  }

  /** Reads a byte length, moves past the padded bytes and returns the length; the bytes begin at `#at - padded`. */
  #length(limit: number): number {
    const length = this.#word(limit)
    const words = (length + 3) >>> 2
    if (length > this.#bytes.length || this.#at + words > limit)
      throw malformed(`${length} bytes pass the end`)
    this.#at += words
    return length
  }

  /** A copy, so that what is kept of a reply does not keep all of it. */
  #raw(limit: number): Uint8Array {
    const length = this.#length(limit)
    const start = (this.#at - ((length + 3) >>> 2)) * 4
    return this.#bytes.slice(start, start + length)
  }

  #string(limit: number): string {
    const length = this.#length(limit)
    const start = (this.#at - ((length + 3) >>> 2)) * 4
    const bytes = this.#bytes
    if (length > 32) return decoder.decode(bytes.subarray(start, start + length))
    let text = ''
    for (let place = start; place < start + length; place++) {
      const code = bytes[place] ?? 0
      if (code > 127) return decoder.decode(bytes.subarray(start, start + length))
      text += String.fromCharCode(code)
    }
    return text
  }
}

function malformed(detail: string): NfbridgeError {
  return new NfbridgeError({
    code: 'NFB_INTERNAL',
    operation: 'unpack',
    message: `a reply of the addon is malformed: ${detail}`,
  })
}
