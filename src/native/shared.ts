import type { SchemaLayout } from './layout.js'

/** A shared record as it was packed: with which schema, and its words. */
export interface PackedRecord {
  schema: SchemaLayout | undefined
  words: Uint32Array
}

const packedRecords = new WeakMap<object, PackedRecord>()
const noWords = new Uint32Array(0)

/**
 * Says that a record will be an item of many lists (an expression that thousands of rules have), so that it is packed only
 * the first time. It must never change: it is frozen, and so must be what it consists of.
 */
export function shared<T extends object>(record: T): T {
  Object.freeze(record)
  packedRecords.set(record, { schema: undefined, words: noWords })
  return record
}

/** What is known of a shared record; `undefined` for one that is not shared, or no object at all. */
export function packedRecord(record: object): PackedRecord | undefined {
  return packedRecords.get(record)
}
