/** The kernel's expressions that put a value into a register, beside those for headers, meta data and connections. */

export type LoadExpression =
  | { readonly name: 'exthdr'; readonly data: ExthdrData }
  | { readonly name: 'rt'; readonly data: { readonly dreg: number; readonly key: number } }
  | {
      readonly name: 'socket'
      readonly data: { readonly dreg: number; readonly key: number; readonly level?: number }
    }
  | {
      readonly name: 'osf'
      readonly data: { readonly dreg: number; readonly ttl: number; readonly flags?: number }
    }
  | { readonly name: 'numgen'; readonly data: NumgenData }
  | { readonly name: 'hash'; readonly data: HashData }
  | {
      readonly name: 'xfrm'
      readonly data: {
        readonly dreg: number
        readonly key: number
        readonly dir: number
        readonly spnum: number
      }
    }
  | { readonly name: 'tunnel'; readonly data: { readonly dreg: number; readonly key: number } }

export type ExthdrData = {
  readonly dreg: number
  readonly type: number
  readonly offset: number
  readonly len: number
  readonly op: number
  readonly flags?: number
}

export type NumgenData = {
  readonly dreg: number
  readonly type: number
  readonly modulus: number
  readonly offset?: number
}

export type HashData = {
  readonly dreg: number
  readonly type: number
  readonly modulus: number
  readonly offset?: number
  /** Of what is hashed: a symmetric hash has none. */
  readonly sreg?: number
  readonly len?: number
  readonly seed?: number
}
