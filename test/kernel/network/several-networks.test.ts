import { describe, expect, it } from 'vitest'
import { addAddress, addRoute } from '../../../lab/wiring.js'
import type { GatewayMode } from '../../../src/index.js'
import { ip, ipJson } from '../../support/tools.js'
import { createSetting, expectBlocked, expectReached, failureOf, type Setting } from './setting.js'

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
  for (const priority of ['32700', '32701', '32701'])
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
    for (const priority of ['32700', '32701', '32701'])
      await ip(namespace, '-6', 'rule', 'delete', 'priority', priority)
    expect(await way()).toContain('dev eth0')
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
