import type {
  MessageName,
  MessageRecords,
  NftChainRecord,
  NftElementRecord,
  NftRuleRecord,
  NftSetRecord,
  NftTableRecord,
} from '../../native/records.js'

/** Where compiled messages go; `Packer` of `native/` is one. Returns the message's index in the batch. */
export interface MessageSink {
  add<K extends MessageName>(name: K, flags: number, record: MessageRecords[K]): number
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
