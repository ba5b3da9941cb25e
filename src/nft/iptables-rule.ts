/**
 * Rules in the form in which iptables-nft writes its own. In its tables it reads no other: one rule that it does not know
 * makes `iptables -S` and `iptables-save`, and with them Docker and ufw, fail for the whole table.
 */
import { located, Trail } from './compile/index.js'
import { datatype, InvalidValue, quote, readNumber } from './datatype/index.js'
import { isIptablesFamily } from './iptables-tables.js'
import type {
  DatatypeName,
  Expression,
  MatchStatement,
  NatTarget,
  RejectStatement,
  Rule,
  Statement,
  XtAddressType,
  XtCtState,
  XtDecoded,
  XtNat,
  XtRange,
  XtUdp,
} from './model/index.js'

type Options = { readonly inv?: true }
type Field = 'sport' | 'dport'

/** What iptables has at the end of a rule: one target. */
type Target = Statement

/** The parts of a rule in the order in which iptables-nft writes them. */
class Parts {
  readonly family: 'ip' | 'ip6'
  readonly interfaces: Statement[] = []
  readonly addresses: Statement[] = []
  readonly matches: Statement[] = []
  protocol: Statement | undefined
  /** What `-m tcp` or `-m udp` tests: both ports are options of one match. */
  ports: { readonly protocol: 'tcp' | 'udp'; readonly options: XtUdp } | undefined
  counter: Statement | undefined
  target: Target | undefined

  constructor(family: 'ip' | 'ip6') {
    this.family = family
  }

  /** `-p tcp`: said once. */
  require(name: string, inv = false): void {
    const statement: Statement = {
      match: { op: inv ? '!=' : '==', left: { meta: { key: 'l4proto' } }, right: name },
    }
    if (this.protocol !== undefined && JSON.stringify(this.protocol) !== JSON.stringify(statement))
      throw new InvalidValue('iptables tests one protocol in a rule')
    this.protocol = statement
  }

  end(target: Target): void {
    if (this.target !== undefined)
      throw new InvalidValue('iptables has one target in a rule: make two rules of it')
    this.target = target
  }

  all(comment: string | undefined): Statement[] {
    return [
      ...this.interfaces,
      ...(this.protocol ? [this.protocol] : []),
      ...this.addresses,
      ...(this.ports ? [portsMatch(this.ports)] : []),
      ...this.matches,
      ...(comment === undefined
        ? []
        : [xt({ type: 'match', name: 'comment', rev: 0, options: { comment } })]),
      this.counter ?? { counter: { packets: 0, bytes: 0 } },
      ...(this.target ? [this.target] : []),
    ]
  }
}

function portsMatch({ protocol, options }: NonNullable<Parts['ports']>): Statement {
  return protocol === 'tcp'
    ? xt({ type: 'match', name: 'tcp', rev: 0, options })
    : xt({ type: 'match', name: 'udp', rev: 0, options })
}

const xt = (extension: XtDecoded): Statement => ({ xt: extension })

/**
 * The same rule in the form in which iptables-nft writes it, for tables of its own (`DOCKER-USER` or `INPUT` of `ip filter`).
 * It takes what iptables has words for: interfaces, addresses, protocols, ports, ICMP types, connection states, types of
 * addresses, marks, limits; a counter, which is added where there is none; one of `accept`, `drop`, `return`, `jump`, `goto`,
 * `reject`, `log`, `dnat`, `snat`, `masquerade`, `redirect`, a mark that is set. The comment becomes one of iptables.
 * @throws NfbridgeError NFB_INVALID_ARGUMENT with the path of the statement that iptables has no words for
 */
export function iptablesRule(rule: Rule): Rule {
  const trail = new Trail()
  try {
    const { family, comment, expr, ...rest } = rule
    if (!isIptablesFamily(family))
      throw new InvalidValue(`iptables has no tables of family ${family}: ip or ip6 is expected`)
    const parts = new Parts(family)
    trail.enter('expr')
    for (const [index, statement] of expr.entries()) {
      trail.enter(index)
      put(parts, statement)
      trail.leave()
    }
    trail.leave()
    return { family, ...rest, expr: parts.all(comment) }
  } catch (error) {
    throw located(error, 'iptablesRule', trail)
  }
}

