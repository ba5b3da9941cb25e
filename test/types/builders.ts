/**
 * What must not compile with the builders, beside what must: `tsc -p tsconfig.test.json` checks it (npm run check), for an
 * `@ts-expect-error` without an error is one. Nothing here is run.
 */
import {
  concat,
  ctTimeout,
  type Expression,
  elements,
  jhash,
  limit,
  log,
  mangle,
  map,
  masquerade,
  match,
  meter,
  nat,
  numgen,
  quota,
  redirect,
  reject,
  type Statement,
  table,
  verdict,
  vmap,
} from '../../src/nft/index.js'

/** Things that compile or not; none is used. */
export const checked: unknown[] = []
const check = (...values: readonly unknown[]): void => void checked.push(...values)

// The words of the issue.
check(match.tcp.dport.in(80, 443), verdict.jump('x'))

// Fields and keys: a header has its own, and so has the connection.
check(
  match.tcp.flags,
  match.ip6.hoplimit,
  match.arp['saddr ip'],
  match.meta.skuid,
  match.ct.original.ip.saddr,
)
// @ts-expect-error udp has no flags
check(match.udp.flags)
// @ts-expect-error there is no such header
check(match.http)
// @ts-expect-error no key of meta
check(match.meta.user)
// @ts-expect-error no key of ct
check(match.ct.user)
// @ts-expect-error a state has no direction
check(match.ct.original.state)

// Values: numbers are numbers, names are those that nft knows.
check(match.tcp.dport.eq(80), match.tcp.dport.between(1, 1024), match.tcp.dport.in({ range: [1, 5] }, 80))
check(match.ip.saddr.eq('10.0.0.0/8'), match.meta.l4proto.in('tcp', 132), match.ct.state.in('new'))
// @ts-expect-error a port is a number
check(match.tcp.dport.eq('http'))
// @ts-expect-error an address is no number
check(match.ip.saddr.eq(1))
// @ts-expect-error no such state
check(match.ct.state.in('old'))
// @ts-expect-error no such protocol
check(match.meta.l4proto.eq('http'))
// @ts-expect-error no such message
check(match.icmp.type.eq('ping'))
// @ts-expect-error a message of IPv6 only
check(match.icmp.type.eq('nd-neighbor-solicit'))
// @ts-expect-error flags are names
check(match.tcp.flags.eq('syn', 'fun'))
// @ts-expect-error at least one state
check(match.ct.state.in())
// @ts-expect-error no such type of address
check(match.fib.type('daddr').eq('remote'))
// @ts-expect-error no such part of the packet
check(match.fib.type('port'))
// @ts-expect-error no such base
check(match.raw('xx', 0, 8))

// Operators: what has an order is compared, flags are tested, concatenations are looked up.
// @ts-expect-error a state is not less than another
check(match.ct.state.lt('new'))
// @ts-expect-error only the answer of fib may be missing
check(match.tcp.dport.missing())
// @ts-expect-error a concatenation has no order
check(concat(match.ip.saddr, match.tcp.dport).lt(5))
// @ts-expect-error one field is no concatenation
check(concat(match.ip.saddr))

// Verdicts and statements in their places.
check(vmap(match.ct.state, { established: verdict.accept() }), vmap(match.tcp.dport, [[80, verdict.drop()]]))
check(map(match.ip.saddr, [['10.0.0.1', 5]]))
// @ts-expect-error a verdict map gives verdicts
check(vmap(match.tcp.dport, [[80, 'accept']]))
// @ts-expect-error a statement is no verdict
check(vmap(match.ct.state, { new: log() }))
// @ts-expect-error a map of values gives no verdicts: that is vmap
check(map(match.ip.saddr, [['10.0.0.1', verdict.accept()]]))
// @ts-expect-error where to is missing
check(verdict.jump())
// @ts-expect-error no such verdict
check(verdict.allow())
// @ts-expect-error no such unit of time
check(limit({ rate: 5, per: 'fortnight' }))
// @ts-expect-error a reset has no code
check(reject({ type: 'tcp reset', expr: 'port-unreachable' }))
// @ts-expect-error a code of IPv6
check(reject({ type: 'icmp', expr: 'no-route' }))
// @ts-expect-error no such level
check(log({ level: 'loud' }))
// @ts-expect-error masquerade chooses the address itself
check(masquerade({ addr: '10.0.0.1' }))
// @ts-expect-error netmap is for addresses
check(redirect({ flags: 'netmap' }))
// @ts-expect-error no such family of addresses
check(nat.dnat({ family: 'arp', addr: '10.0.0.1' }))

