/** What can stop each of the connections that stand, beside rules of family inet: check() finds it, and its remedy mends it. */
import { describe, expect, it } from 'vitest'
import { connect } from '../../../lab/wiring.js'
import { bridge, ip } from '../../support/tools.js'
import { type Case, createTown, expectFound, inHost, port, rules, set, type Town } from './check-town.js'
import { createMachines, createSetting, openHost } from './setting.js'

/** `ip` in the host, a line for each. */
const commands =
  (...lines: string[]) =>
  async ({ host }: Town) => {
    for (const line of lines) await ip(host.namespace, ...line.split(' '))
  }

const setPort =
  (...words: string[]) =>
  async ({ host, bridgeHost }: Town) =>
    bridge(host.namespace, 'link', 'set', 'dev', bridgeHost.container('web')?.hostInterface ?? '', ...words)

const cases: readonly Case[] = [
  {
    code: 'foreign-chain-drops',
    what: 'at forward of family bridge',
    provoke: rules('table bridge x { chain f { type filter hook forward priority 0; policy drop; }; }'),
    says: [
      'the link of app to web (80/tcp, IPv4)',
      'nft insert rule bridge x f ip saddr 172.17.0.0/16 accept',
    ],
  },
  {
    code: 'foreign-chain-drops',
    what: 'TCP, at prerouting of family bridge',
    provoke: rules(
      'table bridge x { chain p { type filter hook prerouting priority 0; ip protocol tcp drop; }; }',
    ),
    says: ['bridge x p'],
  },
  {
    code: 'foreign-chain-drops',
    what: 'at the ingress of our bridge',
    provoke: rules(
      'table netdev x { chain i { type filter hook ingress device docker0 priority 0; policy drop; }; }',
    ),
    says: ['netdev x i', 'nft insert rule netdev x i iifname "docker0" accept'],
  },
  {
    code: 'foreign-chain-drops',
    what: "at the ingress of a container's port",
    provoke: async (town) => {
      const device = town.bridgeHost.container('app')?.hostInterface
      await rules(
        `table netdev x { chain i { type filter hook ingress device ${device} priority 0; drop; }; }`,
      )(town)
    },
    says: ['netdev x i'],
  },
  {
    code: 'foreign-chain-drops',
    what: 'at the ingress of the uplink',
    provoke: rules(
      'table netdev x { chain i { type filter hook ingress device uplink priority 0; meta protocol arp accept; icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept; drop; }; }',
    ),
    says: ['outward', 'nft insert rule netdev x i ip daddr 203.0.113.1 accept'],
  },
  {
    code: 'foreign-chain-drops',
    what: 'what comes in, before it is translated',
    provoke: rules(
      'table inet x { chain p { type filter hook prerouting priority raw; iifname uplink tcp dport 8080 drop; }; }',
    ),
    says: ['published by web (IPv4)', 'iifname "uplink" ip daddr 203.0.113.1 tcp dport 8080 accept'],
  },
  {
    code: 'foreign-chain-drops',
    what: 'in a table of iptables other than filter',
    provoke: rules(
      'table ip raw { chain PREROUTING { type filter hook prerouting priority raw; iifname docker0 drop; }; }',
    ),
    says: ['iptables -t raw -I PREROUTING -i docker0 -j ACCEPT'],
  },
  {
    code: 'foreign-chain-drops',
    what: "the host's own way to what is published",
    provoke: rules(
      'table inet x { chain o { type filter hook output priority 0; ip daddr 172.17.0.0/16 drop; }; }',
    ),
    says: ['the host itself sends', 'nft insert rule inet x o ip daddr 172.17.0.2 tcp dport 80 accept'],
  },
  {
    code: 'foreign-notrack',
    what: 'of everything',
    provoke: rules('table inet x { chain p { type filter hook prerouting priority raw; notrack; }; }'),
    says: ['notrack', 'nft delete rule inet x p handle'],
  },
  {
    code: 'foreign-notrack',
    what: 'a zone for what comes in by the uplink',
    provoke: rules(
      'table inet x { chain p { type filter hook prerouting priority raw; iifname uplink ct zone set 7; }; }',
    ),
    says: ['ct zone set 7'],
  },
  {
    code: 'traffic-misrouted',
    what: "the host's own address in a table without the bridges",
    provoke: commands('route add default via 203.0.113.2 table 100', 'rule add from 203.0.113.1 lookup 100'),
    says: ['from 203.0.113.1/32 lookup 100', 'ip rule add to 172.17.0.0/16 lookup main priority'],
  },
  {
    code: 'traffic-misrouted',
    what: 'a rule that refuses what comes from containers',
    provoke: commands('rule add iif docker0 to 172.17.0.0/16 unreachable'),
    says: ['iif docker0 unreachable', 'ip rule add to 172.17.0.0/16 lookup main priority'],
  },
  {
    code: 'traffic-misrouted',
    what: 'a rule that refuses what goes out',
    provoke: commands('rule add from 172.17.0.0/16 to 198.51.100.0/24 prohibit priority 77'),
    says: ['from 172.17.0.0/16 to 198.51.100.0/24 prohibit', '`ip rule delete priority 77`'],
  },
  {
    code: 'route-localnet-off',
    what: 'of docker0',
    provoke: set('net/ipv4/conf/docker0/route_localnet', '0'),
    says: ['127.0.0.1', 'docker0'],
  },
  {
    code: 'port-changed',
    what: 'no hairpin',
    provoke: setPort('hairpin', 'off'),
    says: ['hairpin on', 'web'],
  },
  { code: 'port-changed', what: 'isolated', provoke: setPort('isolated', 'on'), says: ['isolated off'] },
  {
    code: 'port-changed',
    what: 'learning and flooding',
    provoke: setPort('learning', 'on', 'flood', 'on'),
    says: ['learning off flood off'],
  },
  {
    code: 'port-changed',
    what: 'a smaller MTU',
    provoke: (town) => port('web')(town, 'link', 'set', 'PORT', 'mtu', '1400'),
    says: ['1400', 'mtu 1500'],
  },
  {
    code: 'station-changed',
    what: 'the bridge forgot where a container is',
    provoke: async ({ host, bridgeHost, web }) => {
      const mac = /link\/ether (\S+)/.exec(await ip(web.namespace, 'link', 'show', 'eth0'))?.[1] ?? ''
      const device = bridgeHost.container('web')?.hostInterface ?? ''
      await bridge(host.namespace, 'fdb', 'delete', mac, 'dev', device, 'master')
    },
    says: ['web', 'bridge fdb replace'],
  },
  {
    code: 'station-changed',
    what: 'the host was told another MAC address',
    provoke: commands('neigh replace 172.17.0.2 lladdr 02:00:00:00:00:77 dev docker0 nud permanent'),
    says: ['ip neigh replace 172.17.0.2 lladdr'],
  },
  {
    code: 'bridge-changed',
    what: 'its MAC address',
    provoke: inHost('link', 'set', 'docker0', 'address', '02:00:00:00:00:99'),
    says: ['02:42:ac:11:00:01'],
  },
  {
    code: 'bridge-changed',
    what: 'the spanning tree protocol',
    provoke: inHost('link', 'set', 'docker0', 'type', 'bridge', 'stp_state', '1'),
    says: ['stp_state 0'],
  },
  {
    code: 'bridge-changed',
    what: 'a smaller MTU',
    provoke: inHost('link', 'set', 'docker0', 'mtu', '1400'),
    says: ['1400'],
  },
  {
    code: 'gateway-gone',
    what: 'of IPv6, which somebody turned off',
    provoke: set('net/ipv6/conf/docker0/disable_ipv6', '1'),
    says: ['disable_ipv6=0'],
  },
  {
    code: 'address-gone',
    what: 'in the container',
    provoke: ({ web }) => ip(web.namespace, 'address', 'delete', '172.17.0.2/16', 'dev', 'eth0'),
    says: ['eth0 of web', '172.17.0.2'],
    mend: async ({ bridgeHost, web }) => {
      await bridgeHost.container('web')?.stop()
      await bridgeHost.container('web')?.start({ netns: web.namespace })
    },
  },
  {
    code: 'traffic-stopped',
    what: 'a container without its default routes',
    provoke: async ({ web }) => {
      for (const gateway of ['172.17.0.1', '172.19.0.1'])
        await ip(web.namespace, 'route', 'delete', 'default', 'via', gateway)
    },
    says: ['docker0', 'web'],
    mend: ({ web }) => ip(web.namespace, 'route', 'add', 'default', 'via', '172.17.0.1', 'dev', 'eth0'),
  },
  {
    code: 'rp-filter-drops',
    what: 'of the uplink, by which marked packets leave, and not what leads back',
    provoke: async (town) => {
      await set('net/ipv4/conf/uplink/rp_filter', '1')(town)
      await rules(
        'table inet x { chain p { type filter hook prerouting priority mangle; iifname docker0 mark set 5; }; }',
      )(town)
      await commands(
        'route add 198.51.100.0/24 dev other',
        'route add 198.51.100.0/24 via 203.0.113.2 table 100',
        'rule add fwmark 5 lookup 100',
      )(town)
    },
    says: ['uplink/rp_filter=2'],
  },
]

