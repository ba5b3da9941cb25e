/** Statements that change, count, send and remember, one rule a line, for the comparison of our listing with nft's. */
import type { RuleGroup } from './nft-list-lines.js'

const lines = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')

const states = lines(`
  quota 5 mbytes
  quota over 5 mbytes
  quota over 5 mbytes used 10 kbytes
  quota 1025 bytes
  quota name "q1"
  quota name ip saddr map { 1.2.3.4 : "q1" }
  limit name "l1"
  limit name tcp dport map { 80 : "l1" }
  limit rate over 5 mbytes/minute burst 3 kbytes
  counter name ip saddr map { 1.2.3.4 : "c1" }
  counter name ip saddr map @mcnt
  counter name ip saddr . tcp dport map { 1.2.3.4 . 80 : "c1", 1.2.3.5 . 81 : "c1" }
  counter name iifname map { "lo" : "c1" }
  ct count 5
  ct count over 5
`)

const marks = lines(`
  meta mark set 5
  meta mark set meta mark or 0x10
  meta mark set meta mark and 0xff
  meta mark set meta mark xor 0xff
  meta mark set meta mark & 0xff | 0x10
  meta mark set ct mark
  meta mark set ct mark and 0xff
  meta mark set meta cpu
  meta mark set ip saddr map { 1.2.3.4 : 5, 1.2.3.5 : 6 }
  meta mark set ip saddr . tcp dport map { 1.2.3.4 . 5 : 6 }
  meta mark set tcp dport map { 1-5 : 6, 9 : 7 }
  meta mark set jhash ip saddr mod 2
  meta mark set numgen inc mod 2
  meta mark set numgen random mod 2 offset 5
  meta mark set ct mark map { 1 : 2 }
  meta priority set 1:2
  meta priority set none
  meta priority set ip saddr map { 1.2.3.4 : 1:2 }
  meta nftrace set 1
  ct mark set 5
  ct mark set meta mark
  ct mark set ct mark or 0x10
  ct mark set ip saddr map { 1.2.3.4 : 2 }
  ct label set 5
  ct label set 127
  ct event set new,destroy
  ct event set new
  tcp dport 80 meta mark set 5 accept
  ct mark set mark & 0xff
  ct mark set (meta mark | 1)
`)

const headers = lines(`
  ip daddr set 1.2.3.4
  ip saddr set 1.2.3.4
  ip saddr set ip daddr
  ip daddr set ip saddr map { 1.2.3.4 : 1.2.3.5 }
  ip dscp set cs1
  ip dscp set 0x3f
  ip dscp set cs0
  ip ecn set ce
  ip ttl set 5
  ip id set 0
  ip length set 6
  ip protocol set 6
  ip checksum set 6
  ip version set 4
  ip hdrlength set 4
  ip frag-off set 4
  ip6 dscp set cs1
  ip6 ecn set ce
  ip6 flowlabel set 5
  ip6 hoplimit set 4
  ip6 daddr set ::1
  ip6 length set 5
  tcp dport set 80
  tcp sport set tcp dport
  tcp dport set tcp sport map { 1 : 2 }
  tcp flags set syn
  tcp window set 5
  tcp doff set 5
  tcp checksum set 5
  udp dport set 53
  udp checksum set 0
  sctp dport set 5
  dccp dport set 5
  udplite dport set 5
  icmp checksum set 5
  icmpv6 mtu set 5
  ah spi set 5
  esp spi set 5
  comp cpi set 5
  ether saddr set 00:11:22:33:44:55
  th dport set 5
  tcp dport set 80 ip daddr set 1.2.3.4
  ip ttl set 5 accept
  tcp option maxseg size set 1400
  reset tcp option sack-perm
`)

const dynamic = lines(`
  add @dynset { ip saddr }
  add @dynset { ip saddr timeout 10s }
  update @dynset { ip saddr timeout 10s }
  update @dynset { ip saddr limit rate 5/second }
  update @dynset { ip saddr counter }
  add @dynset { ip saddr timeout 1m limit rate 5/second counter }
  update @dynset { ip saddr quota over 5 mbytes }
  add @dynset { ip saddr & 255.255.255.0 }
  delete @dynset { ip saddr }
  meter m1 { ip saddr limit rate 5/second }
  meter m2 { ip saddr . tcp dport timeout 10s limit rate over 5/second }
  meter m3 size 100 { ip saddr counter }
  meter m4 { iifname limit rate 5/second }
`)

