import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Machine } from '../../../lab/machine.js'
import { addAddress, addRoute } from '../../../lab/wiring.js'
import { type BridgeHost, type GatewayMode, Namespace } from '../../../src/index.js'
import { ip, ipJson } from '../../support/tools.js'
import {
  cleanUp,
  createSetting,
  expectBlocked,
  expectReached,
  failureOf,
  openHost,
  type Setting,
} from './setting.js'

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'nfbridge-several-'))
  cleanUp(async () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A container on `docker0`, by which its default route goes, and on `other`; its namespace filters strictly. */
async function onTwo(
  modes: readonly [GatewayMode, GatewayMode],
): Promise<Setting & { readonly first: string; readonly second: string }> {
  const setting = await createSetting(['web'], { gatewayMode: modes[0] })
  const { bridgeHost, machine, attach } = setting
  for (const name of ['all', 'default'])
    await machine('web').namespace.writeSysctl(`net/ipv4/conf/${name}/rp_filter`, '1')
  const other = await bridgeHost.createNetwork({
    name: 'other',
    subnet: '172.20.0.0/16',
    gatewayMode: modes[1],
  })
  const web = await attach('web', { publish: ['8080:80'] })
  await web.connect(other)
  await machine('web').serveTcp(80)
  return { ...setting, first: web.address, second: web.addressOn('other')?.ipv4 ?? '' }
}

/** What keeps the answers of each network to itself, taken away: a control. */
async function withoutRules({ machine }: Pick<Setting, 'machine'>): Promise<void> {
  for (const priority of ['32700', '32700', '32701', '32701'])
    await ip(machine('web').namespace, 'rule', 'delete', 'priority', priority)
}

describe('a container on several networks, with a strict reverse path filter inside', () => {
  it('answers by each of them who comes from outside', async () => {
    const setting = await onTwo(['routed', 'routed'])
    const { outside, first, second } = setting
    await expectReached(outside, first, 80, '203.0.113.2')
    await expectReached(outside, second, 80, '203.0.113.2')
    await withoutRules(setting)
    await expectReached(outside, first, 80, '203.0.113.2')
    await expectBlocked(outside, second, 80)
  })

  it('answers at a port that is published by the one without its default route', async () => {
    const setting = await onTwo(['routed', 'nat'])
    await expectReached(setting.outside, '203.0.113.1', 8080, '203.0.113.2')
    await withoutRules(setting)
    await expectBlocked(setting.outside, '203.0.113.1', 8080)
  })

  it('keeps the ways that it has of its own, and finds its way when it leaves one and comes back', async () => {
    const { bridgeHost, machine, outside, second } = await onTwo(['routed', 'routed'])
    const { namespace } = machine('web')
    await ip(namespace, 'link', 'add', 'nested', 'type', 'bridge')
    await ip(namespace, 'address', 'add', '10.55.0.1/24', 'dev', 'nested')
    await ip(namespace, 'link', 'set', 'nested', 'up')
    expect(await ip(namespace, 'route', 'get', '10.55.0.9', 'from', second)).toContain('dev nested')
    const web = bridgeHost.container('web')
    for (let time = 0; time < 2; time += 1) {
      await web?.disconnect('other')
      await web?.connect('other', { netns: namespace })
      await expectReached(outside, web?.addressOn('other')?.ipv4 ?? '', 80, '203.0.113.2')
      await expectReached(outside, web?.address ?? '', 80, '203.0.113.2')
    }
  })

  it('in IPv6 as well', async () => {
    const { bridgeHost, host, machine, outside, attach } = await createSetting(['web'])
    await addAddress(host, 'uplink', '2001:db8:113::1/64')
    await addAddress(outside, 'uplink', '2001:db8:113::2/64')
    await addRoute(outside, { destination: 'fd00::/8', gateway: '2001:db8:113::1' })
    const networks = []
    for (const name of ['one', 'two']) {
      const pools = [{ subnet: name === 'one' ? 'fd00:1::/64' : 'fd00:2::/64' }]
      networks.push(await bridgeHost.createNetwork({ name, ipv4: false, pools, gatewayMode: 'routed' }))
    }
    const [one, two] = networks
    if (!one || !two) throw new Error('two networks')
    const web = await attach('web', { publish: ['8080:80'] }, one)
    await web.connect(two)
    await machine('web').serveTcp(80, { address: '::' })
    for (const network of networks)
      await expectReached(outside, web.addressOn(network)?.ipv6 ?? '', 80, '2001:db8:113::2')
    // IPv6 has no such filter: what tells is the way that the answer takes.
    const { namespace } = machine('web')
    const way = (): Promise<string> =>
      ip(namespace, 'route', 'get', '2001:db8:113::2', 'from', web.addressOn(two)?.ipv6 ?? '')
    expect(await way()).toContain('dev eth1')
    for (const priority of ['32700', '32700', '32701', '32701'])
      await ip(namespace, '-6', 'rule', 'delete', 'priority', priority)
    expect(await way()).toContain('dev eth0')
  })

  describe('leaves nothing in its namespace', () => {
    const OWN = ['rule', 'add', 'from', '172.20.0.2', 'lookup', '1234', 'priority', '32701']
    const inside = async ({ namespace }: Machine): Promise<string[]> => {
      const shown = [['rule'], ['-6', 'rule'], ['route', 'show', 'table', 'all']]
      const texts = await Promise.all(shown.map((words) => ip(namespace, ...words)))
      return texts
        .join('')
        .split('\n')
        .filter((line) => /lookup|blackhole|table \d/.test(line))
        .sort()
    }
    const setUp = async (
      state: string,
    ): Promise<Record<'before' | 'single' | 'refusing', string[]> & { setting: Setting }> => {
      const setting = await createSetting(['web'], { ipv6: true }, { state })
      const { bridgeHost, machine, attach } = setting
      await ip(machine('web').namespace, ...OWN)
      const before = await inside(machine('web'))
      await bridgeHost.createNetwork({ name: 'other', subnet: '172.20.0.0/16', ipv6: true })
      const web = await attach('web')
      const single = await inside(machine('web'))
      await web.connect('other', {
        netns: machine('web').namespace.path(),
        routes: [
          { destination: '10.66.0.0/16', type: 'blackhole' },
          { destination: 'fd66::/16', type: 'blackhole' },
        ],
      })
      expect((await inside(machine('web'))).length).toBe(before.length + 4 * 3 + 2)
      const refusing = (await inside(machine('web'))).filter((line) => line.startsWith('blackhole'))
      return { setting, before, single, refusing: [...single, ...refusing].sort() }
    }
    const reopened = async ({ host, bridgeHost }: Setting, state: string): Promise<BridgeHost> => {
      await bridgeHost.close()
      return openHost(host, { state })
    }

    it.each<[string, 'before' | 'single' | 'refusing', (host: BridgeHost) => Promise<void> | undefined]>([
      ['disconnected', 'single', (host) => host.container('web')?.disconnect('other')],
      ['disconnected from the first', 'refusing', (host) => host.container('web')?.disconnect('docker0')],
      ['detached', 'before', (host) => host.container('web')?.detach()],
      ['stopped', 'before', (host) => host.container('web')?.stop()],
      ['its network destroyed', 'single', (host) => host.network('other')?.destroy()],
      ['detached with others', 'single', (host) => host.network('other')?.detachAll(['web'])],
    ])('%s, also by a process that comes later', async (_, left, leave) => {
      const state = temporaryFolder()
      for (const again of [false, true]) {
        const { setting, ...states } = await setUp(join(state, String(again)))
        const host = again ? await reopened(setting, join(state, String(again))) : setting.bridgeHost
        await leave(host)
        expect(await inside(setting.machine('web'))).toEqual(states[left])
        expect(await ip(setting.machine('web').namespace, 'rule')).toContain('from 172.20.0.2 lookup 1234')
      }
    })

    it('its interfaces taken while no process was there', async () => {
      const state = temporaryFolder()
      const { setting, before } = await setUp(state)
      const { host, bridgeHost, machine } = setting
      const interfaces = ['docker0', 'other'].map(
        (name) => bridgeHost.container('web')?.addressOn(name)?.hostInterface ?? '',
      )
      await bridgeHost.close()
      for (const name of interfaces) await ip(host.namespace, 'link', 'delete', name)
      expect((await openHost(host, { state })).containers).toEqual([])
      expect(await inside(machine('web'))).toEqual(before)
    })

    it('a rule of its own that says the same stays', async () => {
      const { machine, bridgeHost, attach } = await createSetting(['web'])
      const { namespace } = machine('web')
      const own = 'from 172.20.0.2 lookup 2886991874'
      await ip(namespace, 'rule', 'add', ...own.split(' '), 'priority', '32701')
      await bridgeHost.createNetwork({ name: 'other', subnet: '172.20.0.0/16' })
      const web = await attach('web')
      await web.connect('other')
      expect(await ip(namespace, 'rule')).toContain(`32701:\t${own}\n`)
      await web.detach()
      expect(await ip(namespace, 'rule')).toContain(`32701:\t${own}\n`)
      expect(await ip(namespace, 'rule')).not.toContain('proto')
    })

    it('that is gone: it goes as well', async () => {
      const { bridgeHost, network } = await createSetting([])
      const path = join(temporaryFolder(), 'netns')
      const namespace = await Namespace.create({ path })
      await bridgeHost.createNetwork({ name: 'other', subnet: '172.20.0.0/16' })
      const web = await network.attach({ name: 'web', netns: path })
      await web.connect('other')
      namespace.close()
      await Namespace.unmount(path)
      await web.detach()
      expect(bridgeHost.containers).toEqual([])
    })
  })

  it('has no rules on one network', async () => {
    const { machine, attach } = await createSetting(['web'])
    const before = await ip(machine('web').namespace, 'rule', 'show')
    await attach('web')
    expect(await ip(machine('web').namespace, 'rule', 'show')).toBe(before)
  })
})

describe('IPv6 in a container', () => {
  const addresses = async ({ machine }: Pick<Setting, 'machine'>): Promise<unknown> =>
    (await ipJson(machine('web').namespace, '-6', 'addr', 'show', 'eth0')).flatMap((each) => each.addr_info)

  it('has no address on the interface of a network without IPv6', async () => {
    const setting = await createSetting(['web'])
    await setting.attach('web')
    expect(await addresses(setting)).toEqual([])
    // Of itself the kernel would have given it one.
    const { namespace } = setting.machine('web')
    expect(await ip(namespace, '-d', 'link', 'show', 'eth0')).toContain('addrgenmode none')
  })

  it('that is turned off stays so: no address, and the others', async () => {
    const setting = await createSetting(['web', 'app'])
    const { bridgeHost, machine, attach } = setting
    const { namespace } = machine('web')
    await namespace.writeSysctl('net/ipv6/conf/all/disable_ipv6', '1')
    const dual = await bridgeHost.createNetwork({ name: 'dual', subnet: '172.20.0.0/24', ipv6: true })
    const web = await attach('web', { publish: ['8080:80'] }, dual)
    const app = await attach('app', {}, dual)
    expect([web.ipv6Address, typeof app.ipv6Address]).toEqual([undefined, 'string'])
    expect(await addresses(setting)).toEqual([])
    expect(await namespace.readSysctl('net/ipv6/conf/eth0/disable_ipv6')).toBe('1')
    await machine('web').serveTcp(80)
    await expectReached(machine('app'), web.address, 80, app.address)
    await web.stop()
    await web.start({ netns: namespace })
    expect(web.ipv6Address).toBeUndefined()
    expect(await bridgeHost.check()).toEqual([])
    await web.stop()
    await namespace.writeSysctl('net/ipv6/conf/all/disable_ipv6', '0')
    await web.start({ netns: namespace })
    expect(web.ipv6Address).toBeTypeOf('string')
  })

  it('that is turned off, and asked for, or all that there is: refused', async () => {
    const { bridgeHost, machine, attach } = await createSetting(['web'])
    await machine('web').namespace.writeSysctl('net/ipv6/conf/default/disable_ipv6', '1')
    const pools = [{ subnet: 'fd00:20::/64' }]
    const six = await bridgeHost.createNetwork({ name: 'six', ipv4: false, pools })
    const failure = { code: 'NFB_SETTING_CONFLICT', operation: 'Network.attach' }
    expect(await failureOf(attach('web', {}, six))).toMatchObject({ ...failure, path: 'netns' })
    expect(await failureOf(attach('web', { ipv6Address: 'fd00:20::9' }, six))).toMatchObject({
      ...failure,
      path: 'ipv6Address',
    })
  })
})
