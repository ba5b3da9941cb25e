import { describe, expect, it } from 'vitest'
import { Cidr } from '../../../src/address/index.js'
import { NfbridgeError } from '../../../src/errors.js'
import { Offload, type OffloadKernel } from '../../../src/network/apply/offload.js'
import type { OffloadOption } from '../../../src/network/options.js'
import {
  mayLeadOut,
  type OffloadFacts,
  offloadDevices,
  reasonAgainstOffload,
} from '../../../src/network/plan/offload.js'
import { EVERY_RULE, ruleCounts, rulesetObjects } from '../../../src/network/rules/ruleset.js'
import type { Chain } from '../../../src/nft/index.js'
import { toText } from '../../../src/nft/index.js'
import type { Link, Route } from '../../../src/rtnl/index.js'
import { network, view } from './text/view.js'

const facts: OffloadFacts = {
  option: 'auto',
  userRules: false,
  chains: [],
  table: 'nfbridge',
  legacyTables: [],
}

function chain(of: Partial<Chain>): OffloadFacts['chains'][number] {
  return { chain: { family: 'ip', table: 'filter', name: 'FORWARD', type: 'filter', hook: 'forward', ...of } }
}

function link(index: number, name: string): Link {
  return {
    index,
    name,
    mtu: 1500,
    up: true,
    lowerUp: true,
    state: 'up',
    flags: 0,
    group: 0,
    record: { index },
  }
}

function route(destination: string, of: Partial<Route>): Route {
  const cidr = Cidr.parse(destination)
  return {
    family: cidr.family,
    destination: cidr,
    table: 'main',
    scope: 'universe',
    type: 'unicast',
    protocol: 'static',
    onlink: false,
    record: {},
    ...of,
  }
}

describe('whether connections may go past the hooks', () => {
  it.each<[string, Partial<OffloadFacts>]>([
    ['nobody has a rule', {}],
    ['our own chains stand', { chains: [chain({ family: 'inet', table: 'nfbridge', name: 'forward' })] }],
    ['another translates', { chains: [chain({ type: 'nat', hook: 'postrouting' })] }],
    ['another judges what the host gets', { chains: [chain({ hook: 'input' }), chain({ hook: 'output' })] }],
    ['another judges frames', { chains: [chain({ family: 'bridge' }), chain({ family: 'arp' })] }],
    [
      'another has chains without a hook',
      { chains: [{ chain: { family: 'ip', table: 'filter', name: 'DOCKER-USER' } }] },
    ],
    ['the former iptables translates', { legacyTables: ['nat', 'ip6 nat'] }],
    ['it was asked for', { option: true, userRules: true, chains: [chain({})], legacyTables: ['filter'] }],
  ])('they may where %s', (_, some) => {
    expect(reasonAgainstOffload({ ...facts, ...some })).toBeUndefined()
  })

  it.each<[string, Partial<OffloadFacts>, string]>([
    ['on request', { option: false }, 'offload is false'],
    ['for rules of the users', { userRules: true }, 'rules of the users'],
    ['for iptables', { chains: [chain({})] }, 'chain FORWARD of table ip filter (hook forward)'],
    ['for ip6tables', { chains: [chain({ family: 'ip6', hook: 'postrouting' })] }, 'ip6 filter'],
    ['for marks', { chains: [chain({ type: 'route', hook: 'prerouting' })] }, 'hook prerouting'],
    ['for another host', { chains: [chain({ family: 'inet', table: 'b', name: 'forward' })] }, 'inet b'],
    [
      'for a base chain that somebody put into our table',
      { chains: [chain({ family: 'inet', table: 'nfbridge', name: 'mine' })] },
      'chain mine of table inet nfbridge',
    ],
    ['for the former iptables', { legacyTables: ['ip6 mangle'] }, 'former iptables (ip6 mangle)'],
  ])('not %s', (_, some, reason) => {
    expect(reasonAgainstOffload({ ...facts, ...some })).toContain(reason)
  })
})

