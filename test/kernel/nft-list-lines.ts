/**
 * Rules as a person writes them, for the comparison of our listing with `nft -j list ruleset`: a line is one rule, in a
 * base chain of the given family and hook.
 */
import type { Family, Statement } from '../../src/nft/model/index.js'

/** Rules of one chain. */
export interface RuleGroup {
  readonly title: string
  readonly family: Family
  /** What the table has beside what every test's table has. */
  readonly objects?: string
  /** The line in the chain's braces. */
  readonly hook: string
  readonly lines: readonly string[]
}

const lines = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')

/** What is listed exactly as nft lists it. */
export const sameAsNft: readonly RuleGroup[] = [
  {
    title: 'filter, both families',
    family: 'inet',
    hook: 'type filter hook input priority filter;',
    lines: lines(`
    ip saddr 1.2.3.4
    ip saddr 1.2.3.4 ip daddr 5.6.7.8
    ip saddr != 10.0.0.0/8
    ip saddr 10.0.0.0/9
    ip saddr 10.0.0.1-10.0.0.5
    ip saddr != 10.0.0.1-10.0.0.5
    ip saddr { 10.0.0.1, 10.0.0.2 }
    ip saddr { 10.0.0.0/8, 192.168.0.1-192.168.0.7 }
    ip saddr != { 10.0.0.1, 10.0.0.2 }
    ip saddr & 0.0.0.255 == 0.0.0.1
    ip saddr & 0.0.0.255 != 0.0.0.1
    ip protocol tcp
    ip protocol { tcp, udp }
    ip protocol != icmp
    ip dscp cs1
    ip dscp != 0x20
    ip dscp {cs1, af11}
    ip version 4
    ip hdrlength 5
    ip ecn ce
    ip ttl 64
    ip ttl >= 64
    ip length 100-200
    ip id 5
    ip frag-off 0x1
    ip frag-off & 0x1fff != 0
    ip checksum 3
    ip6 saddr ::1
    ip6 saddr fe80::/10
    ip6 daddr { ::1, fe80::/64 }
    ip6 nexthdr tcp
    ip6 flowlabel 22
    ip6 dscp cs1
    ip6 ecn ce
    ip6 hoplimit 255
    ip6 length 22
    ip6 version 6
    tcp dport 80
    tcp dport != 80
    tcp dport 1000-2000
    tcp dport { 80, 443 }
    tcp dport { 80, 1000-2000 }
    tcp sport 80 tcp dport 81
    tcp flags syn
    tcp flags & (fin|syn|rst|ack) == syn
    tcp flags & (syn|ack) == syn | ack
    tcp flags & syn != 0
    tcp flags syn / fin,syn,rst,ack
    tcp flags != syn
    tcp flags { syn, ack }
    tcp flags == syn | ack
    tcp sequence 5
    tcp doff 8
    tcp window 22
    tcp urgptr 1
    tcp reserved 1
    udp dport 53
    udp length 53
    udp sport { 53, 67 }
    th dport 53
    th dport { 53, 80 }
    meta l4proto { tcp, udp } th dport 53
    meta l4proto tcp
    meta l4proto != tcp
    meta l4proto 6 tcp dport 80
    meta nfproto ipv4
    meta nfproto ipv4 tcp dport 80
    meta nfproto ipv6 tcp dport 80
    meta protocol ip
    meta protocol ip tcp dport 22
    meta protocol vlan
    icmp type echo-request
    icmp type { echo-request, echo-reply }
    icmp type != echo-request
    icmp code 3
    icmp id 5
    icmp mtu 33
    icmp gateway 33
    icmpv6 type echo-request
    icmpv6 type { nd-neighbor-solicit, nd-router-advert }
    icmpv6 id 2
    icmpv6 mtu 2
    icmpv6 type packet-too-big icmpv6 mtu 1280
    icmpv6 code no-route
    iifname "eth0"
    iifname != "eth0"
    iifname "eth*"
    iifname { "eth0", "eth1" }
    iifname { "eth0", "eth1*" }
    oifname "lo"
    iif lo
    iif { lo }
    oif != lo
    iiftype loopback
    iifgroup 5
    iifgroup default
    meta mark 5
    meta mark 0x10-0x20
    meta mark & 0xff == 0x10
    meta mark and 0x03 != 0
    meta mark != 5
    meta mark { 1, 2, 5-10 }
    meta priority 1:2
    meta length 100
    meta length > 100
    meta skuid 0
    meta skgid 1000
    meta skuid { 0, 1000-2000 }
    meta pkttype broadcast
    meta cpu 1
    meta cgroup 5
    meta random 5
    meta iifkind "veth"
    meta sdif 1
    meta sdifname "x"
    meta protocol { ip, ip6 }
    ct state new
    ct state established,related
    ct state { established, related }
    ct state != established
    ct state != established,related
    ct state vmap { established : accept, related : accept, invalid : drop }
    ct state & (established|related) == established
    ct status dnat
    ct status & (snat|dnat) != 0
    ct direction original
    ct mark 5
    ct mark and 0xff == 0x10
    ct zone 5
    ct original zone 5
    ct expiration 10s
    ct expiration 1m-2m
    ct helper "ftp"
    ct l3proto ipv4
    ct protocol tcp
    ct original ip saddr 1.2.3.4
    ct reply ip daddr 1.2.3.4
    ct original ip6 saddr ::1
    ct original protocol tcp
    ct original bytes > 1000
    ct bytes > 1000
    ct reply packets 5
    ct avgpkt 200
    ct label 5
    ct id 5
    counter
    counter packets 5 bytes 6
    counter accept
    drop
    continue
    return
    jump c1
    goto c1
    log
    log prefix "hello "
    log prefix "x" level debug
    log level warn flags all
    log flags tcp sequence,options flags ip options
    log flags skuid flags ether
    log group 5
    log prefix "abc" group 5 queue-threshold 3 snaplen 32
    log level audit
    limit rate 5/second
    limit rate 5/minute burst 10 packets
    limit rate over 5/hour
    limit rate 10 kbytes/second
    limit rate over 10 mbytes/minute burst 5 kbytes
    limit rate 1/day
    limit rate 1023 bytes/second
    reject
    reject with tcp reset
    reject with icmpx type port-unreachable
    reject with icmpx type admin-prohibited
    reject with icmp type host-unreachable
    reject with icmpv6 type no-route
    tcp dport 5 reject with tcp reset
    meta nfproto ipv4 reject
    meta l4proto tcp reject with tcp reset
    ip saddr 1.2.3.4 reject with icmp type host-prohibited
    notrack
    fib daddr type local
    fib daddr . iif type local
    fib saddr . iif oif missing
    fib saddr . iif oif exists
    fib saddr . iif oif != missing
    fib saddr . iif oifname "eth0"
    fib daddr type { local, unicast }
    fib daddr type vmap { local : drop, unicast : accept }
    fib daddr type != local
    @th,16,16 22
    @nh,8,16 0x3
    @ll,0,16 0x3
    @ih,32,32 0x14000000
    @th,4,4 3
    @th,0,8 & 0xf == 3
    ip saddr . tcp dport { 1.2.3.4 . 80, 1.2.3.5 . 81 }
    ip saddr . ip daddr . tcp dport @concatset
    ip saddr . tcp dport { 1.2.3.0/24 . 80-90 }
    iifname . oifname { "a" . "b" }
    iifname . ip saddr . tcp dport { "a" . 1.2.3.4 . 80 }
    meta l4proto . th dport { tcp . 80, udp . 53 }
    ip saddr . meta l4proto . th dport { 1.2.3.4 . tcp . 80 }
    ct mark . meta mark { 1 . 2 }
    ip saddr @ipset
    ip saddr != @ipset
    tcp dport @portset
    tcp dport vmap { 80 : accept, 443 : drop, 22 : jump c1, 23 : goto c1 }
    tcp dport vmap { 80-90 : accept }
    tcp dport vmap @portvmap
    ip saddr . tcp dport vmap { 1.2.3.4 . 80 : accept }
    iifname . oifname vmap { "a" . "b" : accept }
    meta iifname vmap { "lo" : accept, "eth*" : drop }
    counter name c1
    meta mark 5 counter comment "hello world"
    ether saddr 00:11:22:33:44:55
    ether type ip
    ether type ip6
    ether daddr 00:11:22:33:44:55 accept
    ether saddr { 00:11:22:33:44:55, 00:11:22:33:44:56 }
    vlan id 5
    vlan id 5 ip saddr 1.2.3.4
    vlan pcp 3
    ah spi 5
    esp spi 5
    comp cpi 5
    udplite dport 5
    sctp dport 5
    sctp vtag 5
    dccp dport 5
    dccp type request
    igmp type membership-query
    ip saddr 1.2.3.4 tcp dport 80 ct state new accept
    ip6 saddr ::1 tcp dport 80 ct state new accept
    ip saddr 1.2.3.4 udp dport 53 counter accept comment "dns"
    meta l4proto udp ip saddr 1.2.3.4 udp dport 5
    meta l4proto icmp icmp type echo-request
    ip protocol icmp icmp type echo-request
    ip protocol tcp tcp dport 80
    ip6 nexthdr tcp tcp dport 80
    ip protocol tcp th dport 80
    meta l4proto { icmp, ipv6-icmp }
    ip daddr != 127.0.0.0/8 fib daddr type local
    ip saddr 0.0.0.0/0
    meta l4proto tcp counter tcp dport 80
    meta nfproto ipv4 counter ip saddr 1.2.3.4
    meta l4proto tcp limit rate 5/second tcp dport 80
    meta l4proto tcp ct state new tcp dport 80
    meta l4proto icmp icmp type echo-request icmp code 0
    meta nfproto ipv4 meta l4proto icmp icmp type echo-request
    icmp type echo-request ip saddr 1.2.3.4
    ip saddr 1.2.3.4 icmp type echo-request
    ip6 saddr ::1 icmpv6 type echo-request
    ip protocol icmp
    ip6 nexthdr icmpv6 icmpv6 type 1
    meta protocol ip ip saddr 1.2.3.4
    meta protocol ip udp dport 5
    ether type ip ip saddr 1.2.3.4
    ether saddr 00:11:22:33:44:55 ip saddr 1.2.3.4
    ip protocol tcp ip saddr 1.2.3.4 tcp dport 80
    ip saddr @ipset tcp dport @portset
    tcp dport 80 ip saddr . tcp sport { 1.2.3.4 . 5 }
    tcp dport 80 meta l4proto tcp
    meta nfproto ipv4 fib daddr type local
    meta nfproto != ipv4 tcp dport 80
    meta nfproto ipv6 reject
    meta nfproto ipv4 reject with icmp type host-unreachable
    meta nfproto ipv4 tcp dport 80 reject with icmp type host-unreachable
    ip6 saddr ::1 reject
    ip saddr 1.2.3.4 tcp dport 80 reject
    meta l4proto tcp counter reject with tcp reset
    meta nfproto ipv4 tcp dport 80 ip saddr 1.2.3.4
    th dport 80 tcp dport 81
    meta l4proto udp th dport 80
    meta l4proto udp th dport { 53, 54 }
    meta l4proto udp ip saddr . th dport { 1.2.3.4 . 53 }
    meta l4proto tcp ip saddr . ip daddr . th dport @concatset
    tcp flags syn tcp dport 80
    tcp flags & (syn | ack) == syn tcp dport 80
    ip protocol tcp tcp flags syn
    udp dport vmap { 53 : accept }
    ip daddr vmap { 1.2.3.4 : accept }
    ct original ip daddr 1.2.3.4 tcp dport 80
    meta l4proto . meta nfproto { tcp . ipv4 }
    ip saddr . meta l4proto { 1.2.3.4 . tcp }
    ip length 5 ip id 6
    ip ttl 5 ip protocol 6 tcp dport 80
    ip protocol 6 ip ttl 5
    ip dscp 5 ip ecn 1
    tcp sport 5 tcp dport { 6, 7 }
    tcp dport 80 tcp sequence 4 tcp ackseq 5
    tcp sport != 5 tcp dport 6
    udp sport 1 udp dport 2 udp length 3 udp checksum 4
    icmp type 8 icmp code 0
    ip6 saddr ::1 ip6 daddr ::2
    ip6 hoplimit 1 ip6 nexthdr 6
    ip6 nexthdr 6 tcp dport 5
    ip version 4 ip hdrlength 5
    ip saddr 10.0.0.0/8 ip daddr 10.0.0.0/8
    ip saddr 10.0.0.0/24 ip daddr 10.0.0.0/24
    ip saddr 10.0.0.0/24
    ip6 saddr fe80::/64
    ip6 saddr fe80::/60
    ether saddr 00:11:22:33:44:55 ether daddr 00:11:22:33:44:56
    ip saddr 10.0.0.0/9 tcp dport 1-5
    iifname "a" oifname "b" ip saddr 1.2.3.4 ip daddr 1.2.3.5 tcp sport 1 tcp dport 2
    oifname vmap { "a*" : accept }
    ct direction reply ct mark 5
    fib daddr . iif type { local, broadcast }
    ip frag-off & 0x2000 != 0
    ip saddr and 255.0.0.0 == 10.0.0.0
    ip saddr and 255.255.0.0 != 10.0.0.0
    ip saddr or 1 == 1
    meta mark & 0xff == 0
    meta mark & 0xff != 0
    ct mark & 1 == 1
    tcp dport & 1 == 1
    tcp dport and 0xff00 == 0
    ct state & new == new
    ct state & (new|established) == 0
    ct state new,established,untracked,invalid,related
    ct state 1
    ct state 0
    ct state 16
    ct state & 16 == 16
    ct status 8
    ct state != new,invalid
    tcp flags syn,ack
    tcp flags fin,syn / fin,syn
    tcp flags != syn / fin,syn
    tcp flags & syn != syn
    tcp flags { syn, syn|ack }
    meta mark { 1-5, 8 }
    meta length { 1-5, 8 }
    ip saddr { 10.0.0.0-10.0.0.255 }
    ip saddr { 0.0.0.0/0 }
    tcp dport { 65535, 0 }
    tcp dport { 60000-65535, 5 }
    ip saddr . tcp dport { 1.2.3.0-1.2.3.6 . 80, 1.2.4.0/24 . 1-65535 }
    meta l4proto . tcp dport { tcp . 80 }
    icmp type echo-request icmp id 5
    icmp type echo-reply icmp sequence 6
    icmp type 8 icmp code 0 icmp id 5 icmp sequence 6
    `),
  },
  {
    title: 'filter, IPv4',
    family: 'ip',
    hook: 'type filter hook prerouting priority mangle;',
    lines: lines(`
    ip ttl 5 ip protocol tcp ip saddr 1.2.3.4
    tcp dport 80 ip saddr 1.2.3.4
    ip saddr . ip daddr { 1.2.3.4 . 5.6.7.8 }
    ip saddr . ip daddr . meta l4proto . th dport { 1.2.3.4 . 5.6.7.8 . tcp . 80 }
    ct original saddr 1.2.3.4
    ct original protocol tcp ct original proto-dst 80
    ip saddr != 1.2.3.4 ip daddr 1.2.3.5
    ip saddr 1.2.3.4 ip saddr 1.2.3.5
    tcp flags & (syn|ack) != 0
    tcp flags & syn == syn
    tcp flags & syn == 0
    tcp flags ! syn
    tcp flags & (fin|syn|rst|psh|ack|urg) == 0
    tcp flags & (fin|syn|rst|psh|ack|urg) == fin|psh|urg
    tcp flags != syn,ack
    ct state ! new
    ct state != { new, invalid }
    ct state established,related accept
    ct state invalid drop
    ct status ! dnat
    ct status assured
    ct status expected,seen-reply
    ct status vmap { dnat : accept }
    tcp flags vmap { syn : accept, syn | ack : drop }
    meta mark & 0x10 != 0x10
    meta mark & 0x10 == 0
    meta mark | 0x10 == 0x11
    meta mark ^ 0x10 == 0x11
    ip saddr lt 1.2.3.4
    tcp dport > 1023
    tcp dport <= 1023
    meta skuid != 0
    meta mark < 5
    ip dscp > cs1
    ip daddr { 224.0.0.0/4, 255.255.255.255 }
    ip daddr 224.0.0.0/4
    tcp dport { 0-65535 }
    tcp dport 0-65535
    ct expiration > 1d
    icmp type { echo-request, destination-unreachable, 200 }
    ip protocol 254
    meta l4proto vmap { tcp : jump c1, udp : drop }
    meta l4proto != { tcp, udp }
    fib saddr . mark oif missing
    meta iif . meta oif { lo . lo }
    iif . ip saddr { lo . 1.2.3.4 }
    meta mark . ip saddr { 0x5 . 1.2.3.0/24 }
    ip saddr . ct state { 1.2.3.4 . new }
    ip saddr . meta mark vmap { 1.2.3.4 . 5 : accept }
    ip saddr & 255.255.0.0 { 1.2.0.0, 1.3.0.0 }
    ip saddr . tcp flags { 1.2.3.4 . syn }
    ip saddr { 1.2.3.4 comment "hi", 1.2.3.5 }
    ip saddr { 1.2.3.4 counter }
    ip saddr vmap { 1.2.3.4 : accept, * : drop }
    tcp dport vmap { 80 : accept, * : drop }
    meta priority none
    meta priority root
    meta iiftype ether
    meta iiftype 5
    meta skuid "nobody"
    meta skgid root
    meta cgroup 1048577
    iifname "a b"
    iifname "abcdefghijklmno"
    tcp sport 5 tcp dport 6 tcp sequence 8
    udp sport 68 udp dport 67
    ip protocol tcp ip saddr 1.2.3.4 ip daddr 1.2.3.5 tcp sport 1 tcp dport 2
    ct mark & 0xff0000 != 0
    ct helper "sip-5060"
    ct id 77
    limit rate 400/minute burst 1 packets drop
    counter counter
    log level emerg
    log level notice flags ip options
    log snaplen 5
    log prefix "x" group 0
    meta l4proto 0-255
    ip dscp 8-16
    icmp type 0-8
    iifname "a\\*"
    `),
  },
  {
    title: 'filter, bridge',
    family: 'bridge',
    hook: 'type filter hook prerouting priority -250;',
    lines: lines(`
    ether type ip
    ether type arp
    ether type arp arp saddr ip 1.2.3.4
    arp operation request
    arp saddr ip 1.2.3.4
    arp saddr ether 00:11:22:33:44:55
    arp daddr ip 1.2.3.4 arp operation reply
    iifname . ether saddr . ip saddr { "a" . 00:11:22:33:44:55 . 1.2.3.4 }
    iifname . ether saddr . arp saddr ip { "a" . 00:11:22:33:44:55 . 1.2.3.4 }
    iifname . arp saddr ether . arp saddr ip { "a" . 00:11:22:33:44:55 . 1.2.3.4 }
    iifname . ether saddr . ip saddr { "a" . 00:11:22:33:44:55 . 1.2.3.4 }
    ether type arp iifname . arp saddr ether . arp saddr ip { "a" . 00:11:22:33:44:55 . 1.2.3.4 }
    iifname . ether saddr . ip6 saddr { "a" . 00:11:22:33:44:55 . fe80::1 }
    ip saddr 1.2.3.4
    ip6 saddr ::1
    tcp dport 80
    ip saddr 1.2.3.4 tcp dport 80
    ether saddr 00:11:22:33:44:55 ip saddr 1.2.3.4
    meta protocol ip
    meta protocol ip ip saddr 1.2.3.4
    icmp type echo-request
    icmpv6 type nd-neighbor-advert
    icmpv6 type nd-neighbor-solicit ip6 saddr fe80::/10
    iifname != "x" accept
    iifname != @n accept
    ether daddr ff:ff:ff:ff:ff:ff
    ether daddr & 01:00:00:00:00:00 == 01:00:00:00:00:00
    ether type vlan vlan id 5
    vlan id 5 ip saddr 1.2.3.4
    ether type 8021q vlan id 10
    ether type 0x88cc
    ether type { ip, arp, ip6 }
    ether type != { ip, arp, ip6 } drop
    ether type vmap { ip : accept, arp : drop }
    meta pkttype multicast
    ip protocol udp udp dport 67
    ether saddr . ip saddr { 00:11:22:33:44:55 . 1.2.3.4 }
    ether type ip udp sport 68 udp dport 67 accept
    ip saddr 0.0.0.0 udp sport 68 udp dport 67 accept
    log prefix "x"
    `),
  },
  {
    title: 'translation of destinations',
    family: 'inet',
    hook: 'type nat hook prerouting priority dstnat;',
    lines: lines(`
    dnat ip to 1.2.3.4
    tcp dport 80 dnat ip to 1.2.3.4:80
    tcp dport 80 dnat ip to 1.2.3.4-1.2.3.9
    tcp dport 80 dnat ip to 1.2.3.4-1.2.3.9:80-90
    tcp dport 80 dnat ip to 1.2.3.4:80-90 random
    tcp dport 80 dnat ip to 1.2.3.4 random,persistent
    tcp dport 80 dnat ip6 to [fe80::1]:80
    tcp dport 80 dnat ip6 to fe80::1
    dnat ip to tcp dport map { 80 : 1.2.3.4, 81 : 1.2.3.5 }
    dnat ip to tcp dport map { 80 : 1.2.3.4 . 80, 81 : 1.2.3.5 . 81 }
    dnat ip to ip daddr . meta l4proto . th dport map { 1.2.3.4 . tcp . 80 : 1.2.3.5 . 81 }
    dnat ip to ip daddr . meta l4proto . th dport map @publish
    dnat ip to ip daddr . tcp dport map @pub2
    dnat ip addr . port to tcp dport map { 80 : 1.2.3.4 . 80 }
    fib daddr type local dnat ip to ip daddr . meta l4proto . th dport map @publish
    redirect
    tcp dport 80 redirect to :8080
    tcp dport 80 redirect to :8080-8090
    redirect random
    tcp dport 80 redirect to :8080 random,persistent
    tcp dport 80 redirect to tcp dport map { 80 : 81 }
    meta l4proto tcp redirect to :8080
    meta nfproto ipv4 dnat to 1.2.3.4
    `),
  },
  {
    title: 'translation of sources',
    family: 'inet',
    hook: 'type nat hook postrouting priority srcnat;',
    lines: lines(`
    snat ip to 1.2.3.4
    snat ip to 1.2.3.4-1.2.3.8
    snat ip to 1.2.3.0/24
    tcp sport 5 snat ip to 1.2.3.4:80-90 fully-random
    ip protocol tcp snat to 1.2.3.4:80
    snat ip6 to ::1
    masquerade
    masquerade random
    masquerade fully-random,persistent
    tcp dport 80 masquerade to :1024-2048
    meta l4proto tcp masquerade to :1024-2048 random
    meta l4proto { tcp, udp } masquerade to :1024
    ip saddr 172.17.0.0/16 oifname != "docker0" masquerade
    iifname @bridges oifname != @bridges masquerade
    ct status dnat masquerade
    `),
  },
  {
    title: 'translation of sources, IPv4',
    family: 'ip',
    hook: 'type nat hook postrouting priority srcnat;',
    lines: lines(`
    snat ip to 1.2.3.4
    snat ip to 1.2.3.4-1.2.3.8
    snat ip to 1.2.3.0/24
    tcp sport 5 snat ip to 1.2.3.4:80-90 fully-random
    ip protocol tcp snat to 1.2.3.4:80
    masquerade
    masquerade random
    masquerade fully-random,persistent
    tcp dport 80 masquerade to :1024-2048
    meta l4proto tcp masquerade to :1024-2048 random
    meta l4proto { tcp, udp } masquerade to :1024
    ip saddr 172.17.0.0/16 oifname != "docker0" masquerade
    iifname @bridges oifname != @bridges masquerade
    ct status dnat masquerade
    `),
  },
  {
    title: 'extension headers, options, routes, sockets, hashes, times',
    family: 'inet',
    hook: 'type filter hook input priority filter;',
    lines: lines(`
    meta ipsec exists
    meta secpath exists
    meta time "2020-01-01 10:00:00"
    meta hour "10:00"-"12:00"
    meta day "Monday"
    rt classid 0
    meta secpath missing
    rt ip nexthop 1.2.3.4
    rt ip6 nexthop ::1
    rt ipsec exists
    socket transparent 1
    socket mark 5
    socket wildcard 1
    numgen inc mod 2 0
    numgen random mod 10 offset 5 5
    jhash ip saddr mod 5 2
    jhash ip saddr . tcp dport mod 5 seed 0xdeadbeef 2
    symhash mod 5 3
    osf name "Linux"
    osf ttl skip version "Linux:3.0"
    ip option ra value 1
    ip option rr exists
    tcp option maxseg size 1460
    tcp option maxseg exists
    tcp option mptcp exists
    tcp option mptcp subtype 1
    tcp option sack-perm missing
    tcp option sack left 5
    tcp option timestamp tsval 1
    tcp option window count 5
    tcp option 30 exists
    tcp option @30,16,4 3
    exthdr frag exists
    frag more-fragments 1
    frag frag-off 5
    frag nexthdr tcp
    hbh nexthdr 5
    rt nexthdr 5
    rt type 0
    rt0 addr[1] ::1
    srh tag 1
    dst nexthdr 5
    mh type 1
    sctp chunk data exists
    sctp chunk init num-outbound-streams 5
    ipsec in ip saddr 1.2.3.4
    `),
  },
  {
    title: 'the same, IPv4',
    family: 'ip',
    hook: 'type filter hook prerouting priority mangle;',
    lines: lines(`
    rt nexthop 1.2.3.4
    meta hour . ip saddr { "10:00" . 1.2.3.4 }
    meta day { "Monday", "Tuesday" }
    meta hour "23:00"-"01:00"
    meta hour >= "10:00"
    meta time < "2020-01-01"
    `),
  },
]