/** What is listed exactly as nft lists it. */
export const statementsSameAsNft: readonly RuleGroup[] = [
  { title: 'states', family: 'inet', hook: 'type filter hook input priority filter;', lines: states },
  { title: 'marks', family: 'inet', hook: 'type filter hook input priority filter;', lines: marks },
  { title: 'headers', family: 'inet', hook: 'type filter hook prerouting priority filter;', lines: headers },
  { title: 'dynamic sets', family: 'inet', hook: 'type filter hook input priority filter;', lines: dynamic },
  {
    title: 'zones',
    family: 'inet',
    hook: 'type filter hook prerouting priority raw;',
    lines: lines(`
      ct zone set 3
      ct original zone set 3
      ct reply zone set 4
      ct zone set iif map { lo : 5 }
      ct zone set mark map { 1 : 5 }
      notrack
    `),
  },
  {
    title: 'synproxy',
    family: 'inet',
    hook: 'type filter hook input priority filter;',
    lines: lines(`
      synproxy mss 1460 wscale 7 timestamp sack-perm
      synproxy mss 1460
      synproxy
    `),
  },
  {
    title: 'objects of conntrack',
    family: 'inet',
    hook: 'type filter hook prerouting priority filter;',
    objects: `
      ct helper h1 { type "ftp" protocol tcp; }
      ct timeout t1 { protocol tcp; l3proto ip; policy = { established : 100, close : 5 }; }
      ct expectation e1 { protocol tcp; dport 9876; timeout 2m; size 12; l3proto ip; }
    `,
    lines: lines(`
      ct helper set "h1"
      ct timeout set "t1"
      ct expectation set "e1"
      ct helper set tcp dport map { 21 : "h1" }
      ct timeout set tcp dport map { 21 : "t1" }
      meta l4proto tcp ct helper set "h1"
    `),
  },
  {
    title: 'transparent proxies',
    family: 'inet',
    hook: 'type filter hook prerouting priority mangle;',
    lines: lines(`
      meta l4proto tcp tproxy ip to 1.2.3.4:80
      meta l4proto tcp tproxy ip6 to [::1]:80
      meta l4proto tcp tproxy to :80
      meta l4proto tcp tproxy ip to :80
      meta l4proto tcp tproxy ip to 1.2.3.4
      meta l4proto tcp tproxy to :tcp sport map { 1 : 2 }
      tcp dport 80 tproxy ip to 1.2.3.4:80 meta mark set 1 accept
    `),
  },
  {
    title: 'duplicates and proxies, IPv4',
    family: 'ip',
    hook: 'type filter hook prerouting priority mangle;',
    lines: lines(`
      dup to 1.2.3.4
      dup to 1.2.3.4 device lo
      dup to ip saddr map { 1.2.3.4 : 1.2.3.5 }
      dup to ip saddr map { 1.2.3.4 : 1.2.3.5 } device "lo"
      dup to 1.2.3.4 device ip saddr map { 1.2.3.4 : "lo" }
      dup to ip saddr map { 1.2.3.4 : 1.2.3.5 } device oif map { "lo" : "lo" }
      meta l4proto tcp tproxy to 1.2.3.4:80
      tcp dport 80 tproxy to 1.2.3.4
      ip length set 5
      ip ttl set 5
    `),
  },
  {
    title: 'duplicates, IPv6',
    family: 'ip6',
    hook: 'type filter hook prerouting priority mangle;',
    lines: lines(`
      dup to ::1
      dup to ::1 device "lo"
      ip6 hoplimit set 5
    `),
  },
  {
    title: 'packets of one interface',
    family: 'netdev',
    hook: 'type filter hook ingress device "lo" priority filter;',
    lines: lines(`
      dup to "lo"
      fwd to "lo"
      fwd to iif
      fwd ip to 1.2.3.4 device "lo"
      fwd ip6 to ::1 device "lo"
      fwd to ip saddr map { 1.2.3.4 : "lo" }
      fwd ip to ip saddr map { 1.2.3.4 : 1.2.3.5 } device "lo"
      dup to ip saddr map { 1.2.3.4 : "lo" }
      ether saddr set 00:11:22:33:44:55
      vlan id set 5
      vlan pcp set 5
      ip daddr set 1.2.3.4
      udp dport set 5
      meta mark set 5
      meta priority set 0:1
    `),
  },
  {
    title: 'ARP',
    family: 'arp',
    hook: 'type filter hook input priority filter;',
    lines: lines(`
      arp operation set request
      arp saddr ip set 1.2.3.4
      arp saddr ether set 00:11:22:33:44:55
      arp htype set 5
      meta mark set 5
    `),
  },
  {
    title: 'bridge',
    family: 'bridge',
    hook: 'type filter hook prerouting priority filter;',
    lines: lines(`
      ether daddr set 00:11:22:33:44:55
      meta pkttype set host
      meta mark set 5
      ip ttl set 5
    `),
  },
  {
    title: 'networks and ranges to translate to',
    family: 'inet',
    hook: 'type nat hook prerouting priority dstnat;',
    lines: lines(`
      tcp dport 80 dnat to :80
      tcp dport 80 dnat to :80-90
      tcp dport 80 dnat to :tcp dport map { 80 : 81 }
      dnat ip to 1.2.3.0/24
      dnat ip to ip daddr map { 1.2.3.4 : 2.3.4.0/24 }
      dnat ip to ip daddr map { 1.2.3.4 : 2.3.4.5-2.3.4.9 }
      dnat ip prefix to ip daddr map { 1.2.3.0/24 : 2.3.4.0/24 }
      dnat ip6 prefix to fe80::/64
      dnat ip prefix to ip daddr map @nets
      dnat ip to ip daddr map @nets
      tcp dport 80 dnat ip to 1.2.3.4-1.2.3.9:5-9
      meta l4proto tcp dnat ip to ip saddr . tcp dport map { 1.2.3.4 . 80 : 1.2.3.5 . 81-90 }
      tcp dport 80 redirect to :80-90 random,persistent
      redirect random
    `),
  },
  {
    title: 'networks and ranges to translate from',
    family: 'inet',
    hook: 'type nat hook postrouting priority srcnat;',
    lines: lines(`
      tcp dport 80 snat to :80
      snat ip prefix to 1.2.3.0/24
      snat ip prefix to ip saddr map @nets
      snat ip prefix to ip saddr map { 10.141.11.0/24 : 192.168.2.0/24 }
      snat ip to ip saddr map { 10.141.11.0/24 : 192.168.2.2-192.168.2.5 }
      tcp dport 80 masquerade to :80-90 random
      masquerade random,fully-random,persistent
      tcp dport 80 masquerade to :tcp dport map { 80 : 81 }
    `),
  },
]