const links = ['lo', 'eth0', 'docker0', 'wlan0', 'veth1', 'eth1', 'br2'].map((name, index) =>
  link(index + 1, name),
)

describe('the devices', () => {
  it('are those that routes lead out by, and bridges of ours that are there', () => {
    const routes = [
      route('0.0.0.0/0', { device: 2 }),
      route('172.17.0.0/16', { device: 3 }),
      route('10.0.0.0/8', {
        table: 100,
        nexthops: [4, 6].map((device) => ({ device, weight: 1, onlink: false })),
      }),
      route('fe80::/64', { device: 5 }),
      route('127.0.0.0/8', { device: 1 }),
    ]
    const devices = offloadDevices(links, routes, ['docker0', 'br2', 'gone'])
    expect(devices.map(({ name }) => name)).toEqual(['eth0', 'wlan0', 'eth1', 'docker0', 'br2'])
  })

  it('are as many as a flowtable takes, ways out first', () => {
    const bridges = Array.from({ length: 300 }, (_, index) => `br${index}`)
    const many = [...bridges.map((name, index) => link(100 + index, name)), link(2, 'eth0')]
    const devices = offloadDevices(many, [route('0.0.0.0/0', { device: 2 })], bridges)
    expect(devices).toHaveLength(256)
    expect(devices[0]?.name).toBe('eth0')
  })

  it.each<[boolean, Route]>([
    [true, route('0.0.0.0/0', {})],
    [true, route('2001:db8::/32', {})],
    [false, route('fe80::/64', {})],
    [false, route('ff00::/8', { type: 'multicast' })],
    [false, route('203.0.113.1/32', { type: 'local' })],
    [false, route('192.0.2.0/24', { type: 'blackhole' })],
  ])('%s: %o', (leads, each) => {
    expect(mayLeadOut(each)).toBe(leads)
  })
})

describe('the rules', () => {
  const text = (offload?: readonly string[]): string =>
    toText(rulesetObjects('t', { ...EVERY_RULE, offload }))

  it('are as without offload where it is not in effect', () => {
    expect(text()).not.toMatch(/flow|offload/)
    expect(text(['eth0']).replaceAll(/\n.*(jump offloaded|flow add).*/g, '')).not.toBe(text(['eth0']))
  })

  it('add what is established and translated, before it is accepted', () => {
    expect(text(['eth0', 'docker0'])).toMatch(
      /ct status assured ct status snat,dnat jump offloaded\n.*accept/,
    )
    // What comes from elsewhere with a container's address must go on meeting the rules.
    for (const line of text(['eth0']).match(/iifname != @bridges.*flow add.*/g) ?? ['none'])
      expect(line).toMatch(/ip6? saddr != @pools6? flow add/)
    expect(text(['eth0', 'docker0'])).toMatch(/devices = \{ eth0, docker0 \}/)
  })

  it('are counted with it', () => {
    const sum = (offload?: readonly string[]): number =>
      [...ruleCounts('inet', { ...EVERY_RULE, offload }).values()].reduce((one, other) => one + other, 0)
    const rules = rulesetObjects('t', EVERY_RULE).filter(
      (object) => 'rule' in object && object.rule.family === 'inet',
    )
    expect(sum([])).toBe(rules.length)
    expect(sum([])).toBe(sum() + 4)
  })
})

