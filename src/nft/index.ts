/** nf_tables: tables, chains, sets, maps and rules as typed values, in the vocabulary of libnftables' JSON. */
export type {
  ExprBitwiseRecord,
  ExprByteorderRecord,
  ExprCmpRecord,
  ExprConnlimitRecord,
  ExprCounterRecord,
  ExprCtRecord,
  ExprDupRecord,
  ExprDynsetRecord,
  ExprExthdrRecord,
  ExprFibRecord,
  ExprFlowOffloadRecord,
  ExprFwdRecord,
  ExprHashRecord,
  ExprImmediateRecord,
  ExprInnerRecord,
  ExprLastRecord,
  ExprLimitRecord,
  ExprLogRecord,
  ExprLookupRecord,
  ExprMasqRecord,
  ExprMatchRecord,
  ExprMetaRecord,
  ExprNatRecord,
  ExprNotrackRecord,
  ExprNumgenRecord,
  ExprObjrefRecord,
  ExprOsfRecord,
  ExprPayloadRecord,
  ExprQueueRecord,
  ExprQuotaRecord,
  ExprRangeRecord,
  ExprRedirRecord,
  ExprRejectRecord,
  ExprRtRecord,
  ExprSocketRecord,
  ExprSynproxyRecord,
  ExprTargetRecord,
  ExprTproxyRecord,
  ExprTunnelRecord,
  ExprXfrmRecord,
  NftDataRecord,
  NftElementRecord,
  NftExpressionRecord,
  NftSetDescRecord,
  NftSetFieldRecord,
  NftSetRecord,
  NftTraceRecord,
  NftVerdictRecord,
  OpaqueData,
  OpaqueEntry,
} from '../native/records.js'
export * from './builders/index.js'
export type { CommitOptions, CommitResult } from './commit.js'
export type {
  ChainReference,
  ChainRenaming,
  DeletableObject,
  FlushableObject,
  ObjectName,
  Operation,
  PreparedMessages,
  RuleReference,
  SetReferenceObject,
  StatefulReference,
  TableReference,
} from './compile/index.js'
export type { CountFilter, Counts, TableCounts } from './count.js'
export type { Change, DeletedObject, NftEvent, NftEventOptions, NftEvents } from './events.js'
export { iptablesRule } from './iptables-rule.js'
export {
  type JsonRuleset,
  type JsonSource,
  type Metainfo,
  type ParsedRuleset,
  ruleset,
  type ToJsonOptions,
} from './json/index.js'
export type { ListedKind, ListFilter } from './list.js'
export type * from './model/index.js'
export { Nft, type NftOptions } from './nft.js'
export {
  type Preparable,
  type Prepared,
  type PreparedSlot,
  type PrepareOptions,
  prepare,
  prepareElements,
  type Rows,
  type SlotValue,
  slot,
} from './prepare/index.js'
export type { ResetTarget } from './reset.js'
export { type RetryOptions, retryOnChange } from './retry.js'
export type { ElementsOptions, SetName } from './set-elements.js'
export { type TextOptions, type TextValue, toText } from './text/index.js'
export type {
  NftTrace,
  NftTraces,
  TracedConnection,
  TracedPacket,
  TracedVerdict,
  TraceOptions,
  TraceStep,
} from './traces.js'
export { type CheckOptions, Transaction } from './transaction.js'
