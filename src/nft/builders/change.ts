/** Statements that change packets, or send them elsewhere. */
import type {
  DupStatement,
  Expression,
  FlowStatement,
  FwdStatement,
  Immediate,
  MangleStatement,
  MangleTarget,
  QueueStatement,
  ResetStatement,
  TcpOptionFields,
  TproxyStatement,
} from '../model/index.js'
import { expressionOf, type Field, type FlagField, type Operand } from './field.js'

/** Something that rules can write, of the builders: `match.meta.mark`, `match.ip.dscp`, `match.ct.mark`. */
export type Writable<V extends Immediate> = (Field<V> | FlagField<V>) & { readonly expression: MangleTarget }

/** A value that is known for each packet only: what a map gives, another field, a calculation. */
export type Computed = Exclude<Expression, Immediate> | { readonly expression: Expression }

/**
 * Writes a field, `meta mark set 1`: `mangle(match.meta.mark, 1)`, `mangle(match.meta.mark, match.meta.mark.or(0x4000))`,
 * `mangle(match.ct.mark, match.meta.mark)`.
 */
export function mangle<V extends Immediate>(
  target: Writable<V>,
  value: NoInfer<V> | Computed,
): MangleStatement
/** What has no field, because rules write it only: `mangle({ ct: { key: 'event' } }, ['new', 'destroy'])`. */
export function mangle(target: MangleTarget, value: Operand): MangleStatement
export function mangle(target: Writable<Immediate> | MangleTarget, value: Operand): MangleStatement {
  const key = 'expression' in target ? target.expression : target
  return { mangle: { key, value: expressionOf(value) } }
}

/** Gives the packet to a local socket without changing its addresses: `tproxy({ port: 3129 })`. */
export function tproxy(options: TproxyStatement['tproxy']): TproxyStatement {
  return { tproxy: options }
}

/** Sends a copy: `dup({ addr: '10.0.0.1', dev: 'eth1' })`. */
export function dup(options: DupStatement['dup']): DupStatement {
  return { dup: options }
}

/** Sends the packet out of an interface (family netdev): `fwd({ dev: 'eth1' })`. */
export function fwd(options: FwdStatement['fwd']): FwdStatement {
  return { fwd: options }
}

/** Hands the packet to a program: `queue({ num: 1, flags: 'bypass' })`; queue 0 by default. */
export function queue(options: QueueStatement['queue'] = null): QueueStatement {
  return { queue: options }
}

/** Hands the connection's packets to a flowtable. */
export function flow(flowtable: string): FlowStatement {
  return {
    flow: { op: 'add', flowtable: flowtable.startsWith('@') ? `@${flowtable.slice(1)}` : `@${flowtable}` },
  }
}

/** Takes a TCP option out of the packet: `resetTcpOption('md5sig')`. */
export function resetTcpOption(name: keyof TcpOptionFields): ResetStatement {
  return { reset: { 'tcp option': { name } } }
}
