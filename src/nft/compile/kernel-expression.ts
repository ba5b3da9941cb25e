import type { OpaqueExpression } from '../model/index.js'
import type { LoadExpression } from './kernel-load.js'

/** The kernel's expressions as records of `native/`; what statements compile to. */

/** What a rule consists of: expressions as compiled, and such as are kept without being understood. */
export type RuleExpression = KernelExpression | OpaqueExpression

/** NFTA_DATA */
export type KernelData =
  | { readonly value: Uint8Array }
  | { readonly verdict: { readonly code: number; readonly chain?: string } }

/** One expression: `name` is NFTA_EXPR_NAME, `data` its attributes by the names of the addon's schemas. */
export type KernelExpression =
  | { readonly name: 'payload'; readonly data: PayloadData }
  | { readonly name: 'meta'; readonly data: { readonly dreg: number; readonly key: number } }
  | {
      readonly name: 'ct'
      readonly data: { readonly dreg: number; readonly key: number; readonly direction?: number }
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
  | { readonly name: 'counter'; readonly data: { readonly packets?: bigint; readonly bytes?: bigint } }
  | { readonly name: 'objref'; readonly data: { readonly immType: number; readonly immName: string } }
  | { readonly name: 'limit'; readonly data: LimitData }
  | { readonly name: 'log'; readonly data: LogData }
  | { readonly name: 'reject'; readonly data: { readonly type: number; readonly icmpCode?: number } }
  | { readonly name: 'nat'; readonly data: NatData }
  | { readonly name: 'masq'; readonly data: PortData }
  | { readonly name: 'redir'; readonly data: PortData }
  | { readonly name: 'notrack'; readonly data: Readonly<Record<string, never>> }

export type PayloadData = {
  readonly dreg: number
  readonly base: number
  readonly offset: number
  readonly len: number
}

export type BitwiseData = {
  readonly sreg: number
  readonly dreg: number
  readonly len: number
  readonly op: number
  readonly mask?: KernelData
  readonly xor?: KernelData
  readonly data?: KernelData
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