/** What is simpler after it was written back from the listing; nft reads its own listing the same way. */
export const simplerAfterwards: readonly { readonly line: string; readonly afterwards: string }[] = [
  { line: 'meta l4proto tcp meta l4proto tcp tcp dport 80', afterwards: 'tcp dport 80' },
  { line: 'tcp dport { 1-5, 6-10 }', afterwards: 'tcp dport 1-10' },
  { line: 'ip saddr { 10.0.0.0/8, 11.0.0.0-11.255.255.255 }', afterwards: 'ip saddr 10.0.0.0/7' },
  { line: 'ip saddr { 0.0.0.0/1, 128.0.0.0/1 }', afterwards: 'ip saddr 0.0.0.0/0' },
]

/** Where our listing says something else than nft 1.0.6, and why. */
export interface Difference {
  readonly family: 'inet' | 'ip'
  readonly line: string
  readonly ours: readonly Statement[]
  readonly why: string
}

const match = (op: '==' | '!=', left: object, right: unknown): Statement =>
  ({ match: { op, left, right } }) as Statement

export const differences: readonly Difference[] = [
  {
    family: 'inet',
    line: 'meta rtclassid 7',
    ours: [match('==', { meta: { key: 'rtclassid' } }, 7)],
    why: 'nft prints a realm without a name as text',
  },
  {
    family: 'inet',
    line: 'fib saddr oif 17',
    ours: [match('==', { fib: { result: 'oif', flags: ['saddr'] } }, 17)],
    why: 'nft prints the index of an interface that is not there as text',
  },
  {
    family: 'inet',
    line: 'meta nfproto ipv4 tcp dport 80 reject with tcp reset',
    ours: [
      match('==', { meta: { key: 'nfproto' } }, 'ipv4'),
      match('==', { payload: { protocol: 'tcp', field: 'dport' } }, 80),
      { reject: { type: 'tcp reset' } },
    ],
    why: 'nft takes the family for implied by the reset, which is sent for both',
  },
  {
    family: 'inet',
    line: 'meta nfproto ipv4 ct original saddr 1.2.3.4',
    ours: [
      match('==', { meta: { key: 'nfproto' } }, 'ipv4'),
      match('==', { ct: { key: 'saddr', dir: 'original', family: 'ip' } }, '1.2.3.4'),
    ],
    why: 'nft loses of which family the address is',
  },
  {
    family: 'inet',
    line: 'meta mark & 0xff000000 == 0xff000000',
    ours: [match('==', { '&': [{ meta: { key: 'mark' } }, 0xff000000] }, 0xff000000)],
    why: 'nft prints a mark as a network',
  },
  {
    family: 'ip',
    line: 'ip saddr . ip dscp { 1.2.3.4 . cs1 }',
    ours: [
      match(
        '==',
        {
          concat: [
            { payload: { protocol: 'ip', field: 'saddr' } },
            { payload: { protocol: 'ip', field: 'dscp' } },
          ],
        },
        { set: [{ concat: ['1.2.3.4', 'cs1'] }] },
      ),
    ],
    why: 'nft prints how the field is moved within the register',
  },
  {
    family: 'ip',
    line: 'th sport 5 th dport 6',
    ours: [
      match('==', { payload: { protocol: 'th', field: 'sport' } }, 5),
      match('==', { payload: { protocol: 'th', field: 'dport' } }, 6),
    ],
    why: 'nft does not take apart what it merged',
  },
  {
    family: 'ip',
    line: 'ct l3proto ipv4 ct protocol tcp',
    ours: [match('==', { ct: { key: 'l3proto' } }, 'ipv4'), match('==', { ct: { key: 'protocol' } }, 'tcp')],
    why: 'nft takes the first for implied by the second',
  },
]