describe('host.check, of each connection that stands', () => {
  it.each(cases)('$code: $what; the remedy mends it', (fault) => expectFound(fault))

  it('finds that what comes in by a second uplink is answered by the first, where the host itself answers by it', async () => {
    const town = await createTown()
    const { machines } = await createMachines('second')
    const second = machines.get('second')
    if (!second) throw new Error('a second uplink')
    await connect(
      { machine: town.host, interface: 'second', address: '192.0.2.1/24' },
      { machine: second, interface: 'second', address: '192.0.2.2/24' },
    )
    expect(await town.bridgeHost.check()).toEqual([])
    await expectFound(
      {
        code: 'answers-elsewhere',
        what: '',
        provoke: commands(
          'route add default via 192.0.2.2 table 100',
          'rule add from 192.0.2.1 lookup 100',
          'rule add to 172.16.0.0/12 lookup main',
        ),
        says: ['second', 'from 192.0.2.1/32 lookup 100', 'ct mark set'],
      },
      Promise.resolve(town),
    )
  })

  it('finds interfaces that are trusted and are not there, until they are', async () => {
    const { host, bridgeHost } = await createSetting([], { trustedInterfaces: ['wg0'] })
    expect(await bridgeHost.check()).toMatchObject([
      { code: 'trusted-interface-missing', severity: 'warning', subject: 'wg0' },
    ])
    await ip(host.namespace, 'link', 'add', 'wg0', 'type', 'veth', 'peer', 'name', 'wg1')
    expect(await bridgeHost.check()).toEqual([])
  })
})