function put(parts: Parts, statement: Statement): void {
  if ('match' in statement) putMatch(parts, statement.match)
  else if ('counter' in statement && (statement.counter === null || typeof statement.counter === 'object'))
    parts.counter = statement
  else if ('limit' in statement && isPlainLimit(statement.limit)) parts.matches.push(statement)
  else if ('xt' in statement && statement.xt.type === 'match') parts.matches.push(statement)
  else if (
    'accept' in statement ||
    'drop' in statement ||
    'return' in statement ||
    'jump' in statement ||
    'goto' in statement ||
    'xt' in statement
  )
    parts.end(statement)
  else parts.end(targetOf(parts, statement))
}

function isPlainLimit(limit: object | string): boolean {
  return (
    typeof limit === 'object' &&
    !('inv' in limit) &&
    !('rate_unit' in limit) &&
    !('burst_unit' in limit) &&
    !('map' in limit)
  )
}

function unsaid(what: unknown): InvalidValue {
  return new InvalidValue(
    `iptables has no words for ${quote(what)}, or nobody here knows them: use a table of your own`,
  )
}

/** `!=` as `inv`; other comparisons than equality iptables does not have. */
function inverted(op: MatchStatement['match']['op']): Options {
  if (op === '==') return {}
  if (op === '!=') return { inv: true }
  throw new InvalidValue(`iptables has no comparison ${op}`)
}

function putMatch(parts: Parts, match: MatchStatement['match']): void {
  const { op, left, right } = match
  if (typeof left !== 'object' || Array.isArray(left)) throw unsaid(left)
  if ('meta' in left) putMeta(parts, left.meta.key, op, right)
  else if ('payload' in left && 'protocol' in left.payload)
    putPayload(parts, left.payload.protocol, String(left.payload.field), match)
  else if ('ct' in left && left.ct.key === 'state') putState(parts, op, right)
  else if ('fib' in left && left.fib.result === 'type')
    putAddressType(parts, [left.fib.flags].flat(), op, right)
  else if ('&' in left && isMark(left['&'][0])) putMark(parts, op, right, numberOf('mark', left['&'][1]))
  else throw unsaid(left)
}

function isMark(value: Expression | undefined): boolean {
  return typeof value === 'object' && !Array.isArray(value) && 'meta' in value && value.meta.key === 'mark'
}

function putPayload(
  parts: Parts,
  protocol: string,
  field: string,
  { op, left, right }: MatchStatement['match'],
): void {
  if (protocol === parts.family) putAddress(parts, left, field, op, right)
  else if (protocol === 'tcp' || protocol === 'udp') putPort(parts, protocol, field, op, right)
  else if (protocol === 'icmp' || protocol === 'icmpv6') putIcmp(parts, protocol, field, op, right)
  else throw unsaid(left)
}

function putMeta(parts: Parts, key: string, op: MatchStatement['match']['op'], right: Expression): void {
  if (key === 'iifname' || key === 'oifname') {
    if (typeof right !== 'string' || right.startsWith('@')) throw unsaid(right)
    inverted(op)
    parts.interfaces.push({ match: { op, left: { meta: { key } }, right } })
  } else if (key === 'l4proto') {
    if (typeof right !== 'string') throw unsaid(right)
    parts.require(right, inverted(op).inv)
  } else if (key === 'mark') putMark(parts, op, right, 0xffffffff)
  else throw unsaid({ meta: { key } })
}

function putMark(parts: Parts, op: MatchStatement['match']['op'], right: Expression, mask: number): void {
  const value = [numberOf('mark', right), mask] as const
  parts.matches.push(
    xt({ type: 'match', name: 'mark', rev: 1, options: { mark: { value, ...inverted(op) } } }),
  )
}

function putAddress(
  parts: Parts,
  left: Expression,
  field: string,
  op: MatchStatement['match']['op'],
  right: Expression,
): void {
  const { inv } = inverted(op)
  if (field === 'protocol' || field === 'nexthdr') {
    if (typeof right !== 'string') throw unsaid(right)
    parts.require(right, inv)
    return
  }
  if (field !== 'saddr' && field !== 'daddr') throw unsaid(left)
  if (typeof right === 'object' && 'range' in right) {
    const [low, high] = right.range
    if (typeof low !== 'string' || typeof high !== 'string') throw unsaid(right)
    const side = field === 'saddr' ? 'src-range' : 'dst-range'
    const options = { [side]: { value: [low, high] as const, ...(inv && { inv }) } }
    parts.matches.push(xt({ type: 'match', name: 'iprange', rev: 1, options }))
    return
  }
  const isPrefix = typeof right === 'object' && 'prefix' in right
  if (!isPrefix && (typeof right !== 'string' || right.startsWith('@'))) throw unsaid(right)
  parts.addresses.push({ match: { op, left, right } })
}

