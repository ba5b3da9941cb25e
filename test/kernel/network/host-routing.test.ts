import { describe, expect, it } from 'vitest'
import { answerLimit, type Machine } from '../../../lab/machine.js'
import type { Container, NetworkOptions } from '../../../src/index.js'
import { ip } from '../../support/tools.js'
import { createMachines, failureOf, openHost } from './setting.js'

/** Each line is what follows `ip`. */
async function configure(machine: Machine, lines: readonly string[]): Promise<void> {
  for (const line of lines) await ip(machine.namespace, ...line.split(' '))
}

const TUNNEL = [
  'link add tun0 type veth peer name tun0p',
  'link set tun0p up',
  'link set tun0 mtu 1420 up',
  'address add 10.8.0.2/32 dev tun0',
]

describe('a host whose routes cover a pool without naming it', () => {
  it.each<[string, readonly string[], Partial<NetworkOptions>, RegExp]>([
    [
      'a default route in halves',
      ['route add 0.0.0.0/1 via 203.0.113.2', 'route add 128.0.0.0/1 via 203.0.113.2'],
      {},
      /^172\.17\.0\.0\/16$/,
    ],
    [
      'one in many parts',
      [0, 1, 2, 3].map((part) => `route add ${part * 64}.0.0.0/2 via 203.0.113.2`),
      { subnet: '10.77.0.0/16' },
      /^10\.77\.0\.0\/16$/,
    ],
    [
      'one of IPv6 in halves, and all of its global addresses',
      ['::/1', '8000::/1', '2000::/3'].map((each) => `-6 route add ${each} dev uplink`),
      { ipv4: false, ipv6: true },
      /^fd.*\/64$/,
    ],
    [
      'all private addresses refused, in both families',
      [
        'route add unreachable 10.0.0.0/8',
        'route add blackhole 172.16.0.0/12',
        'route add prohibit 192.168.0.0/16',
        '-6 route add unreachable fc00::/7 metric 4294967295',
      ],
      { ipv6: true },
      /^172\.17\.0\.0\/16 fd.*\/64$/,
    ],
  ])('%s: a network is made, and works', async (_, lines, options, subnets) => {
    const { host, machines } = await createMachines('web')
    const web = machines.get('web')
    if (!web) throw new Error('no machine')
    await configure(host, lines)
    const bridgeHost = await openHost(host)
    const network = await bridgeHost.createNetwork({ name: 'docker0', ...options })
    expect(network.subnets.join(' ')).toMatch(subnets)
    const { address } = await network.attach({ name: 'web', netns: web.namespace })
    await web.serveTcp(80, { address: options.ipv4 === false ? '::' : '0.0.0.0' })
    expect(await host.probeTcp(address, 80)).toMatchObject({ outcome: 'reached' })
    expect(await bridgeHost.check()).toEqual([])
  })

  it('is still refused a pool of which a route names a part, or all', async () => {
    const { host } = await createMachines()
    await configure(host, ['route add 10.0.0.0/8 via 203.0.113.2', 'route add blackhole 172.20.0.0/16'])
    const bridgeHost = await openHost(host)
    for (const [subnet, reason] of [
      ['10.77.0.0/16', 'overlaps 10.0.0.0/8, to which the host has a route'],
      ['172.20.0.0/16', 'overlaps 172.20.0.0/16, to which the host has a route'],
      ['172.16.0.0/12', 'overlaps 172.20.0.0/16, to which the host has a route'],
    ] as const) {
      expect(await failureOf(bridgeHost.createNetwork({ name: 'docker0', subnet }))).toMatchObject({
        code: 'NFB_POOL_OVERLAP',
        path: 'subnet',
        reason: expect.stringContaining(reason),
      })
    }
  })
})

