import { describe, expect, it } from 'vitest'
import { parseAddress } from '../../../src/address/index.js'
import { PortReservations } from '../../../src/netns/index.js'
import { ip, nft, nftFile, runIn } from '../../support/tools.js'
import { type Case, createTown, expectFound, inHost, port, reopen, rules, set } from './check-town.js'
import { openHost } from './setting.js'

/** What holds a port of the host that is published. */
let holder: PortReservations | undefined

const cases: readonly Case[] = [
  {
    code: 'foreign-chain-drops',
    what: "Docker's FORWARD policy",
    provoke: async (town) => {
      await rules(`table ip filter {
        chain DOCKER-USER { return; }
        chain FORWARD { type filter hook forward priority filter; policy drop; counter jump DOCKER-USER; }
      }`)(town)
    },
    says: ['Docker', 'policy drop', 'chain FORWARD', 'iptables -I DOCKER-USER -i docker0 -j ACCEPT'],
  },
  {
    code: 'foreign-chain-drops',
    what: 'somebody who drops one published port',
    provoke: rules(
      'table inet mine { chain f { type filter hook forward priority 10; tcp dport 80 ct status dnat drop; }; }',
    ),
    says: ['published by web', 'inet mine f', 'nft insert rule'],
  },
  {
    code: 'foreign-chain-drops',
    what: 'somebody who lets connections out, and no answers in',
    provoke: rules(
      'table inet mine { chain f { type filter hook forward priority -10; iifname "uplink" ct state established drop; }; }',
    ),
    says: ['outward'],
  },
  {
    code: 'foreign-chain-drops',
    what: 'somebody who drops what is linked',
    provoke: rules(
      'table ip mine { chain f { type filter hook forward priority 0; iifname "docker0" oifname "docker0" drop; }; }',
    ),
    says: ['the link of app to web (80/tcp, IPv4)'],
  },
  {
    code: 'neighbour-discovery-dropped',
    what: 'an input policy that forgets ICMPv6',
    provoke: rules(
      'table inet fw { chain in { type filter hook input priority 0; policy drop; ct state established,related accept; iifname lo accept; tcp dport 22 accept; }; }',
    ),
    says: ['uplink', 'icmpv6 type'],
  },
  {
    code: 'forwarding-off',
    what: 'of the host',
    provoke: set('net/ipv4/ip_forward', '0'),
    says: ['net.ipv4.ip_forward'],
  },
  {
    code: 'forwarding-off',
    what: 'of IPv6',
    provoke: set('net/ipv6/conf/all/forwarding', '0'),
    says: ['net.ipv6.conf.all.forwarding'],
  },
  {
    code: 'forwarding-off',
    what: 'of a bridge',
    provoke: set('net/ipv4/conf/docker0/forwarding', '0'),
    says: ['docker0'],
  },
  {
    code: 'forwarding-off',
    what: 'of the uplink',
    provoke: set('net/ipv4/conf/uplink/forwarding', '0'),
    says: ['uplink'],
  },
  {
    code: 'br-netfilter-off',
    what: 'of a bridge',
    provoke: async (town) => {
      await town.bridgeHost.network('docker0')?.update({ tracking: true })
      // That of all bridges, which is on where the module was loaded without further ado, would be enough.
      await set('net/bridge/bridge-nf-call-iptables', '0')(town)
      await inHost('link', 'set', 'docker0', 'type', 'bridge', 'nf_call_iptables', '0')(town)
    },
    says: ['docker0', 'IPv4'],
  },
  {
    code: 'rp-filter-drops',
    what: 'strict, with a way back that is another',
    provoke: async (town) => {
      await set('net/ipv4/conf/docker0/rp_filter', '1')(town)
      await inHost('route', 'add', '172.17.0.0/24', 'via', '203.0.113.2')(town)
    },
    says: ['docker0', '172.17.0.0/24', 'rp_filter=2'],
    leaves: ['pool-shadowed'],
  },
  {
    code: 'port-unreserved',
    what: 'somebody listens on a published port',
    provoke: async (town) => {
      const { host, state, bridgeHost } = town
      await bridgeHost.close()
      holder = PortReservations.open(host.namespace)
      await holder.reserve([{ protocol: 'tcp', address: parseAddress('0.0.0.0'), port: 8080 }])
      town.bridgeHost = await openHost(host, { state })
    },
    says: ['8080/tcp'],
    mend: async () => holder?.close(),
  },
  {
    code: 'pool-shadowed',
    what: 'a longer route',
    provoke: inHost('route', 'add', '172.17.0.0/24', 'via', '203.0.113.2'),
    says: ['172.17.0.0/24', 'uplink', 'docker0'],
  },
  {
    code: 'pool-shadowed',
    what: 'a longer route that refuses',
    provoke: inHost('route', 'add', 'blackhole', '172.19.0.128/25'),
    says: ['other', 'blackhole'],
  },
  {
    code: 'peer-shadowed',
    what: 'a longer route',
    provoke: inHost('route', 'add', '172.30.0.0/28', 'dev', 'docker0'),
    says: ['172.30.0.0/28'],
  },
  {
    code: 'peer-route-gone',
    what: 'deleted',
    provoke: inHost('route', 'delete', '172.30.0.0/24'),
    says: ['172.30.0.0/24'],
  },
  { code: 'bridge-down', what: 'set down', provoke: inHost('link', 'set', 'other', 'down'), says: ['other'] },
  {
    code: 'bridge-gone',
    what: 'deleted',
    provoke: inHost('link', 'delete', 'other'),
    says: ['other'],
    mend: reopen,
  },
  {
    code: 'gateway-gone',
    what: 'of IPv4',
    provoke: inHost('address', 'delete', '172.17.0.1/16', 'dev', 'docker0'),
    says: ['172.17.0.1/16'],
  },
  {
    code: 'port-down',
    what: 'set down',
    provoke: (town) => port('web')(town, 'link', 'set', 'PORT', 'down'),
    says: ['web'],
  },
  {
    code: 'port-elsewhere',
    what: 'taken out of its bridge',
    provoke: (town) => port('app')(town, 'link', 'set', 'PORT', 'nomaster'),
    says: ['app', 'docker0'],
    mend: reopen,
  },
  {
    code: 'port-gone',
    what: 'deleted',
    provoke: (town) => port('web')(town, 'link', 'delete', 'PORT'),
    says: ["container('web').stop()"],
    mend: async ({ bridgeHost, web }) => {
      await bridgeHost.container('web')?.stop()
      await bridgeHost.container('web')?.start({ netns: web.namespace })
    },
  },
  {
    code: 'interface-down',
    what: 'in the container',
    provoke: ({ web }) => ip(web.namespace, 'link', 'set', 'eth1', 'down'),
    says: ['eth1', 'web'],
    mend: ({ web }) => ip(web.namespace, 'link', 'set', 'eth1', 'up'),
  },
  {
    code: 'tables-gone',
    what: 'flushed',
    provoke: ({ host }) => nft(host.namespace, 'flush', 'ruleset'),
    says: ['nfbridge'],
    mend: reopen,
  },
  {
    code: 'rules-changed',
    what: 'a rule of somebody in a chain of ours',
    provoke: ({ host }) => nft(host.namespace, 'insert', 'rule', 'inet', 'nfbridge', 'inbound', 'accept'),
    says: ['inet inbound', '"accept" is not ours'],
    mend: reopen,
  },
  {
    code: 'elements-gone',
    what: 'a link and a publication',
    provoke: async ({ host }) => {
      await nft(host.namespace, 'flush', 'set', 'inet', 'nfbridge', 'links')
      await nft(host.namespace, 'flush', 'map', 'inet', 'nfbridge', 'publish_any')
    },
    says: ['links 172.17.0.3 . 172.17.0.2 . tcp . 80'],
    mend: reopen,
  },
  {
    code: 'elements-foreign',
    what: 'a link that nobody made',
    provoke: ({ host }) =>
      nft(
        host.namespace,
        'add',
        'element',
        'inet',
        'nfbridge',
        'links',
        '{ 172.17.0.2 . 172.17.0.3 . tcp . 22 }',
      ),
    says: ['links 172.17.0.2 . 172.17.0.3 . tcp . 22'],
    mend: reopen,
  },
]

