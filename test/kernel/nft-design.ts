/** The rule set of DESIGN section 3: as nft reads it, and as the builders write it. */
import {
  concat,
  counter,
  log,
  masquerade,
  match,
  nat,
  type RulesetObject,
  type Statement,
  verdict,
  vmap,
} from '../../src/nft/index.js'

/** What a person would write; objects in the order in which they are created below. */
export const designText = `
table inet nfb {
  comment "container networks"
  chain user { comment "the users' own rules"; }
  chain user_inbound { }
  chain inbound { }
  chain same_bridge { }
  chain forward { type filter hook forward priority filter; policy accept; }
  chain prerouting { type nat hook prerouting priority dstnat; policy accept; }
  chain output { type nat hook output priority -100; policy accept; }
  chain postrouting { type nat hook postrouting priority srcnat; policy accept; }
  map icc { type ifname . ifname : verdict; }
  set bridges { type ifname; }
  set links { type ipv4_addr . ipv4_addr . inet_proto . inet_service; size 65536; comment "client, server, proto, port"; }
  set exposed { type ipv4_addr . inet_proto . inet_service; }
  map publish { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; size 65536; }
  set local { type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 127.0.0.0/8, 192.168.0.5-192.168.0.9, 255.255.255.255 } }
  set recent { type ipv4_addr . inet_service; flags timeout; timeout 1h; gc-interval 1m; }
}
add element inet nfb icc { "br0" . "br0" : jump same_bridge }
add element inet nfb icc { "br1" . "br1" : accept }
add element inet nfb bridges { "br0", "br1" }
add element inet nfb links { 172.17.0.3 . 172.17.0.2 . tcp . 80 comment "app web" }
add element inet nfb exposed { 172.17.0.2 . tcp . 80, 172.17.0.2 . udp . 53 }
add element inet nfb publish { 192.0.2.1 . tcp . 8080 : 172.17.0.2 . 80 }
add element inet nfb recent { 10.0.0.1 . 22 timeout 30m }
add rule inet nfb forward jump user
add rule inet nfb forward ct state vmap { established : accept, related : accept, invalid : drop }
add rule inet nfb forward iifname . oifname vmap @icc
add rule inet nfb forward oifname @bridges jump inbound
add rule inet nfb forward iifname @bridges counter accept comment "out"
add rule inet nfb inbound jump user_inbound
add rule inet nfb inbound ip daddr . meta l4proto . th dport @exposed accept
add rule inet nfb inbound log prefix "closed: " drop
add rule inet nfb same_bridge ip saddr . ip daddr . meta l4proto . th dport @links accept
add rule inet nfb same_bridge drop
add rule inet nfb prerouting dnat ip to ip daddr . meta l4proto . th dport map @publish
add rule inet nfb output fib daddr type local dnat ip to ip daddr . meta l4proto . th dport map @publish
add rule inet nfb postrouting iifname @bridges oifname != @bridges masquerade
table bridge nfb {
  chain prerouting { type filter hook prerouting priority -250; policy accept; }
  set ports { type ifname; }
  set senders { type ifname . ether_addr . ipv4_addr; }
}
add element bridge nfb ports { "veth1" }
add element bridge nfb senders { "veth1" . 02:42:ac:11:00:02 . 172.17.0.2 }
add rule bridge nfb prerouting iifname != @ports accept
add rule bridge nfb prerouting ether type ip iifname . ether saddr . ip saddr @senders accept
add rule bridge nfb prerouting ether type arp iifname . arp saddr ether . arp saddr ip @senders accept
add rule bridge nfb prerouting drop
`

const inet = { family: 'inet', table: 'nfb' } as const
const bridge = { family: 'bridge', table: 'nfb' } as const
const endpoint = ['ipv4_addr', 'inet_proto', 'inet_service'] as const

const rule = (chain: string, ...expr: Statement[]): RulesetObject => ({ rule: { ...inet, chain, expr } })
const bridgeRule = (...expr: Statement[]): RulesetObject => ({
  rule: { ...bridge, chain: 'prerouting', expr },
})

const target = concat(match.ip.daddr, match.meta.l4proto, match.th.dport)
const published = nat.dnat({ family: 'ip', map: { key: target, data: '@publish' } })