describe('routes of other tables, to which rules lead', () => {
  const tailscale = [
    'route add 172.16.0.0/12 via 203.0.113.2 table 52',
    'rule add priority 5210 fwmark 0x80000/0xff0000 lookup main',
    'rule add priority 5270 lookup 52',
  ]

  it.each<[string, readonly string[], string]>([
    ['a subnet of a VPN, asked before main', tailscale, '192.168.0.0/20'],
    [
      'one for all that is not marked',
      [
        'route add 172.17.0.0/16 via 203.0.113.2 table 51820',
        'rule add priority 100 not fwmark 51820 lookup 51820',
      ],
      '172.18.0.0/16',
    ],
    [
      'a default route for what comes from the pool',
      ['route add default via 203.0.113.2 table 100', 'rule add from 172.17.0.0/16 lookup 100'],
      '172.18.0.0/16',
    ],
    [
      'a subnet for what comes in by one interface',
      ['route add 172.17.0.0/16 via 203.0.113.2 table 100', 'rule add iif uplink lookup 100'],
      '172.18.0.0/16',
    ],
    [
      "addresses that are all the host's own (AnyIP)",
      ['route add local 172.17.0.0/16 dev lo'],
      '172.18.0.0/16',
    ],
    ['a rule that refuses', ['rule add priority 90 to 172.17.0.0/17 prohibit'], '172.18.0.0/16'],
  ])('%s: passed over, and refused when asked for', async (_, lines, chosen) => {
    const { host, machines } = await createMachines('web')
    const web = machines.get('web')
    if (!web) throw new Error('no machine')
    await configure(host, lines)
    const bridgeHost = await openHost(host)
    expect(
      await failureOf(bridgeHost.createNetwork({ name: 'docker0', subnet: '172.17.0.0/16' })),
    ).toMatchObject({ code: 'NFB_POOL_OVERLAP', path: 'subnet' })
    const network = await bridgeHost.createNetwork({ name: 'docker0' })
    expect(network.subnet).toBe(chosen)
    const { address } = await network.attach({ name: 'web', netns: web.namespace })
    await web.serveTcp(80)
    expect(await host.probeTcp(address, 80)).toMatchObject({ outcome: 'reached' })
    expect(await bridgeHost.check()).toEqual([])
  })

  it.each<[string, readonly string[]]>([
    [
      'main is asked before, but for its default route (wg-quick)',
      [
        'route add default via 203.0.113.2 table 51820',
        'rule add priority 200 not fwmark 51820 lookup 51820',
        'rule add priority 100 lookup main suppress_prefixlength 0',
      ],
    ],
    ['what is marked', ['route add default via 203.0.113.2 table 52', 'rule add fwmark 7 lookup 52']],
    [
      'a table that lets the pool through',
      [
        'route add default via 203.0.113.2 table 52',
        'route add throw 172.16.0.0/12 table 52',
        'rule add priority 5270 lookup 52',
      ],
    ],
    ['a table that no rule leads to', ['route add 172.16.0.0/12 via 203.0.113.2 table 52']],
    [
      'a rule for the pool that comes first',
      [
        ...tailscale.slice(1),
        'route add default via 203.0.113.2 table 52',
        'rule add priority 10 to 172.16.0.0/12 lookup main',
      ],
    ],
  ])('are no use of it: %s', async (_, lines) => {
    const { host, machines } = await createMachines('web')
    const web = machines.get('web')
    if (!web) throw new Error('no machine')
    await configure(host, lines)
    const bridgeHost = await openHost(host)
    const network = await bridgeHost.createNetwork({ name: 'docker0', subnet: '172.17.0.0/16' })
    const { address } = await network.attach({ name: 'web', netns: web.namespace })
    await web.serveTcp(80)
    expect(await host.probeTcp(address, 80)).toMatchObject({ outcome: 'reached' })
    expect(await bridgeHost.check()).toEqual([])
  })

  it.each<[string, readonly string[], 'error' | 'warning', RegExp]>([
    ['a subnet of a VPN', tailscale, 'error', /rule 5270 \(from all lookup 52\), to 172\.16\.0\.0\/12/],
    [
      'an exit node',
      ['route add default via 203.0.113.2 table 52', 'rule add priority 5270 lookup 52'],
      'error',
      /rule 5270 \(from all lookup 52\), to default/,
    ],
    [
      'the containers sent through a VPN',
      ['route add default via 203.0.113.2 table 100', 'rule add priority 99 from 172.17.0.0/16 lookup 100'],
      'error',
      /rule 99 \(from 172\.17\.0\.0\/16 lookup 100\), to default/,
    ],
    [
      'what one address of the host sends, by another uplink',
      ['route add default via 203.0.113.2 table 100', 'rule add priority 99 from 203.0.113.1 lookup 100'],
      'warning',
      /rule 99 \(from 203\.0\.113\.1\/32 lookup 100\), to default/,
    ],
  ])('that come later are found, with what mends it: %s', async (_, lines, severity, message) => {
    const { host, machines } = await createMachines('web')
    const web = machines.get('web')
    if (!web) throw new Error('no machine')
    const bridgeHost = await openHost(host)
    const network = await bridgeHost.createNetwork({ name: 'docker0', subnet: '172.17.0.0/16' })
    const container: Container = await network.attach({ name: 'web', netns: web.namespace })
    await web.serveTcp(80)
    await configure(host, lines)
    const found = (await bridgeHost.check()).filter(({ code }) => code === 'pool-shadowed')
    expect(found).toMatchObject([{ severity, subject: 'docker0', message: expect.stringMatching(message) }])
    const probe = async (passes: boolean): Promise<string> =>
      (await host.probeTcp(container.address, 80, { timeoutMs: answerLimit(passes) })).outcome
    const stopped = severity === 'error'
    expect(await probe(!stopped)).toBe(stopped ? 'timeout' : 'reached')
    const command = /`ip (.*)`/.exec(found[0]?.remedy ?? '')?.[1] ?? ''
    await configure(host, [command])
    expect(await probe(true)).toBe('reached')
    expect(await bridgeHost.check()).toEqual([])
  })

  it('a peer behind one is found as well', async () => {
    const { host } = await createMachines()
    const bridgeHost = await openHost(host)
    await bridgeHost.addPeer({ subnet: '172.30.0.0/24', via: '203.0.113.2' })
    expect(await bridgeHost.check()).toEqual([])
    await configure(host, ['route add 172.16.0.0/12 dev uplink table 52', 'rule add priority 5270 lookup 52'])
    expect(await bridgeHost.check()).toMatchObject([{ code: 'peer-shadowed', subject: '172.30.0.0/24' }])
  })
})

