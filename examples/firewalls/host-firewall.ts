/**
 * A host's own firewall: what is not allowed in is logged now and then, and dropped. Answers come in by the state of
 * their connection, services by a set of ports, administrators by sets of networks.
 */
import { counter, limit, log, match, network, type RulesetObject, table, verdict, vmap } from 'nfbridge/nft'
import { run } from './run.js'

export interface HostFirewallOptions {
  /** Who may use SSH: networks, ranges and addresses, `192.0.2.0/24`, `192.0.2.5-192.0.2.9`. */
  readonly administrators: { readonly ip: readonly string[]; readonly ip6: readonly string[] }
  /** TCP ports that are open to everybody. */
  readonly services: readonly number[]
  /** Senders that are not even answered. */
  readonly blocked?: readonly string[]
}

export function firewall({ administrators, services, blocked = [] }: HostFirewallOptions): RulesetObject[] {
  const host = table('inet', 'host_firewall')
  const networks = { flags: ['interval'], 'auto-merge': true } as const
  const tooMany = limit({ rate: 10, per: 'second', burst: 3, inv: true })
  return [
    host.table({ comment: 'what comes to this host' }),
    host.set('admins', { type: 'ipv4_addr', ...networks, elem: administrators.ip.map(network) }),
    host.set('admins6', { type: 'ipv6_addr', ...networks, elem: administrators.ip6.map(network) }),
    host.set('blocked', { type: 'ipv4_addr', ...networks, elem: blocked.map(network) }),
    host.set('services', { type: 'inet_service', elem: services }),
    host.counter('blocked_packets'),

    host.chain('input', { type: 'filter', hook: 'input', prio: 'filter', policy: 'drop' }),
    host.chain('icmp_messages'),
    host.chain('tcp_services'),

    host.rule('input', match.iifname.eq('lo'), verdict.accept()),
    host.rule('input', match.ip.saddr.inSet('blocked'), counter('blocked_packets'), verdict.drop()),
    // Before the state: all pings of one sender are one connection, established by the first answer.
    host.rule('input', match.icmp.type.eq('echo-request'), tooMany, verdict.drop()),
    host.rule('input', match.icmpv6.type.eq('echo-request'), tooMany, verdict.drop()),
    host.rule(
      'input',
      vmap(match.ct.state, {
        established: verdict.accept(),
        related: verdict.accept(),
        invalid: verdict.drop(),
      }),
    ),
    host.rule(
      'input',
      vmap(match.meta.l4proto, {
        icmp: verdict.jump('icmp_messages'),
        'ipv6-icmp': verdict.jump('icmp_messages'),
        tcp: verdict.jump('tcp_services'),
      }),
    ),
    host.rule(
      { chain: 'input', comment: 'what is left is dropped by the policy' },
      limit({ rate: 5, per: 'minute', burst: 10 }),
      log({ prefix: 'dropped: ', flags: 'ip options' }),
    ),

    host.rule(
      { chain: 'icmp_messages', comment: 'without these there is no IPv6; from the link only' },
      match.ip6.hoplimit.eq(255),
      match.icmpv6.type.in(
        'nd-neighbor-solicit',
        'nd-neighbor-advert',
        'nd-router-solicit',
        'nd-router-advert',
      ),
      verdict.accept(),
    ),
    host.rule(
      'icmp_messages',
      match.icmpv6.type.in('packet-too-big', 'time-exceeded', 'parameter-problem'),
      verdict.accept(),
    ),
    host.rule('icmp_messages', match.icmp.type.eq('echo-request'), verdict.accept()),
    host.rule('icmp_messages', match.icmpv6.type.eq('echo-request'), verdict.accept()),

    host.rule('tcp_services', match.ct.state.in('new'), match.tcp.dport.inSet('services'), verdict.accept()),
    host.rule('tcp_services', match.tcp.dport.eq(22), match.ip.saddr.inSet('admins'), verdict.accept()),
    host.rule('tcp_services', match.tcp.dport.eq(22), match.ip6.saddr.inSet('admins6'), verdict.accept()),
  ]
}

await run(import.meta, () =>
  firewall({
    administrators: { ip: ['192.0.2.0/24', '203.0.113.5-203.0.113.9'], ip6: ['2001:db8:1::/48'] },
    services: [80, 443],
    blocked: ['198.51.100.0/24'],
  }),
)
