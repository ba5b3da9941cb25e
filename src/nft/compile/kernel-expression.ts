import type { NftExpressionRecord } from '../../native/records.js'
import type { LoadExpression } from './kernel-load.js'

/** The kernel's expressions as records of `native/`; what statements compile to. */

/** What a rule consists of: expressions as compiled, and such as are kept without being understood. */
export type RuleExpression = KernelExpression | NftExpressionRecord

/** NFTA_DATA */
export type KernelData =
  | { readonly value: Uint8Array }
  | { readonly verdict: { readonly code: number; readonly chain?: string; readonly chainId?: number } }

/** One expression: `name` is NFTA_EXPR_NAME, `data` its attributes by the names of the addon's schemas. */
export type KernelExpression =
  | { readonly name: 'payload'; readonly data: PayloadData }
  | { readonly name: 'meta'; readonly data: LoadOrStore & { readonly key: number } }
  | {
      readonly name: 'ct'
      readonly data: LoadOrStore & { readonly key: number; readonly direction?: number }
    }
  | {
      readonly name: 'fib'
      readonly data: { readonly dreg: number; readonly result: number; readonly flags: number }
    }
  | LoadExpression
  | {
      readonly name: 'cmp'
      readonly data: { readonly sreg: number; readonly op: number; readonly data: KernelData }
    }
  | {
      readonly name: 'range'
      readonly data: {
        readonly sreg: number
        readonly op: number
        readonly fromData: KernelData
        readonly toData: KernelData
      }
    }
  | { readonly name: 'bitwise'; readonly data: BitwiseData }
  | {
      readonly name: 'byteorder'
      readonly data: {
        readonly sreg: number
        readonly dreg: number
        readonly op: number
        readonly len: number
        readonly size: number
      }
    }
  | { readonly name: 'lookup'; readonly data: LookupData }
  | { readonly name: 'immediate'; readonly data: { readonly dreg: number; readonly data: KernelData } }
  | StatefulExpression
  | { readonly name: 'objref'; readonly data: ObjrefData }
  | { readonly name: 'log'; readonly data: LogData }
  | { readonly name: 'reject'; readonly data: { readonly type: number; readonly icmpCode?: number } }
  | { readonly name: 'nat'; readonly data: NatData }
  | { readonly name: 'masq'; readonly data: PortData }
  | { readonly name: 'redir'; readonly data: PortData }
  | { readonly name: 'notrack'; readonly data: Readonly<Record<string, never>> }
  | { readonly name: 'queue'; readonly data: QueueData }
  | { readonly name: 'synproxy'; readonly data: SynproxyData }
  | { readonly name: 'tproxy'; readonly data: TproxyData }
  | { readonly name: 'dup'; readonly data: { readonly sregAddr?: number; readonly sregDev?: number } }
  | {
      readonly name: 'fwd'
      readonly data: { readonly sregDev: number; readonly sregAddr?: number; readonly nfproto?: number }
    }
  | { readonly name: 'flow_offload'; readonly data: { readonly tableName: string } }
  | { readonly name: 'dynset'; readonly data: DynsetData }

/** What rules and elements of sets have a state of. */
export type StatefulExpression =
  | { readonly name: 'counter'; readonly data: { readonly packets?: bigint; readonly bytes?: bigint } }
  | { readonly name: 'limit'; readonly data: LimitData }
  | { readonly name: 'quota'; readonly data: QuotaData }
  | { readonly name: 'connlimit'; readonly data: ConnlimitData }
  | { readonly name: 'last'; readonly data: LastData }

/** An expression that puts something into a register, or writes what a register has. */
export type LoadOrStore =
  | { readonly dreg: number; readonly sreg?: never }
  | { readonly sreg: number; readonly dreg?: never }

export type QuotaData = { readonly bytes: bigint; readonly consumed: bigint; readonly flags: number }

export type ConnlimitData = { readonly count: number; readonly flags: number }

export type LastData = { readonly set?: number; readonly msecs?: bigint }

export type ObjrefData =
  | { readonly immType: number; readonly immName: string; readonly setName?: never }
  | {
      readonly setSreg: number
      readonly setName: string
      readonly setId?: number
      readonly immType?: never
      readonly immName?: never
    }

export type QueueData =
  | { readonly num: number; readonly total: number; readonly sregQnum?: never; readonly flags?: number }
  | { readonly sregQnum: number; readonly num?: never; readonly total?: never; readonly flags?: number }

export type SynproxyData = { readonly mss?: number; readonly wscale?: number; readonly flags: number }

export type TproxyData = { readonly family: number; readonly regAddr?: number; readonly regPort?: number }

export type DynsetData = {
  readonly setName: string
  readonly setId?: number
  readonly op: number
  readonly sregKey: number
  readonly sregData?: number
  readonly timeout?: bigint
  readonly expr?: StatefulExpression
  readonly expressions?: readonly StatefulExpression[]
  readonly flags?: number
}

export type PayloadData = LoadOrStore & {
  readonly base: number
  readonly offset: number
  readonly len: number
  readonly csumType?: number
  readonly csumOffset?: number
  readonly csumFlags?: number
}

export type BitwiseData = {
  readonly sreg: number
  readonly dreg: number
  readonly len: number
  readonly op: number
  readonly mask?: KernelData
  readonly xor?: KernelData
  readonly data?: KernelData
  /** The second of two values that are combined. */
  readonly sreg2?: number
}

export type LookupData = {
  readonly set: string
  readonly sreg: number
  readonly dreg?: number
  readonly setId?: number
  readonly flags?: number
}

export type LimitData = {
  readonly rate: bigint
  readonly unit: bigint
  readonly type: number
  readonly burst?: number
  readonly flags: number
}

export type LogData = {
  readonly prefix?: string
  readonly group?: number
  readonly snaplen?: number
  readonly qthreshold?: number
  readonly level?: number
  readonly flags?: number
}

export type NatData = {
  readonly type: number
  readonly family: number
  readonly regAddrMin?: number
  readonly regAddrMax?: number
  readonly regProtoMin?: number
  readonly regProtoMax?: number
  readonly flags?: number
}

export type PortData = {
  readonly regProtoMin?: number
  readonly regProtoMax?: number
  readonly flags?: number
}