/** Networks of every kind that work: none of it is a fault. */
describe('host.check raises no false alarm', () => {
  it('about two containers in one namespace, linked or not', async () => {
    for (const options of [{}, { internal: true }, { icc: false, ipv6: true }]) {
      const { bridgeHost, attach, machine, network } = await createSetting(['pod'], options)
      await attach('pod', { expose: ['80/tcp'] })
      await network.attach({ name: 'second', netns: machine('pod').namespace, links: ['pod'] })
      expect(await bridgeHost.check()).toEqual([])
      // (control) What has ceased is found all the same.
      await ip(machine('pod').namespace, 'address', 'flush', 'dev', 'eth1')
      expect((await bridgeHost.check()).length).toBeGreaterThan(0)
    }
  })

  it('and explain says of such containers what the kernel does, by their names', async () => {
    const { bridgeHost, attach, machine, network, host } = await createSetting(['pod'])
    const other = await bridgeHost.createNetwork({ name: 'other', subnet: '172.20.0.0/16' })
    const netns = machine('pod').namespace
    const pod = await attach('pod')
    const second = await other.attach({ name: 'second', netns })
    await machine('pod').serveTcp(80)
    for (const { name, address } of [pod, second]) {
      expect(await bridgeHost.explain({ from: 'host', to: name, port: 80 })).toMatchObject({
        reached: true,
        target: { namespace: name },
      })
      expect(await host.probeTcp(address, 80)).toMatchObject({ outcome: 'reached' })
    }
    // On one network the answers of the second leave by the interface of the first, with a sender that it was not given.
    const third = await network.attach({ name: 'third', netns })
    expect(await host.probeTcp(third.address, 80)).toEqual({ outcome: 'timeout' })
    expect(await bridgeHost.explain({ from: 'host', to: 'third', port: 80 })).toMatchObject({
      reached: false,
      decisive: { chain: 'senders' },
    })
  })

  it.each(['a.b', 'x-y_z', '0', 'br+0', 'docker@0', 'drop', 'ip'])('for a network named %s', async (name) => {
    const { host, machines } = await createMachines('web', 'app')
    const bridgeHost = await openHost(host)
    const network = await bridgeHost.createNetwork({ name, subnet: '172.17.0.0/16', icc: false })
    const machine = (each: string) => machines.get(each)?.namespace ?? host.namespace
    await network.attach({ name: 'web', netns: machine('web'), expose: ['80'], publish: ['8080:80'] })
    await network.attach({ name: 'app', netns: machine('app'), links: ['web'] })
    expect(await bridgeHost.check()).toEqual([])
    expect(await bridgeHost.explain({ from: 'app', to: 'web', port: 80 })).toMatchObject({ reached: true })
    expect(await bridgeHost.explain({ from: 'app', to: 'web', port: 81 })).toMatchObject({ reached: false })
  })

  it('for networks, containers and ports of every kind', async () => {
    const names = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight'] as const
    const { host, outside, machines } = await createMachines(...names)
    await ip(host.namespace, 'address', 'add', '2001:db8:113::1/64', 'dev', 'uplink', 'nodad')
    await ip(outside.namespace, 'address', 'add', '2001:db8:113::2/64', 'dev', 'uplink', 'nodad')
    await ip(host.namespace, '-6', 'route', 'add', 'default', 'via', '2001:db8:113::2')
    const bridgeHost = await openHost(host)
    const machine = (name: (typeof names)[number]) => machines.get(name)?.namespace ?? host.namespace
    const open = await bridgeHost.createNetwork({ name: 'open', ipv6: true, bridges: 2 })
    const closed = await bridgeHost.createNetwork({
      name: 'closed',
      ipv6: true,
      icc: false,
      linkMode: 'stateless',
    })
    const inner = await bridgeHost.createNetwork({ name: 'inner', internal: true })
    const routed = await bridgeHost.createNetwork({ name: 'routed', gatewayMode: 'routed' })
    const bare = await bridgeHost.createNetwork({
      name: 'bare',
      gatewayMode: 'isolated',
      isolation: 'strict',
    })
    const loose = await bridgeHost.createNetwork({
      name: 'loose',
      gatewayMode: 'nat-unprotected',
      masquerade: { snat: '203.0.113.1', except: ['10.0.0.0/8'] },
      isolation: 'none',
      trustedInterfaces: ['uplink'],
    })
    await open.attach({
      name: 'one',
      netns: machine('one'),
      publish: [
        '8080:80',
        '9000-9003:9000-9003/udp',
        '127.0.0.1:99:99',
        '203.0.113.1:77:77',
        '0.0.0.0:78:78',
      ],
    })
    const two = await open.attach({ name: 'two', netns: machine('two'), links: ['one'] })
    await two.connect(inner, { netns: machine('two'), priority: 10 })
    await closed.attach({
      name: 'three',
      netns: machine('three'),
      expose: ['80', '53/udp'],
      publish: ['[::]:81:80'],
    })
    await closed.attach({ name: 'four', netns: machine('four'), links: ['three'], allowForgedSource: true })
    await inner.attach({ name: 'five', netns: machine('five') })
    await routed.attach({ name: 'six', netns: machine('six'), publish: ['82:80'] })
    await bare.attach({ name: 'seven', netns: machine('seven') })
    await loose.attach({ name: 'eight', netns: machine('eight'), publish: ['83:80/sctp'] })
    await bridgeHost.addPeer({ subnet: '10.77.0.0/24', via: '203.0.113.2' })
    await bridgeHost.addHostContainer({ name: 'hosted' })
    expect(await bridgeHost.check()).toEqual([])
    await bridgeHost.container('one')?.stop()
    expect(await bridgeHost.check()).toEqual([])
  })

  it.each([{ firewall: false }, { ipForward: false, forwardPolicy: 'leave' } as const])(
    'for a host that is opened with %o',
    async (options) => {
      const { host, machines } = await createMachines('web', 'app')
      if ('ipForward' in options) await host.namespace.writeSysctl('net/ipv4/ip_forward', '1')
      const bridgeHost = await openHost(host, options)
      const network = await bridgeHost.createNetwork({ name: 'docker0', subnet: '172.17.0.0/16' })
      for (const name of ['web', 'app'])
        await network.attach({ name, netns: machines.get(name)?.namespace ?? host.namespace })
      expect(await bridgeHost.check()).toEqual([])
    },
  )
})