/** The tables, chains, sets and rules. */
export const designObjects: readonly RulesetObject[] = [
  { table: { family: 'inet', name: 'nfb', comment: 'container networks' } },
  { chain: { ...inet, name: 'user', comment: "the users' own rules" } },
  { chain: { ...inet, name: 'user_inbound' } },
  { chain: { ...inet, name: 'inbound' } },
  { chain: { ...inet, name: 'same_bridge' } },
  { chain: { ...inet, name: 'forward', type: 'filter', hook: 'forward', prio: 'filter', policy: 'accept' } },
  {
    chain: { ...inet, name: 'prerouting', type: 'nat', hook: 'prerouting', prio: 'dstnat', policy: 'accept' },
  },
  { chain: { ...inet, name: 'output', type: 'nat', hook: 'output', prio: -100, policy: 'accept' } },
  {
    chain: {
      ...inet,
      name: 'postrouting',
      type: 'nat',
      hook: 'postrouting',
      prio: 'srcnat',
      policy: 'accept',
    },
  },
  { map: { ...inet, name: 'icc', type: ['ifname', 'ifname'], map: 'verdict' } },
  { set: { ...inet, name: 'bridges', type: 'ifname' } },
  {
    set: {
      ...inet,
      name: 'links',
      type: ['ipv4_addr', 'ipv4_addr', 'inet_proto', 'inet_service'],
      size: 65536,
      comment: 'client, server, proto, port',
    },
  },
  { set: { ...inet, name: 'exposed', type: endpoint } },
  { map: { ...inet, name: 'publish', type: endpoint, map: ['ipv4_addr', 'inet_service'], size: 65536 } },
  {
    set: {
      ...inet,
      name: 'local',
      type: 'ipv4_addr',
      flags: ['interval'],
      elem: [
        { prefix: { addr: '10.0.0.0', len: 8 } },
        { prefix: { addr: '127.0.0.0', len: 8 } },
        { range: ['192.168.0.5', '192.168.0.9'] },
        '255.255.255.255',
      ],
    },
  },
  {
    set: {
      ...inet,
      name: 'recent',
      type: ['ipv4_addr', 'inet_service'],
      flags: ['timeout'],
      timeout: 3600,
      'gc-interval': 60,
    },
  },
  rule('forward', verdict.jump('user')),
  rule(
    'forward',
    vmap(match.ct.state, {
      established: verdict.accept(),
      related: verdict.accept(),
      invalid: verdict.drop(),
    }),
  ),
  rule('forward', vmap(concat(match.iifname, match.oifname), '@icc')),
  rule('forward', match.oifname.inSet('bridges'), verdict.jump('inbound')),
  {
    rule: {
      ...inet,
      chain: 'forward',
      expr: [match.iifname.inSet('bridges'), counter(), verdict.accept()],
      comment: 'out',
    },
  },
  rule('inbound', verdict.jump('user_inbound')),
  rule('inbound', target.inSet('exposed'), verdict.accept()),
  rule('inbound', log({ prefix: 'closed: ' }), verdict.drop()),
  rule(
    'same_bridge',
    concat(match.ip.saddr, match.ip.daddr, match.meta.l4proto, match.th.dport).inSet('links'),
    verdict.accept(),
  ),
  rule('same_bridge', verdict.drop()),
  rule('prerouting', published),
  rule('output', match.fib.type('daddr').eq('local'), published),
  rule('postrouting', match.iifname.inSet('bridges'), match.oifname.notInSet('bridges'), masquerade()),
  { table: { family: 'bridge', name: 'nfb' } },
  {
    chain: {
      ...bridge,
      name: 'prerouting',
      type: 'filter',
      hook: 'prerouting',
      prio: -250,
      policy: 'accept',
    },
  },
  { set: { ...bridge, name: 'ports', type: 'ifname' } },
  { set: { ...bridge, name: 'senders', type: ['ifname', 'ether_addr', 'ipv4_addr'] } },
  bridgeRule(match.iifname.notInSet('ports'), verdict.accept()),
  bridgeRule(
    match.ether.type.eq('ip'),
    concat(match.iifname, match.ether.saddr, match.ip.saddr).inSet('senders'),
    verdict.accept(),
  ),
  bridgeRule(
    match.ether.type.eq('arp'),
    concat(match.iifname, match.arp['saddr ether'], match.arp['saddr ip']).inSet('senders'),
    verdict.accept(),
  ),
  bridgeRule(verdict.drop()),
]

/** The elements, each set's declared types said again: a later transaction knows nothing of the first. */
export const designElements: readonly RulesetObject[] = [
  {
    element: {
      ...inet,
      name: 'icc',
      type: ['ifname', 'ifname'],
      map: 'verdict',
      elem: [
        [{ concat: ['br0', 'br0'] }, verdict.jump('same_bridge')],
        [{ concat: ['br1', 'br1'] }, verdict.accept()],
      ],
    },
  },
  { element: { ...inet, name: 'bridges', type: 'ifname', elem: ['br0', 'br1'] } },
  {
    element: {
      ...inet,
      name: 'links',
      type: ['ipv4_addr', 'ipv4_addr', 'inet_proto', 'inet_service'],
      elem: [{ elem: { val: { concat: ['172.17.0.3', '172.17.0.2', 'tcp', 80] }, comment: 'app web' } }],
    },
  },
  {
    element: {
      ...inet,
      name: 'exposed',
      type: endpoint,
      elem: [{ concat: ['172.17.0.2', 'tcp', 80] }, { concat: ['172.17.0.2', 'udp', 53] }],
    },
  },
  {
    element: {
      ...inet,
      name: 'publish',
      type: endpoint,
      map: ['ipv4_addr', 'inet_service'],
      elem: [[{ concat: ['192.0.2.1', 'tcp', 8080] }, { concat: ['172.17.0.2', 80] }]],
    },
  },
  {
    element: {
      ...inet,
      name: 'recent',
      type: ['ipv4_addr', 'inet_service'],
      flags: ['timeout'],
      elem: [{ elem: { val: { concat: ['10.0.0.1', 22] }, timeout: 1800 } }],
    },
  },
  { element: { ...bridge, name: 'ports', type: 'ifname', elem: ['veth1'] } },
  {
    element: {
      ...bridge,
      name: 'senders',
      type: ['ifname', 'ether_addr', 'ipv4_addr'],
      elem: [{ concat: ['veth1', '02:42:ac:11:00:02', '172.17.0.2'] }],
    },
  },
]