// Tables: chains as the family has them, rules that end where they end, maps that give what they say.
const filter = table('inet', 'filter')
const port80 = match.tcp.dport.eq(80)
check(
  filter.table({ comment: 'mine', flags: ['dormant'] }),
  filter.chain('services'),
  filter.chain('input', { type: 'filter', hook: 'input', prio: 'filter', policy: 'drop' }),
  filter.chain('early', { type: 'filter', hook: 'ingress', prio: 'filter - 5', dev: 'eth0' }),
  filter.rule('input', port80, verdict.accept()),
  filter.rule({ chain: 'input', comment: 'web' }, port80, log(), verdict.accept()),
  filter.rule('input', port80, verdict.continue(), log()),
  filter.map('ports', { type: 'inet_service', map: 'verdict', elem: [[80, verdict.accept()]] }),
  filter.map('marks', { type: 'ipv4_addr', map: 'mark', elem: [['10.0.0.1', 1]] }),
  table('netdev', 'x').chain('in', { type: 'filter', hook: 'ingress', prio: -500, dev: ['eth0', 'eth1'] }),
  table('bridge', 'x').chain('in', { type: 'filter', hook: 'prerouting', prio: 'dstnat' }),
)
// @ts-expect-error no such family
check(table('ipv4', 'filter'))
// @ts-expect-error translation has no forward hook
check(filter.chain('x', { type: 'nat', hook: 'forward', prio: 0 }))
// @ts-expect-error a route chain is for what leaves
check(filter.chain('x', { type: 'route', hook: 'input', prio: 0 }))
// @ts-expect-error no such policy
check(filter.chain('x', { type: 'filter', hook: 'input', prio: 0, policy: 'reject' }))
// @ts-expect-error a base chain has a priority
check(filter.chain('x', { type: 'filter', hook: 'input' }))
// @ts-expect-error a priority of the bridge family
check(filter.chain('x', { type: 'filter', hook: 'input', prio: 'out' }))
// @ts-expect-error a policy without a hook
check(filter.chain('x', { policy: 'drop' }))
// @ts-expect-error ingress needs its interface
check(filter.chain('x', { type: 'filter', hook: 'ingress', prio: 0 }))
// @ts-expect-error only inet and netdev have ingress
check(table('ip', 'x').chain('x', { type: 'filter', hook: 'ingress', prio: 0, dev: 'eth0' }))
// @ts-expect-error a bridge translates nothing
check(table('bridge', 'x').chain('x', { type: 'nat', hook: 'prerouting', prio: 0 }))
// @ts-expect-error arp forwards nothing
check(table('arp', 'x').chain('x', { type: 'filter', hook: 'forward', prio: 0 }))
// @ts-expect-error nothing follows a verdict
check(filter.rule('input', verdict.accept(), log()))
// @ts-expect-error nor a rejection
check(filter.rule('input', reject(), port80))
// @ts-expect-error a rule says something
check(filter.rule('input'))
// @ts-expect-error a field is no statement: what is it compared with?
check(filter.rule('input', match.tcp.dport, verdict.accept()))
// @ts-expect-error the map gives verdicts
check(filter.map('x', { type: 'inet_service', map: 'verdict', elem: [[80, 5]] }))
// @ts-expect-error the map gives marks
check(filter.map('x', { type: 'ipv4_addr', map: 'mark', elem: [['10.0.0.1', verdict.drop()]] }))
// @ts-expect-error no such type
check(filter.set('x', { type: 'ipv4' }))
// @ts-expect-error no such flag
check(filter.set('x', { type: 'ipv4_addr', flags: ['ranges'] }))

