import { describe, expect, it } from 'vitest'
import type { Machine } from '../../../lab/machine.js'
import { bridge, ip, nft, nftFile } from '../../support/tools.js'
import { createTown, everyPair, everyPair6, expectAgreement, explain, type Town } from './setting.js'

/** What is changed in a town, and what is then said of a connection. */
interface Case {
  readonly title: string
  change(town: Town): Promise<unknown>
  readonly from: (town: Town) => Machine
  readonly to: string
  readonly port: number
  readonly says: object
}

const sysctl = ({ namespace }: Machine, name: string, value: string): Promise<void> =>
  namespace.writeSysctl(name, value)
const a = (town: Town): Machine => town.a
const outside = (town: Town): Machine => town.outside

const cases: readonly Case[] = [
  {
    title: 'a link, which lets pass',
    change: async () => {},
    from: a,
    to: '172.20.0.3',
    port: 80,
    says: {
      reached: true,
      seen: '172.20.0.2',
      decisive: {
        kind: 'element',
        hook: 'forward',
        step: { chain: 'same_bridge', element: { set: '@links' } },
      },
    },
  },
  {
    title: 'a foreign table that drops',
    change: ({ host }) =>
      nftFile(
        host.namespace,
        'table ip foreign { set no { type ipv4_addr; flags interval; elements = { 172.20.0.3-172.20.0.9 }\n}\nchain f { type filter hook forward priority 10; ip daddr @no counter drop; }\n}',
      ),
    from: a,
    to: '172.20.0.3',
    port: 80,
    says: {
      reached: false,
      decisive: {
        kind: 'foreign-chain',
        hook: 'forward',
        step: { table: 'foreign', chain: 'f', element: { text: '172.20.0.3-172.20.0.9' } },
      },
      remedy: 'change chain f of table ip foreign: what another table accepts does not overrule it',
    },
  },
  {
    title: 'a foreign policy that drops what comes to the host',
    change: ({ host }) =>
      nftFile(
        host.namespace,
        'table inet ufw { chain i { type filter hook input priority 0; policy drop; ct state established,related accept; iifname "lo" accept; }\n}',
      ),
    from: outside,
    to: '203.0.113.1',
    port: 80,
    says: {
      reached: false,
      decisive: { kind: 'foreign-chain', hook: 'input', step: { kind: 'policy', table: 'ufw' } },
    },
  },
  {
    title: 'forwarding that is off',
    change: ({ host }) => sysctl(host, 'net/ipv4/ip_forward', '0'),
    from: outside,
    to: '203.0.113.1',
    port: 8080,
    says: {
      reached: false,
      decisive: { kind: 'sysctl', name: 'net/ipv4/ip_forward', value: '0' },
      remedy: 'set net/ipv4/ip_forward to 1',
    },
  },
  {
    title: 'forwarding that is off for one interface',
    change: ({ host }) => sysctl(host, 'net/ipv4/conf/uplink/forwarding', '0'),
    from: outside,
    to: '203.0.113.1',
    port: 8080,
    says: { reached: false, decisive: { kind: 'sysctl', name: 'net/ipv4/conf/uplink/forwarding' } },
  },
  {
    title: 'an address that is gone',
    change: ({ b }) => ip(b.namespace, 'addr', 'del', '172.20.0.3/24', 'dev', 'eth0'),
    from: a,
    to: '172.20.0.3',
    port: 80,
    says: { reached: false, decisive: { kind: 'address', address: '172.20.0.3' } },
  },
  {
    title: "the container's interface down",
    change: ({ b }) => ip(b.namespace, 'link', 'set', 'eth0', 'down'),
    from: a,
    to: '172.20.0.3',
    port: 80,
    says: { reached: false, decisive: { kind: 'link', problem: 'no-carrier', link: 'port-b' } },
  },
  {
    title: "the host's end down",
    change: ({ host }) => ip(host.namespace, 'link', 'set', 'port-a', 'down'),
    from: outside,
    to: '203.0.113.1',
    port: 8080,
    says: { reached: false, decisive: { kind: 'link', problem: 'down', link: 'port-a' } },
  },
  {
    title: 'the bridge down',
    change: ({ host }) => ip(host.namespace, 'link', 'set', 'br0', 'down'),
    from: a,
    to: '172.20.0.3',
    port: 80,
    says: { reached: false, decisive: { kind: 'link', link: 'br0' } },
  },
  {
    title: 'a port that is no longer on its bridge',
    change: ({ host }) => ip(host.namespace, 'link', 'set', 'port-b', 'nomaster'),
    from: a,
    to: '172.20.0.3',
    port: 80,
    says: { reached: false, decisive: { kind: 'address' } },
  },
  {
    title: 'a sender that uses another address',
    change: async ({ a: { namespace } }) => {
      await ip(namespace, 'addr', 'add', '172.20.0.77/24', 'dev', 'eth0')
      await ip(namespace, 'route', 'replace', '172.20.0.3', 'dev', 'eth0', 'src', '172.20.0.77')
    },
    from: a,
    to: '172.20.0.3',
    port: 80,
    says: {
      reached: false,
      decisive: {
        kind: 'rule',
        hook: 'prerouting',
        step: { family: 'bridge', chain: 'senders', text: 'drop' },
      },
    },
  },
  {
    title: 'no hairpin',
    change: ({ host }) => bridge(host.namespace, 'link', 'set', 'dev', 'port-a', 'hairpin', 'off'),
    from: a,
    to: '203.0.113.1',
    port: 8080,
    says: { reached: false, decisive: { kind: 'link', problem: 'hairpin' } },
  },
  {
    title: 'isolated ports',
    change: async ({ host: { namespace } }) => {
      for (const port of ['port-a', 'port-b'])
        await bridge(namespace, 'link', 'set', 'dev', port, 'isolated', 'on')
    },
    from: a,
    to: '172.20.0.3',
    port: 80,
    says: { reached: false, decisive: { kind: 'link', problem: 'isolated' } },
  },
  {
    title: 'no br_netfilter on a bridge: rules see nothing',
    change: async ({ host }) => {
      await sysctl(host, 'net/bridge/bridge-nf-call-iptables', '0')
      await ip(host.namespace, 'link', 'set', 'br0', 'type', 'bridge', 'nf_call_iptables', '0')
    },
    from: a,
    to: '172.20.0.3',
    port: 81,
    says: { reached: true, seen: '172.20.0.2' },
  },
  {
    title: 'no route_localnet: the loopback address leads to no container',
    change: ({ host }) => sysctl(host, 'net/ipv4/conf/br0/route_localnet', '0'),
    from: ({ host }) => host,
    to: '127.0.0.1',
    port: 8080,
    says: { reached: false, decisive: { kind: 'sysctl', name: 'net/ipv4/conf/br0/route_localnet' } },
  },
  {
    title: 'a strict rp_filter, and a way back that is another',
    change: async ({ host }) => {
      await sysctl(host, 'net/ipv4/conf/uplink/rp_filter', '1')
      await ip(host.namespace, 'route', 'add', '203.0.113.2/32', 'dev', 'br1')
    },
    from: outside,
    to: '203.0.113.1',
    port: 80,
    says: { reached: false },
  },
  {
    title: 'a route that leads nowhere',
    change: ({ host }) => ip(host.namespace, 'route', 'add', 'blackhole', '10.20.0.2/32'),
    from: outside,
    to: '10.20.0.2',
    port: 81,
    says: { reached: false, decisive: { kind: 'route' } },
  },
  {
    title: 'no default route in a container: its answers do not come back',
    change: ({ a: { namespace } }) => ip(namespace, 'route', 'del', 'default'),
    from: outside,
    to: '203.0.113.1',
    port: 8080,
    says: {
      reached: false,
      because: expect.stringContaining('its answer does not come back: a has no way to 203.0.113.2'),
      decisive: { kind: 'route', namespace: 'a' },
    },
  },
  {
    title: 'answers that a foreign rule drops',
    change: ({ host }) =>
      nftFile(
        host.namespace,
        'table ip foreign { chain f { type filter hook forward priority -5; ip saddr 172.20.0.0/16 tcp sport 80 drop; }\n}',
      ),
    from: outside,
    to: '203.0.113.1',
    port: 8080,
    says: {
      reached: false,
      because: expect.stringContaining('its answer does not come back'),
      decisive: { kind: 'foreign-chain' },
    },
  },
  {
    title: "rules in the container's own namespace",
    change: ({ b }) =>
      nftFile(
        b.namespace,
        'table ip own { chain i { type filter hook input priority 0; tcp dport != 22 reject; }\n}',
      ),
    from: a,
    to: '172.20.0.3',
    port: 80,
    says: { reached: false, decisive: { namespace: 'b', hook: 'input' } },
  },
  {
    title: 'jumps by a map with beginnings of names',
    change: async () => {},
    from: outside,
    to: '10.20.0.2',
    port: 81,
    says: { reached: true, seen: '203.0.113.2', decisive: { step: { chain: 'trusted_inbound' } } },
  },
  {
    title: 'a dormant table that would drop, and an ingress chain that does',
    change: async ({ host: { namespace } }) => {
      await nftFile(
        namespace,
        'table ip sleeping { flags dormant; chain f { type filter hook forward priority 0; policy drop; }\n}',
      )
      await nftFile(
        namespace,
        'table netdev edge { chain i { type filter hook ingress device "uplink" priority 0; tcp dport 8080 drop; }\n}',
      )
    },
    from: outside,
    to: '203.0.113.1',
    port: 8080,
    says: { reached: false, decisive: { hook: 'ingress', step: { table: 'edge' } } },
  },
  {
    title: 'a mark that one chain sets and another drops',
    change: ({ host }) =>
      nftFile(
        host.namespace,
        'table inet marks { chain p { type filter hook prerouting priority mangle; iifname "br0" tcp dport 80 meta mark set 0x7; }\nchain f { type filter hook forward priority 5; meta mark 0x7 drop; }\n}',
      ),
    from: a,
    to: '172.20.0.3',
    port: 80,
    says: { reached: false, decisive: { step: { table: 'marks', text: 'meta mark 0x00000007 drop' } } },
  },
  {
    title: 'a link by IPv6',
    change: async () => {},
    from: a,
    to: '2001:db8:20::3',
    port: 80,
    says: { reached: true, seen: '2001:db8:20::2', decisive: { step: { element: { set: '@links6' } } } },
  },
  {
    title: 'IPv6 that is not forwarded',
    change: ({ host }) => sysctl(host, 'net/ipv6/conf/all/forwarding', '0'),
    from: a,
    to: '2001:db8:ff::2',
    port: 80,
    says: { reached: false, decisive: { kind: 'sysctl', name: 'net/ipv6/conf/all/forwarding' } },
  },
  {
    title: 'a neighbour that may not say where it is',
    change: ({ host }) => nft(host.namespace, 'flush', 'set', 'bridge', 'runtime', 'senders6'),
    from: a,
    to: '2001:db8:20::3',
    port: 80,
    says: {
      reached: false,
      because: expect.stringContaining('drops the question for the address 2001:db8:20::3'),
      decisive: { step: { family: 'bridge', chain: 'senders' } },
    },
  },
  {
    title: 'no rules at all',
    change: ({ host }) => nft(host.namespace, 'flush', 'ruleset'),
    from: a,
    to: '172.20.0.3',
    port: 81,
    says: { reached: true, seen: '172.20.0.2', decisive: { kind: 'delivered' } },
  },
]

describe('an explanation agrees with the packets of every pair on every port, and says what decided', () => {
  it.each(cases)('$title', async ({ change, from, to, port, says }) => {
    const town = await createTown()
    await change(town)
    expect(await explain(town, from(town), to, port)).toMatchObject(says)
    await expectAgreement(town, [...everyPair(town), ...everyPair6(town)])
  })
})