describe('what follows', () => {
  /** A kernel that has what a test says, and remembers what was committed. */
  class Kernel implements OffloadKernel {
    readonly table = 'nfbridge'
    readonly namespace = { readProcNet: async () => undefined }
    rules: readonly { readonly expr: [] }[] = []
    readonly userRules = { readChains: async () => ({ forward: this.rules, inbound: [] }) }
    offload: readonly string[] | undefined
    readonly commits: (readonly string[] | undefined)[] = []
    refusal: NfbridgeError | undefined
    hasThem = true
    asked = 0

    async hasFlowtables(): Promise<boolean> {
      this.asked += 1
      return this.hasThem
    }
    async commitOffload(devices: readonly string[] | undefined): Promise<void> {
      if (this.refusal) throw this.refusal
      this.commits.push(devices)
      this.offload = devices
    }
    links = links
    readonly listLinks = async () => this.links
    readonly listRoutes = async () => [route('0.0.0.0/0', { device: 2 })]
    readonly listChains = async () => ({ nftables: [], generation: 1 })
    readonly watchNewRoutes = async () => undefined
  }

  const registry = view({ networks: [network('docker0', [])] })
  const empty = view({ networks: [] })
  const DEVICES = ['eth0', 'docker0']
  const made = (offload: OffloadOption, kernel = new Kernel(), release = '6.1.0-50-amd64') => ({
    kernel,
    offload: new Offload(kernel, { offload, firewall: true }, release),
  })

  it('is on as long as nobody has a rule, and committed where it differs', async () => {
    const { kernel, offload } = made('auto')
    await offload.follow(empty)
    expect(offload.state).toEqual({ on: false, devices: [], reason: 'there is no network' })
    expect(kernel.asked).toBe(0)
    await offload.follow(registry)
    await offload.follow(registry)
    expect(offload.state).toEqual({ on: true, devices: DEVICES, reason: null })
    kernel.rules = [{ expr: [] }]
    await offload.follow(registry)
    expect(offload.state).toMatchObject({ on: false, reason: expect.stringContaining('rules of the users') })
    kernel.rules = []
    await offload.follow(registry)
    expect(kernel.commits).toEqual([DEVICES, undefined, DEVICES])
    expect(kernel.asked).toBe(1)
  })

  it('is made anew when a device went and came again', async () => {
    const { kernel, offload } = made('auto')
    await offload.follow(registry)
    kernel.links = links.map((each) => (each.name === 'docker0' ? link(99, 'docker0') : each))
    await offload.follow(registry)
    await offload.follow(registry)
    expect(kernel.commits).toEqual([DEVICES, DEVICES])
  })

  it.each<[OffloadOption, boolean]>([
    ['auto', false],
    [true, true],
  ])('gives way to a rule that comes, with %s', async (option, stays) => {
    const { offload } = made(option)
    await offload.follow(registry)
    await offload.giveWay()
    expect(offload.state.on).toBe(stays)
  })

  it('is a step that fails nothing, and says why it has no effect', async () => {
    const { kernel, offload } = made('auto')
    kernel.refusal = new NfbridgeError({ code: 'NFB_MISSING', operation: 'nft.commit', message: 'no eth0' })
    await offload.step(empty, registry).apply()
    expect(offload.state).toMatchObject({ on: false, reason: 'it could not be set up: no eth0' })
    kernel.refusal = undefined
    await offload.step(empty, registry).apply()
    expect(offload.state.on).toBe(true)
  })

  it.each([
    ['a kernel without flowtables', false, '6.18.1', 'this kernel has no flowtables'],
    ['a kernel that deletes no such connection', true, '5.18.0', 'kernel 5.18.0 deletes no connection'],
    ['an older one', true, '4.19.0-27-amd64', '5.19 is the first that does'],
  ])('%s is refused where it must be, and done without', async (_, hasThem, release, reason) => {
    const kernel = new Kernel()
    kernel.hasThem = hasThem
    await expect(made(true, kernel, release).offload.require()).rejects.toMatchObject({
      code: 'NFB_NOT_SUPPORTED',
      path: 'offload',
    })
    const { offload } = made('auto', kernel, release)
    await offload.follow(registry)
    expect(offload.state).toMatchObject({ on: false, reason: expect.stringContaining(reason) })
    expect(kernel.commits).toEqual([])
  })

  it.each(['5.19.0', '6.1.0-50-amd64', '10.0'])('kernel %s deletes them', async (release) => {
    await expect(made(true, new Kernel(), release).offload.require()).resolves.toBeUndefined()
  })
})
