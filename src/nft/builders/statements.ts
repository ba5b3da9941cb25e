/** Verdicts and what leads to them, logs, rejection, translation. */
import { checkArray } from '../../input.js'
import { withInput } from '../../read-input.js'
import type {
  AcceptVerdict,
  ContinueVerdict,
  DnatStatement,
  DropVerdict,
  Expression,
  GotoVerdict,
  JumpVerdict,
  LogStatement,
  MapExpression,
  MasqueradeStatement,
  NatTarget,
  NotrackStatement,
  RedirectStatement,
  RejectStatement,
  ReturnVerdict,
  SetReference,
  SnatStatement,
  Verdict,
  VmapStatement,
} from '../model/index.js'
import { expressionOf, type Operand } from './field.js'

/** What becomes of the packet. */
export interface Verdicts {
  accept(): AcceptVerdict
  drop(): DropVerdict
  continue(): ContinueVerdict
  return(): ReturnVerdict
  jump(chain: string): JumpVerdict
  goto(chain: string): GotoVerdict
}

export const verdict: Verdicts = {
  accept: () => ({ accept: null }),
  drop: () => ({ drop: null }),
  continue: () => ({ continue: null }),
  return: () => ({ return: null }),
  jump: (chain) => ({ jump: { target: chain } }),
  goto: (chain) => ({ goto: { target: chain } }),
}

/** A literal verdict map by simple keys: `{ established: verdict.accept() }`. */
export type VerdictCases = Readonly<Record<string, Verdict>>

/** A literal verdict map by keys of any kind: `[[80, verdict.accept()], [{ range: [1, 5] }, verdict.drop()]]`. */
export type VerdictPairs = readonly (readonly [Expression, Verdict])[]

/** `vmap(match.ct.state, { established: verdict.accept() })`, `vmap(concat(…), '@name')`. */
export function vmap(key: Operand, data: VerdictPairs): VmapStatement
export function vmap(key: Operand, data: SetReference | VerdictCases): VmapStatement
export function vmap(key: Operand, data: SetReference | VerdictPairs | VerdictCases): VmapStatement {
  return withInput([key, data], 'vmap', '', () => ({
    vmap: { key: expressionOf(key), data: typeof data === 'string' ? data : { set: pairs(data) } },
  }))
}

function pairs(cases: VerdictPairs | VerdictCases): VerdictPairs {
  if (!isPairs(cases)) return Object.entries(cases)
  return checkArray(cases, 'vmap', 'data').map(([key, to]) => [key, to] as const)
}

function isPairs(cases: VerdictPairs | VerdictCases): cases is VerdictPairs {
  return Array.isArray(cases)
}

/** What `key` maps to. For a map that the transaction does not add, `type` says what it gives. */
export function map(
  key: Operand,
  data: SetReference | readonly (readonly [Expression, Expression])[],
  type?: MapExpression['map']['type'],
): MapExpression {
  return withInput([key, data], 'map', '', () => {
    const source: MapExpression['map']['data'] =
      typeof data === 'string'
        ? data
        : { set: checkArray(data, 'map', 'data').map(([from, to]) => [from, to] as const) }
    return { map: { key: expressionOf(key), data: source, ...(type === undefined ? {} : { type }) } }
  })
}

export function log(options: LogStatement['log'] = null): LogStatement {
  return { log: options }
}

/** Drops with an answer; without argument port unreachable, in the packet's own protocol. */
export function reject(options: RejectStatement['reject'] = null): RejectStatement {
  return { reject: options }
}

export function notrack(): NotrackStatement {
  return { notrack: null }
}

/** Where to; `map` instead of `addr` for the address, or the address and port, that a map gives. */
export interface NatOptions extends Omit<NatTarget, 'addr'> {
  readonly addr?: Expression
  readonly map?: {
    readonly key: Operand
    readonly data: SetReference | readonly (readonly [Expression, Expression])[]
    readonly type?: MapExpression['map']['type']
  }
}

function target({ map: mapped, addr, ...rest }: NatOptions): NatTarget {
  if (mapped !== undefined) return { ...rest, addr: map(mapped.key, mapped.data, mapped.type) }
  return addr === undefined ? rest : { ...rest, addr }
}

/** Address translation. */
export interface Nats {
  snat(options: NatOptions): SnatStatement
  /** `nat.dnat({ family: 'ip', addr: '10.0.0.1', port: 80 })`, `nat.dnat({ family: 'ip', map: { key, data: '@publish' } })` */
  dnat(options: NatOptions): DnatStatement
}

export const nat: Nats = {
  snat: (options) => ({ snat: target(options) }),
  dnat: (options) => ({ dnat: target(options) }),
}

export function masquerade(options: MasqueradeStatement['masquerade'] = null): MasqueradeStatement {
  return { masquerade: options }
}

export function redirect(options: RedirectStatement['redirect'] = null): RedirectStatement {
  return { redirect: options }
}
