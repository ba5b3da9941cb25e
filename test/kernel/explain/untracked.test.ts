import { describe, expect, it } from 'vitest'
import { ip, nftFile } from '../../support/tools.js'
import {
  compare,
  createTown,
  everyPair,
  everyPair6,
  expectAgreement,
  explain,
  type Probe,
  type Town,
} from './setting.js'

/** Links judged in the bridge, where no connection is tracked: answers by what stands in packets, and by who asked before. */
const FORWARD = `
table bridge runtime {
  set links { type ipv4_addr . ipv4_addr . inet_proto . inet_service
    elements = { 172.20.0.2 . 172.20.0.3 . tcp . 80, 172.20.0.2 . 172.20.0.3 . udp . 80, 172.20.0.2 . 172.20.0.3 . sctp . 80 } }
  set links6 { type ipv6_addr . ipv6_addr . inet_proto . inet_service
    elements = { 2001:db8:20::2 . 2001:db8:20::3 . tcp . 80 } }
  set linked { type ipv4_addr . ipv4_addr; elements = { 172.20.0.2 . 172.20.0.3, 172.20.0.3 . 172.20.0.2 } }
  set askers { type ipv4_addr; size 65535; flags dynamic,timeout; timeout 1m
  }
  set asked { type ipv4_addr . ipv4_addr . inet_service . inet_service; size 65535; flags dynamic,timeout; timeout 1m
  }
  map within { type ifname : verdict; elements = { "port-a" : goto links, "port-b" : goto links } }
  chain forward { type filter hook forward priority filter;
    iifname vmap @within
  }
  chain links {
    ether type arp accept
    ether type != { ip, ip6 } drop
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
    ip frag-off & 0x1fff != 0 ip saddr . ip daddr @linked accept
    exthdr frag exists drop
    ip daddr . ip saddr . meta l4proto . th sport @links jump answers
    ip6 daddr . ip6 saddr . meta l4proto . th sport @links6 jump answers
    meta l4proto udp ip saddr . ip daddr . meta l4proto . th dport @links goto questions
    ip saddr . ip daddr . meta l4proto . th dport @links accept
    ip6 saddr . ip6 daddr . meta l4proto . th dport @links6 accept
    icmp type { destination-unreachable, time-exceeded } @th,136,8 6 ip daddr . ip saddr @linked accept
    drop
  }
  chain questions {
    update @askers { ip saddr limit rate 1000/second burst 4000 packets } update @asked { ip saddr . ip daddr . udp sport . udp dport } accept
  }
  chain answers {
    tcp flags & (syn|ack) != syn accept
    meta l4proto sctp sctp chunk init missing accept
    ip daddr . ip saddr . udp dport . udp sport @asked accept
  }
}`

async function createUntrackedTown(): Promise<Town> {
  const town = await createTown()
  const { namespace } = town.host
  for (const name of ['iptables', 'ip6tables'])
    await namespace.writeSysctl(`net/bridge/bridge-nf-call-${name}`, '0')
  for (const name of ['br0', 'br1'])
    await ip(
      namespace,
      'link',
      'set',
      name,
      'type',
      'bridge',
      'nf_call_iptables',
      '0',
      'nf_call_ip6tables',
      '0',
    )
  await nftFile(namespace, FORWARD)
  for (const machine of [town.a, town.b]) await machine.serveSctp(80)
  return town
}

const [A, B] = ['172.20.0.2', '172.20.0.3'] as const

/** What a link lets through and what it does not. */
function onTheLink({ a, b }: Town): Probe[] {
  return (['tcp', 'udp', 'sctp'] as const).flatMap((protocol) => [
    { from: a, to: B, port: 80, protocol },
    { from: b, to: A, port: 80, protocol },
    // From the port that is linked, as an answer would come.
    { from: b, to: A, port: 80, protocol, sourcePort: 80 },
  ])
}

