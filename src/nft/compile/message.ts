import type {
  MessageName,
  MessageRecords,
  NftChainRecord,
  NftElementRecord,
  NftRuleRecord,
  NftSetRecord,
  NftTableRecord,
} from '../../native/records.js'
import type { Stamp } from '../../native/stamp.js'
import type { Trail } from './trail.js'

/** Where compiled messages go; `Packer` of `native/` is one. Returns the message's index in the batch. */
export interface MessageSink {
  add<K extends MessageName>(name: K, flags: number, record: MessageRecords[K]): number
  /** For sinks whose messages are sent: those that a stamp makes of rows. Returns the index of the first. */
  stamp?(flags: number, stamp: Stamp, rows: Uint32Array): number
}

/** Messages that were compiled before, and the values that they still lack: prepare/ makes them. */
export interface PreparedMessages {
  /** How many rows there are that must be encoded first. */
  readonly work: number
  /** In steps; the trail stands at the rows. @internal */
  pack(sink: MessageSink, flags: number, trail: Trail): Generator<undefined, void, undefined>
  /** The path below the operation that a failure is about: which of the messages, and where in its record. */
  locate(message: number, path: string): string
}

/** How a thing is removed: `Destroy` (kernel 6.3) is no error when it is not there. Part of the message's name. */
export type Removal = 'Del' | 'Destroy'

/** A record while it is put together. */
export type Draft<R> = { -readonly [P in keyof R]: R[P] }

export type TableRecord = NftTableRecord
export type ChainRecord = NftChainRecord
export type RuleRecord = NftRuleRecord
export type SetRecord = NftSetRecord
export type ElementRecord = NftElementRecord