function numberOf(type: DatatypeName, value: Expression | undefined): number {
  if (typeof value !== 'string' && typeof value !== 'number') throw unsaid(value)
  const known = datatype(type)
  if (known.parse) return Number(known.parse(value, known.bits))
  const bytes = new Uint8Array(Math.ceil(known.bits / 8))
  known.write(value, bytes, 0, bytes.length, 'big')
  return Number(readNumber(bytes, 0, bytes.length, 'big'))
}

function rangeOf(type: DatatypeName, value: Expression): XtRange {
  if (typeof value === 'object' && 'range' in value)
    return [numberOf(type, value.range[0]), numberOf(type, value.range[1])]
  const number = numberOf(type, value)
  return [number, number]
}

function putPort(
  parts: Parts,
  protocol: 'tcp' | 'udp',
  field: string,
  op: MatchStatement['match']['op'],
  right: Expression,
): void {
  if (field !== 'sport' && field !== 'dport') throw unsaid({ payload: { protocol, field } })
  const side: Field = field
  parts.require(protocol)
  const inv = inverted(op)
  if (typeof right === 'object' && 'set' in right) {
    const ports = right.set.map((each) => {
      if (Array.isArray(each) || (typeof each === 'object' && 'elem' in each)) throw unsaid(each)
      const [low, high] = rangeOf('inet_service', each as Expression)
      return low === high ? low : ([low, high] as const)
    })
    const options = { side: side === 'sport' ? ('sports' as const) : ('dports' as const), ports, ...inv }
    parts.matches.push(xt({ type: 'match', name: 'multiport', rev: 1, options }))
    return
  }
  if (parts.ports?.options[side] !== undefined)
    throw new InvalidValue(`iptables tests a ${side} once in a rule`)
  const options = { ...parts.ports?.options, [side]: { value: rangeOf('inet_service', right), ...inv } }
  parts.ports = { protocol, options }
}

function putIcmp(
  parts: Parts,
  protocol: 'icmp' | 'icmpv6',
  field: string,
  op: MatchStatement['match']['op'],
  right: Expression,
): void {
  if (field !== 'type' || (protocol === 'icmp') !== (parts.family === 'ip'))
    throw unsaid({ payload: { protocol, field } })
  parts.require(protocol === 'icmp' ? 'icmp' : 'ipv6-icmp')
  const type = numberOf(protocol === 'icmp' ? 'icmp_type' : 'icmpv6_type', right)
  const options = { type, code: [0, 0xff] as const, ...inverted(op) }
  parts.matches.push(
    protocol === 'icmp'
      ? xt({ type: 'match', name: 'icmp', rev: 0, options })
      : xt({ type: 'match', name: 'icmp6', rev: 0, options }),
  )
}

const states: { readonly [state: string]: XtCtState } = {
  invalid: 'INVALID',
  established: 'ESTABLISHED',
  related: 'RELATED',
  new: 'NEW',
  untracked: 'UNTRACKED',
}

/** One of several, whether they stand as a list, a set or one alone. */
function namesIn(right: Expression): readonly unknown[] {
  if (typeof right !== 'object') return [right]
  if (Array.isArray(right)) return right
  return 'set' in right ? right.set : [right]
}

function putState(parts: Parts, op: MatchStatement['match']['op'], right: Expression): void {
  const value = namesIn(right).map((name) => {
    const state = typeof name === 'string' ? states[name] : undefined
    if (state === undefined) throw unsaid(name)
    return state
  })
  const inv = op === '!' || op === '!='
  if (!inv && op !== 'in' && op !== '==') throw unsaid(op)
  const ctstate = { value, ...(inv && { inv: true as const }) }
  parts.matches.push(xt({ type: 'match', name: 'conntrack', rev: 3, options: { ctstate } }))
}