describe('links that a bridge judges without connection tracking', () => {
  it('let pass client to server, and of the server its answers', async () => {
    const town = await createUntrackedTown()
    expect(await explain(town, town.a, B, 80)).toMatchObject({
      reached: true,
      seen: A,
      decisive: {
        kind: 'element',
        hook: 'forward',
        step: { family: 'bridge', chain: 'links', element: { set: '@links' } },
      },
    })
    expect(await explain(town, town.b, A, 80)).toMatchObject({
      reached: false,
      decisive: { kind: 'rule', hook: 'forward', step: { family: 'bridge', chain: 'links', text: 'drop' } },
    })
    await expectAgreement(town, [...everyPair(town), ...everyPair6(town), ...onTheLink(town)])
  })

  it.each([
    ['answers of TCP', 'tcp flags & (syn|ack) == syn|ack drop'],
    ['the beginning of associations', 'sctp chunk init exists drop'],
    ['their answers', 'sctp chunk init-ack exists drop'],
    ['answers that nobody asked for', 'ip daddr . ip saddr . udp dport . udp sport != @asked drop'],
    ['questions', 'ip saddr . ip daddr . udp sport . udp dport @asked drop'],
    ['what goes to a MAC address', 'ether daddr @known drop'],
    ['what is no fragment', 'ip protocol udp ip frag-off & 0x1fff == 0 drop'],
  ])('and %s that another rule drops', async (_, rule) => {
    const town = await createUntrackedTown()
    const mac = /link\/ether (\S+)/.exec(await ip(town.b.namespace, 'link', 'show', 'eth0'))?.[1]
    await nftFile(
      town.host.namespace,
      `table bridge runtime {
        set known { type ether_addr; elements = { ${mac} } }
        chain late { type filter hook postrouting priority 0; ${rule}; }
      }`,
    )
    const { wrong } = await compare(town, onTheLink(town))
    expect(wrong).toEqual([])
  })

  it('where the hooks of IP see the frames all the same, and take them out of connection tracking', async () => {
    const town = await createUntrackedTown()
    await town.host.namespace.writeSysctl('net/bridge/bridge-nf-call-iptables', '1')
    await nftFile(
      town.host.namespace,
      `table inet runtime {
        chain raw { type filter hook prerouting priority raw; ip saddr 172.20.0.0/24 ip daddr 172.20.0.0/24 notrack; }
        chain untracked { type filter hook forward priority -10; ct state != untracked drop; }
      }
      flush chain inet runtime same_bridge
      add rule inet runtime same_bridge ct state untracked accept`,
    )
    await expectAgreement(town, [...everyPair(town), ...onTheLink(town)])
  })

  it('also where the bridge does so before the hooks of IP see them', async () => {
    const town = await createUntrackedTown()
    await town.host.namespace.writeSysctl('net/bridge/bridge-nf-call-iptables', '1')
    await nftFile(
      town.host.namespace,
      `table bridge runtime {
        chain raw { type filter hook prerouting priority -240; ip saddr 172.20.0.0/24 ip daddr 172.20.0.0/24 notrack; }
      }
      table inet runtime {
        chain untracked { type filter hook forward priority -10; iifname "br0" oifname "br0" ct state != untracked drop; }
      }
      flush chain inet runtime same_bridge
      add rule inet runtime same_bridge ct state untracked accept`,
    )
    // What the sender's own namespace knows of the connection stays there.
    await nftFile(
      town.a.namespace,
      'table ip own { chain o { type filter hook output priority 0; ct state new accept; }\n}',
    )
    await expectAgreement(town, [...everyPair(town), ...onTheLink(town)])
  })

  it('and the host, for who takes the bridge to be its neighbour', async () => {
    const town = await createUntrackedTown()
    const mac = /link\/ether (\S+)/.exec(await ip(town.host.namespace, 'link', 'show', 'br0'))?.[1] ?? ''
    await ip(town.a.namespace, 'neigh', 'replace', B, 'lladdr', mac, 'dev', 'eth0', 'nud', 'permanent')
    await town.a.namespace.writeSysctl('net/ipv4/conf/all/accept_redirects', '0')
    await town.a.namespace.writeSysctl('net/ipv4/conf/eth0/accept_redirects', '0')
    const { wrong } = await compare(town, onTheLink(town))
    expect(wrong).toEqual([])
    expect(await explain(town, town.a, B, 80)).toMatchObject({
      reached: true,
      decisive: { step: { family: 'inet', chain: 'same_bridge' } },
    })
  })
})
