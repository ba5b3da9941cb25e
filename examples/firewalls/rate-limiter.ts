/**
 * Limits for each client, kept in sets that the rules themselves fill: who opens too many SSH connections in a minute is
 * shut out for a while, who sends HTTP connections too fast is refused, and nobody holds more than so many at a time.
 */
import {
  concat,
  counter,
  ctCount,
  elements,
  limit,
  match,
  type RulesetObject,
  reject,
  table,
  verdict,
} from 'nfbridge/nft'
import { run } from './run.js'

export interface RateLimiterOptions {
  readonly ssh: {
    /** New connections in a minute. */
    readonly perMinute: number
    /** How long the client is shut out that opens more, in seconds. */
    readonly shutOut: number
  }
  readonly http: {
    readonly ports: readonly number[]
    /** New connections a second, and how many at once before that counts. */
    readonly perSecond: number
    readonly burst: number
    /** Connections of one client at a time. */
    readonly connections: number
  }
}

export function firewall({ ssh, http }: RateLimiterOptions): RulesetObject[] {
  const limiter = table('inet', 'rate_limiter')
  const clients = { flags: ['timeout', 'dynamic'], size: 65536 } as const
  return [
    limiter.table({ comment: 'limits for each client' }),
    limiter.set('ssh_clients', { type: 'ipv4_addr', ...clients, timeout: 120 }),
    limiter.set('shut_out', { type: 'ipv4_addr', ...clients, timeout: ssh.shutOut }),
    limiter.set('http_clients', { type: ['ipv4_addr', 'inet_service'], ...clients, timeout: 60 }),
    limiter.set('http_connections', { type: 'ipv4_addr', flags: ['dynamic'], size: 65536 }),
    limiter.set('http_ports', { type: 'inet_service', elem: http.ports }),
    limiter.counter('shut_out_packets'),
    limiter.chain('ssh'),
    limiter.chain('http'),

    limiter.chain('input', { type: 'filter', hook: 'input', prio: 'filter' }),
    limiter.rule('input', match.ip.saddr.inSet('shut_out'), counter('shut_out_packets'), verdict.drop()),
    limiter.rule('input', match.ct.state.in('new'), match.tcp.dport.eq(22), verdict.jump('ssh')),
    limiter.rule(
      'input',
      match.ct.state.in('new'),
      match.tcp.dport.inSet('http_ports'),
      verdict.jump('http'),
    ),

    limiter.rule(
      'ssh',
      elements.update('ssh_clients', match.ip.saddr, {
        stmt: [limit({ rate: ssh.perMinute, per: 'minute', burst: ssh.perMinute, inv: true })],
      }),
      elements.add('shut_out', match.ip.saddr),
      verdict.drop(),
    ),
    limiter.rule(
      'http',
      elements.update('http_clients', concat(match.ip.saddr, match.tcp.dport), {
        stmt: [limit({ rate: http.perSecond, per: 'second', burst: http.burst, inv: true })],
      }),
      reject({ type: 'tcp reset' }),
    ),
    limiter.rule(
      'http',
      match.meta.l4proto.eq('tcp'),
      elements.add('http_connections', match.ip.saddr, {
        stmt: [ctCount({ val: http.connections, inv: true })],
      }),
      reject({ type: 'tcp reset' }),
    ),
  ]
}

await run(import.meta, () =>
  firewall({
    ssh: { perMinute: 3, shutOut: 600 },
    http: { ports: [80, 443], perSecond: 50, burst: 100, connections: 20 },
  }),
)