// Writing: what the kernel lets rules write, with values of its kind.
check(
  mangle(match.meta.mark, 1),
  mangle(match.meta.mark, match.meta.mark.or(0x4000)),
  mangle(match.ip.ttl, 64),
)
check(mangle(match.ct.mark, match.meta.mark), mangle(match.tcpOption.maxseg.size, match.rt.mtu))
check(
  mangle(match.meta.mark, map(match.ip.saddr, '@marks')),
  mangle({ ct: { key: 'event' } }, ['new', 'destroy']),
)
// @ts-expect-error an interface cannot be written
check(mangle(match.meta.iif, 1))
// @ts-expect-error nor a connection's state
check(mangle(match.ct.state, 'new'))
// @ts-expect-error nor an answer of the routing table
check(mangle(match.fib.oif('daddr'), 1))
// @ts-expect-error a mark is a number
check(mangle(match.meta.mark, 'red'))

// Sets that rules fill: the key comes from the packet, what elements keep is a state.
check(elements.update('seen', match.ip.saddr, { timeout: 60, stmt: [limit({ rate: 3, inv: true })] }))
check(elements.add('marks', concat(match.ip.saddr, match.tcp.dport), { data: 5 }))
// @ts-expect-error a constant is added by a transaction
check(elements.add('seen', '10.0.0.1'))
// @ts-expect-error a log is no state
check(elements.add('seen', match.ip.saddr, { stmt: [log()] }))
// @ts-expect-error a verdict neither
check(meter('m', match.ip.saddr, verdict.drop()))

// Expressions of the kernel's own.
check(match.socket.transparent.eq(1), numgen.random(2).eq(0), jhash(match.ip.saddr, { mod: 2 }).eq(1))
check(match.exthdr.frag.exists(), match.exthdr.rt2.addr.eq('fd00::1'), match.ipOption.lsrr.missing())
// @ts-expect-error a hash is of something
check(jhash({ mod: 2 }))
// @ts-expect-error no such option
check(match.tcpOption.mss)
// @ts-expect-error a header with names has no order
check(match.exthdr.frag.lt(1))
// @ts-expect-error no key of sockets
check(match.socket.uid)
// @ts-expect-error no such day
check(match.meta.day.eq('Mon'))
// @ts-expect-error its address comes with a family
check(match.ipsec('in').saddr)

// Named objects.
const inet = table('inet', 'x')
check(inet.quota('q', { bytes: 500 }), inet.limit('l', { rate: 5, per: 'minute' }), quota('q'), limit('l'))
check(inet.ctTimeout('t', { protocol: 'tcp', policy: { established: 100 } }), ctTimeout('t'))
check(inet.map('c', { type: 'ipv4_addr', map: 'counter', elem: [['10.0.0.1', 'c1']] }))
// @ts-expect-error a state of TCP
check(inet.ctTimeout('t', { protocol: 'udp', policy: { established: 100 } }))
// @ts-expect-error nobody helps icmp
check(inet.ctHelper('h', { type: 'ftp', protocol: 'icmp' }))
// @ts-expect-error how much is missing
check(inet.quota('q', { inv: true }))

// The plain values of the model are as strict as the builders that make them.
const key = { meta: { key: 'l4proto' } } as const
const verdictMap: Statement = { vmap: { key, data: { set: [['tcp', { accept: null }]] } } }
const valueMap: Expression = { map: { key, data: { set: [['tcp', 1]] } } }
check(verdictMap, valueMap)
// @ts-expect-error no verdict in a verdict map
const noVerdict: Statement = { vmap: { key, data: { set: [['tcp', 1]] } } }
// @ts-expect-error keys alone are no map
const noMap: Statement = { vmap: { key, data: { set: ['tcp'] } } }
// @ts-expect-error a verdict as a value
const verdictAsValue: Expression = { map: { key, data: { set: [['tcp', { accept: null }]] } } }
// @ts-expect-error no such operator
const noOperator: Statement = { match: { op: '=', left: key, right: 'tcp' } }
// @ts-expect-error no such key
const noKey: Expression = { meta: { key: 'l4' } }
// @ts-expect-error a key of connections that needs a direction
const noDirection: Expression = { ct: { key: 'proto-src' } }
// @ts-expect-error a field of another header
const otherField: Expression = { payload: { protocol: 'udp', field: 'flags' } }
// @ts-expect-error what cannot be written
const notWritten: Statement = { mangle: { key: { meta: { key: 'iif' } }, value: 1 } }
check(noVerdict, noMap, verdictAsValue, noOperator, noKey, noDirection, otherField, notWritten)