function putAddressType(
  parts: Parts,
  flags: readonly string[],
  op: MatchStatement['match']['op'],
  right: Expression,
): void {
  const [side, device, ...more] = flags
  if ((side !== 'saddr' && side !== 'daddr') || more.length > 0) throw unsaid({ fib: { flags } })
  const value = namesIn(right).map((name) => {
    const type =
      typeof name === 'string' ? addressTypes.find((each) => each === name.toUpperCase()) : undefined
    if (type === undefined) throw unsaid(name)
    return type
  })
  const limit = device === 'iif' ? ('in' as const) : device === 'oif' ? ('out' as const) : undefined
  if (device !== undefined && limit === undefined) throw unsaid({ fib: { flags } })
  const options = {
    [side === 'saddr' ? 'src-type' : 'dst-type']: { value, ...inverted(op) },
    ...(limit && { 'limit-iface': limit }),
  }
  parts.matches.push(xt({ type: 'match', name: 'addrtype', rev: 1, options }))
}

const addressTypes: readonly XtAddressType[] = [
  'UNICAST',
  'LOCAL',
  'BROADCAST',
  'ANYCAST',
  'MULTICAST',
  'BLACKHOLE',
  'UNREACHABLE',
  'PROHIBIT',
]

function targetOf({ family }: Parts, statement: Statement): Target {
  if ('reject' in statement) {
    const options = { 'reject-with': rejectName(statement.reject, family) }
    return xt({ type: 'target', name: 'REJECT', rev: 0, options })
  }
  if ('log' in statement && (statement.log === null || statement.log.group === undefined)) {
    const { prefix = '', level = 'warn', flags, snaplen, 'queue-threshold': threshold } = statement.log ?? {}
    const number = ['emerg', 'alert', 'crit', 'err', 'warn', 'notice', 'info', 'debug'].indexOf(level)
    if (flags !== undefined || snaplen !== undefined || threshold !== undefined || number < 0)
      throw unsaid(statement)
    return xt({ type: 'target', name: 'LOG', rev: 0, options: { level: number, flags: 0, prefix } })
  }
  if ('dnat' in statement)
    return xt({ type: 'target', name: 'DNAT', rev: 2, options: natOptions(statement.dnat) })
  if ('snat' in statement)
    return xt({
      type: 'target',
      name: 'SNAT',
      rev: family === 'ip' ? 0 : 1,
      options: natOptions(statement.snat),
    })
  if ('masquerade' in statement)
    return xt({ type: 'target', name: 'MASQUERADE', rev: 0, options: natOptions(statement.masquerade ?? {}) })
  if ('redirect' in statement)
    return xt({ type: 'target', name: 'REDIRECT', rev: 0, options: natOptions(statement.redirect ?? {}) })
  if ('mangle' in statement && 'meta' in statement.mangle.key && statement.mangle.key.meta.key === 'mark') {
    const options = { 'set-xmark': [numberOf('mark', statement.mangle.value), 0xffffffff] as const }
    return xt({ type: 'target', name: 'MARK', rev: 2, options })
  }
  throw unsaid(statement)
}

function rejectName(reject: RejectStatement['reject'], family: 'ip' | 'ip6'): string {
  if (reject?.type === 'tcp reset') return 'tcp-reset'
  const code = reject?.expr ?? 'port-unreachable'
  if (typeof code !== 'string' || (reject !== null && reject.type !== (family === 'ip' ? 'icmp' : 'icmpv6')))
    throw unsaid({ reject })
  const renamed: { readonly [code: string]: string } =
    family === 'ip' ? { 'prot-unreachable': 'proto-unreachable' } : { 'admin-prohibited': 'adm-prohibited' }
  return `${family === 'ip' ? 'icmp' : 'icmp6'}-${renamed[code] ?? code}`
}

function natOptions({ addr, port, flags }: Pick<NatTarget, 'addr' | 'port' | 'flags'>): XtNat {
  if (flags !== undefined) throw unsaid({ flags })
  const address = addr === undefined ? undefined : textRange(addr)
  return {
    ...(address && { address }),
    ...(port !== undefined && { port: rangeOf('inet_service', port) }),
  }
}

function textRange(value: Expression): readonly [low: string, high: string] {
  if (typeof value === 'string' && !value.startsWith('@')) return [value, value]
  if (typeof value === 'object' && 'range' in value) {
    const [low, high] = value.range
    if (typeof low === 'string' && typeof high === 'string') return [low, high]
  }
  throw unsaid(value)
}
