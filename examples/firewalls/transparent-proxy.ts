/**
 * A transparent proxy: connections that are routed through this host are given to a local program, which sees the address
 * that the client asked for as its own (a socket with IP_TRANSPARENT). Packets keep their addresses; a mark has them routed
 * to this host. That routing is not a rule of nf_tables:
 *
 *     ip rule add fwmark 1 lookup 100
 *     ip route add local default dev lo table 100      (and the same with ip -6)
 *
 * While no program listens, tproxy does not match, and connections go where they were going.
 */
import { mangle, match, network, type RulesetObject, table, tproxy, verdict } from 'nfbridge/nft'
import { run } from './run.js'

export interface TransparentProxyOptions {
  /** The TCP ports whose connections the proxy gets. */
  readonly ports: readonly number[]
  /** Where the proxy listens. */
  readonly proxyPort: number
  /** The mark that policy routing looks for. */
  readonly mark: number
  /** Where clients connect themselves. */
  readonly direct: { readonly ip: readonly string[]; readonly ip6: readonly string[] }
}

export function firewall({ ports, proxyPort, mark, direct }: TransparentProxyOptions): RulesetObject[] {
  const proxy = table('inet', 'transparent_proxy')
  return [
    proxy.table({ comment: 'connections that a local program takes' }),
    proxy.set('ports', { type: 'inet_service', elem: ports }),
    proxy.set('direct', { type: 'ipv4_addr', flags: ['interval'], elem: direct.ip.map(network) }),
    proxy.set('direct6', { type: 'ipv6_addr', flags: ['interval'], elem: direct.ip6.map(network) }),
    proxy.chain('to_proxy'),
    proxy.rule('to_proxy', mangle(match.meta.mark, mark), verdict.accept()),

    proxy.chain('prerouting', { type: 'filter', hook: 'prerouting', prio: 'mangle' }),
    proxy.rule(
      { chain: 'prerouting', comment: 'connections that the proxy has already' },
      match.meta.l4proto.eq('tcp'),
      match.socket.transparent.eq(1),
      verdict.goto('to_proxy'),
    ),
    proxy.rule('prerouting', match.fib.type('daddr').eq('local'), verdict.return()),
    proxy.rule('prerouting', match.ip.daddr.inSet('direct'), verdict.return()),
    proxy.rule('prerouting', match.ip6.daddr.inSet('direct6'), verdict.return()),
    proxy.rule(
      'prerouting',
      match.tcp.dport.inSet('ports'),
      tproxy({ port: proxyPort }),
      verdict.goto('to_proxy'),
    ),
  ]
}

await run(import.meta, () =>
  firewall({
    ports: [80, 8080],
    proxyPort: 3129,
    mark: 1,
    direct: { ip: ['10.0.0.0/8', '192.168.0.0/16'], ip6: ['fd00::/8'] },
  }),
)