describe('the MTU of the way out, as the kernel decides it', () => {
  it.each<[string, readonly string[], Partial<NetworkOptions>, number]>([
    ['nothing special', [], {}, 1500],
    ["the route's own", ['route replace default via 203.0.113.2 mtu 1400'], {}, 1400],
    [
      'all that is not marked goes by a tunnel (wg-quick)',
      [
        ...TUNNEL,
        'route add default dev tun0 table 51820',
        'rule add not fwmark 51820 table 51820',
        'rule add table main suppress_prefixlength 0',
      ],
      {},
      1420,
    ],
    [
      'the smallest of several nexthops',
      [...TUNNEL, 'route replace default nexthop via 203.0.113.2 dev uplink nexthop dev tun0'],
      {},
      1420,
    ],
    [
      'a better default route',
      [
        ...TUNNEL,
        'route del default',
        'route add default dev tun0 metric 100',
        'route add default via 203.0.113.2 metric 600',
      ],
      {},
      1420,
    ],
    ['halves', [...TUNNEL, 'route add 0.0.0.0/1 dev tun0', 'route add 128.0.0.0/1 dev tun0'], {}, 1420],
    [
      'of the pool alone, which a rule sends by a tunnel',
      [
        ...TUNNEL,
        'route add default dev tun0 table 100',
        'rule add priority 100 from 172.17.0.0/16 lookup 100',
        'rule add priority 10 to 172.17.0.0/16 lookup main',
      ],
      {},
      1420,
    ],
    ['no way out', ['route del default'], {}, 1500],
    [
      'of IPv6, that of the route',
      ['-6 route add default via 2001:db8:113::2 mtu 1380'],
      { ipv6: true },
      1380,
    ],
    ['of IPv6, for a network without', ['-6 route add default via 2001:db8:113::2 mtu 1380'], {}, 1500],
  ])('%s', async (_, lines, options, mtu) => {
    const { host } = await createMachines()
    await configure(host, ['-6 address add 2001:db8:113::1/64 dev uplink nodad', ...lines])
    const bridgeHost = await openHost(host)
    await bridgeHost.createNetwork({ name: 'docker0', subnet: '172.17.0.0/16', ...options })
    expect(await ip(host.namespace, 'link', 'show', 'docker0')).toContain(`mtu ${mtu} `)
  })

  it('of IPv6, what a router advertised for the interface', async () => {
    const { host } = await createMachines()
    await configure(host, [
      '-6 address add 2001:db8:113::1/64 dev uplink nodad',
      '-6 route add default via 2001:db8:113::2',
    ])
    await host.namespace.writeSysctl('net/ipv6/conf/uplink/mtu', '1300')
    const bridgeHost = await openHost(host)
    await bridgeHost.createNetwork({ name: 'docker0', ipv6: true })
    expect(await ip(host.namespace, 'link', 'show', 'docker0')).toContain('mtu 1300 ')
  })
})