describe('host.check', () => {
  it('finds nothing where all is well, also after the host was opened again', async () => {
    const town = await createTown()
    expect(await town.bridgeHost.check()).toEqual([])
    await reopen(town)
    expect(await town.bridgeHost.check()).toEqual([])
  })

  it.each(cases)('$code: $what; the remedy mends it', (fault) => expectFound(fault))
})

/** Base chains as ufw and firewalld make them, and one of somebody who is not known. */
it.each([
  [
    'ufw',
    'table ip filter { chain ufw-before-forward { }; chain FORWARD { type filter hook forward priority 0; policy drop; jump ufw-before-forward; }; }',
    'ufw route allow in on docker0',
  ],
  [
    'firewalld',
    'table inet firewalld { chain filter_FORWARD { type filter hook forward priority 10; ct state established accept; reject; }; }',
    'firewall-cmd --permanent --zone=trusted --add-interface=docker0',
  ],
  [
    'iptables',
    'table ip6 filter { chain FORWARD { type filter hook forward priority 0; policy drop; }; }',
    'ip6tables -I FORWARD -i docker0 -j ACCEPT',
  ],
  [
    'Docker',
    'table ip docker-bridges { chain filter-FORWARD { type filter hook forward priority 0; oifname docker0 drop; }; }',
    'nft insert rule ip docker-bridges filter-FORWARD iifname "docker0" accept',
  ],
])('says that rules are those of %s, and how it is told', async (owner, text, command) => {
  const town = await createTown()
  await nftFile(town.host.namespace, text)
  const [finding, ...others] = await town.bridgeHost.check()
  expect(others).toEqual([])
  expect(finding).toMatchObject({ code: 'foreign-chain-drops', severity: 'error' })
  expect(finding?.message).toMatch(new RegExp(`^${owner}: `))
  expect(finding?.remedy).toContain(command)
})

it("finds nothing in other programs' rules that let our traffic pass, or don't concern it", async () => {
  const town = await createTown()
  await nftFile(
    town.host.namespace,
    `table inet theirs {
      chain f { type filter hook forward priority -5; policy drop; ct state established,related accept; iifname { docker0, other } accept; oifname { docker0, other } accept; }
      chain i { type filter hook input priority 0; policy drop; icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept; tcp dport 22 accept; ct state established accept; }
      chain o { type filter hook output priority 0; policy accept; tcp dport 25 drop; }
    }`,
  )
  expect(await town.bridgeHost.check()).toEqual([])
})

it('names tables of the former iptables, which it can not read', async () => {
  const town = await createTown()
  // Its tables come into being when they are looked at, and go with the namespace.
  await runIn(town.host.namespace, 'iptables-legacy', ['-S'])
  await runIn(town.host.namespace, 'ip6tables-legacy', ['-t', 'mangle', '-S'])
  const [finding, ...others] = await town.bridgeHost.check()
  expect(others).toEqual([])
  expect(finding).toMatchObject({ code: 'legacy-iptables', severity: 'warning' })
  expect(finding?.message).toContain('(filter, ip6 mangle)')
})
