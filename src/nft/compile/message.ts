import type { KernelData, KernelExpression, RuleExpression } from './kernel-expression.js'

/** Where compiled messages go; `Packer` of `native/` is one. */
export interface MessageSink {
  add<K extends keyof Messages>(name: K, flags: number, record: Messages[K]): number
}

/** The messages that the compiler makes, with those properties that it sets. */
export type Messages = {
  nftNewTable: TableRecord
  nftDelTable: TableRecord
  nftNewChain: ChainRecord
  nftDelChain: ChainRecord
  nftNewRule: RuleRecord
  nftDelRule: RuleRecord
  nftNewSet: SetRecord
  nftDelSet: SetRecord
  nftNewElement: ElementListRecord
  nftDelElement: ElementListRecord
  nftNewObject: ObjectRecord
  nftDelObject: ObjectRecord
}

export type TableRecord = {
  readonly family: number
  readonly name?: string
  readonly flags?: number
  readonly handle?: bigint
  readonly userdata?: Uint8Array
}

export type ChainRecord = {
  readonly family: number
  readonly table: string
  readonly name?: string
  readonly handle?: bigint
  readonly type?: string
  readonly hook?: {
    readonly hooknum: number
    readonly priority: number
    readonly dev?: string
    readonly devs?: readonly string[]
  }
  readonly policy?: number
  readonly userdata?: Uint8Array
}

export type RuleRecord = {
  readonly family: number
  readonly table: string
  readonly chain?: string
  readonly handle?: bigint
  readonly position?: bigint
  readonly expressions?: readonly RuleExpression[]
  readonly userdata?: Uint8Array
}

export type SetRecord = {
  readonly family: number
  readonly table: string
  readonly name?: string
  readonly handle?: bigint
  readonly flags?: number
  readonly keyType?: number
  readonly keyLen?: number
  readonly dataType?: number
  readonly dataLen?: number
  readonly policy?: number
  readonly desc?: { readonly size?: number; readonly concat?: readonly { readonly len: number }[] }
  readonly id?: number
  readonly timeout?: bigint
  readonly gcInterval?: number
  readonly userdata?: Uint8Array
}

export type ElementRecord = {
  readonly key?: KernelData
  readonly keyEnd?: KernelData
  readonly data?: KernelData
  readonly flags?: number
  readonly timeout?: bigint
  readonly expiration?: bigint
  readonly userdata?: Uint8Array
  readonly expr?: KernelExpression
}

export type ElementListRecord = {
  readonly family: number
  readonly table: string
  readonly set: string
  readonly setId?: number
  readonly elements?: readonly ElementRecord[]
}

export type ObjectRecord = {
  readonly family: number
  readonly table: string
  readonly name?: string
  readonly type: number
  readonly handle?: bigint
  readonly data?: { readonly packets?: bigint; readonly bytes?: bigint }
  readonly userdata?: Uint8Array
}
