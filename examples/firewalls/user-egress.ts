/**
 * What the users of this host may reach, by the user that the sending socket belongs to: a verdict map of user ids leads to
 * the policy's chain. What is refused is logged now and then, and answered at once, so that programs need not wait.
 */
import {
  concat,
  counter,
  limit,
  log,
  match,
  network,
  type RulesetObject,
  reject,
  table,
  verdict,
  vmap,
} from 'nfbridge/nft'
import { run } from './run.js'

/** `open`: everything. `web`: names, HTTP and HTTPS. `internal`: the own networks. `none`: nothing. */
export type EgressPolicy = 'open' | 'web' | 'internal' | 'none'

export interface UserEgressOptions {
  /** A user's id, or the first and last of several. */
  readonly users: readonly {
    readonly uid: number | readonly [number, number]
    readonly policy: EgressPolicy
  }[]
  /** For those who are not named. Root and the kernel itself are never restricted. */
  readonly others: EgressPolicy
  readonly internal: { readonly ip: readonly string[]; readonly ip6: readonly string[] }
  /** Where each user may go whatever the policy says: an address and a TCP port. */
  readonly always?: readonly { readonly address: string; readonly port: number }[]
}

const policies = {
  open: verdict.accept(),
  web: verdict.goto('web'),
  internal: verdict.goto('internal'),
  none: verdict.goto('refused'),
} as const

export function firewall({ users, others, internal, always = [] }: UserEgressOptions): RulesetObject[] {
  const egress = table('inet', 'user_egress')
  const now = limit({ rate: 10, per: 'minute', burst: 5 })
  return [
    egress.table({ comment: 'what the users of this host may reach' }),
    egress.set('internal', {
      type: 'ipv4_addr',
      flags: ['interval'],
      elem: internal.ip.map(network),
    }),
    egress.set('internal6', {
      type: 'ipv6_addr',
      flags: ['interval'],
      elem: internal.ip6.map(network),
    }),
    egress.set('always', {
      type: ['ipv4_addr', 'inet_service'],
      elem: always.map(({ address, port }) => ({ concat: [address, port] })),
    }),
    egress.counter('refused_packets'),
    egress.chain('web'),
    egress.chain('internal'),
    egress.chain('refused'),
    egress.map('users', {
      type: 'uid',
      flags: ['interval'],
      map: 'verdict',
      elem: users.map(({ uid, policy }) => [
        typeof uid === 'number' ? uid : { range: [uid[0], uid[1]] },
        policies[policy],
      ]),
    }),

    egress.chain('output', { type: 'filter', hook: 'output', prio: 'filter' }),
    egress.rule('output', match.oifname.eq('lo'), verdict.accept()),
    egress.rule('output', match.ct.state.in('established', 'related'), verdict.accept()),
    egress.rule('output', match.meta.skuid.eq(0), verdict.accept()),
    egress.rule('output', concat(match.ip.daddr, match.tcp.dport).inSet('always'), verdict.accept()),
    egress.rule('output', vmap(match.meta.skuid, '@users')),
    egress.rule(
      { chain: 'output', comment: 'everybody else; the kernel has no user' },
      match.meta.skuid.gt(0),
      policies[others],
    ),

    egress.rule('web', match.udp.dport.in(53, 443), verdict.accept()),
    egress.rule('web', match.tcp.dport.in(53, 80, 443), verdict.accept()),
    egress.rule('web', verdict.goto('refused')),

    egress.rule('internal', match.ip.daddr.inSet('internal'), verdict.accept()),
    egress.rule('internal', match.ip6.daddr.inSet('internal6'), verdict.accept()),
    egress.rule('internal', verdict.goto('refused')),

    egress.rule('refused', now, log({ prefix: 'egress refused: ', flags: 'skuid' })),
    egress.rule('refused', counter('refused_packets')),
    egress.rule('refused', match.meta.l4proto.eq('tcp'), reject({ type: 'tcp reset' })),
    egress.rule('refused', reject({ type: 'icmpx', expr: 'admin-prohibited' })),
  ]
}

await run(import.meta, () =>
  firewall({
    users: [
      { uid: 1000, policy: 'open' },
      { uid: 1001, policy: 'web' },
      { uid: [2000, 2999], policy: 'internal' },
    ],
    others: 'none',
    internal: { ip: ['10.0.0.0/8', '192.168.0.0/16'], ip6: ['fd00::/8'] },
    always: [{ address: '10.0.0.53', port: 853 }],
  }),
)
