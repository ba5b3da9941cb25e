import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
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

const ADDRESSES = ['172.17.0.10', 'fd00:17::10', '172.17.0.11', '10.9.0.5', 'fd00:17::11']
const LINK_LOCAL = ['169.254.10.5', 'fe80::5']
const pools = [{ subnet: '172.17.0.0/16' }, { subnet: '10.9.0.0/24' }, { subnet: 'fd00:17::/64' }]

/** `172.17.0.10/16 global`, as the container has them. */
async function addressesOf({ machine }: Setting, name: string): Promise<string[]> {
  const [link] = await ipJson(machine(name).namespace, 'address', 'show', 'dev', 'eth0')
  const listed: { local: string; prefixlen: number; scope: string }[] = Object(link).addr_info
  return listed.map(({ local, prefixlen, scope }) => `${local}/${prefixlen} ${scope}`).sort()
}

async function create(icc: boolean, state?: string): Promise<Setting> {
  return createSetting(['web', 'app', 'router'], { subnet: undefined, pools, icc }, { state })
}

describe('a container with several addresses of a family', () => {
  it('has all of them, is reached by each, and nobody else gets one', async () => {
    const setting = await create(true)
    const web = await setting.attach('web', { addresses: ADDRESSES })
    const app = await setting.attach('app')
    expect(await addressesOf(setting, 'web')).toEqual(
      [
        '10.9.0.5/24 global',
        '172.17.0.10/16 global',
        '172.17.0.11/16 global',
        'fd00:17::10/64 global',
        'fd00:17::11/64 global',
        `${web.addressOn('docker0')?.linkLocalAddresses[0]}/64 link`,
      ].sort(),
    )
    expect([web.address, web.ipv6Address]).toEqual(['172.17.0.10', 'fd00:17::10'])
    expect(web.addressOn('docker0')?.addresses).toEqual([
      '172.17.0.10',
      'fd00:17::10',
      '172.17.0.11',
      '10.9.0.5',
      'fd00:17::11',
    ])
    await setting.machine('web').serveTcp(80, { address: '::' })
    await setting.machine('app').serveTcp(90)
    for (const address of ADDRESSES) {
      const seen = String(address.includes(':') ? app.ipv6Address : app.address)
      await expectReached(setting.machine('app'), address, 80, seen)
      // The host was told each of them.
      expect(await setting.host.probeTcp(address, 80)).toMatchObject({ outcome: 'reached' })
    }
    await expectReached(setting.machine('web'), app.address, 90, '172.17.0.10')
    for (const localAddress of ['172.17.0.11', '10.9.0.5'])
      await expectReached(setting.machine('web'), app.address, 90, localAddress, { localAddress })
    await ip(setting.machine('web').namespace, 'address', 'add', '172.17.0.12/16', 'dev', 'eth0')
    await expectBlocked(setting.machine('web'), app.address, 90, { localAddress: '172.17.0.12' })
    await app.detach()
    const taken = await failureOf(setting.attach('app', { addresses: ['172.17.0.20', '10.9.0.5'] }))
    expect(taken).toMatchObject({ code: 'NFB_ADDRESS_TAKEN', path: 'addresses[1]' })
    expect(await setting.bridgeHost.check()).toEqual([])
  })

  it('is reached by a link at each, with a rule in the listing for each, and explain tells so', async () => {
    const setting = await create(false)
    const web = await setting.attach('web', { addresses: ADDRESSES, expose: ['80'] })
    const app = await setting.attach('app', { addresses: ['172.17.0.30', '10.9.0.30'], links: ['web'] })
    await setting.machine('web').serveTcp(80)
    for (const address of ['172.17.0.10', '172.17.0.11', '10.9.0.5'])
      for (const localAddress of ['172.17.0.30', '10.9.0.30'])
        await expectReached(setting.machine('app'), address, 80, localAddress, { localAddress })
    const listing = await setting.bridgeHost.toText('iptables')
    expect(listing.match(/172\.17\.0\.30 +10\.9\.0\.5 .*dpt:80/g)).toHaveLength(1)
    const explanation = await setting.bridgeHost.explain({ from: 'app', to: '172.17.0.11', port: 80 })
    expect(explanation).toMatchObject({ reached: true })
    const open = await setting.machine('app').holdTcp('172.17.0.11', 80)
    await app.unlink(web)
    expect(await open.send('x')).toBe('timeout')
    await expectBlocked(setting.machine('app'), '172.17.0.11', 80)
  })

  it('has a published port at the first, from itself by each', async () => {
    const setting = await create(true)
    await setting.attach('web', { addresses: ADDRESSES, publish: ['8080:80'] })
    await setting.machine('web').serveTcp(80, { address: '172.17.0.10' })
    await expectReached(setting.outside, '203.0.113.1', 8080, '203.0.113.2')
    for (const localAddress of ['172.17.0.10', '172.17.0.11'])
      await expectReached(setting.machine('web'), '203.0.113.1', 8080, '172.17.0.1', { localAddress })
  })

  it('has them again after a restart, a stop and a start; somebody may have one meanwhile', async () => {
    const state = mkdtempSync(join(tmpdir(), 'nfbridge-addresses-'))
    cleanUp(async () => rmSync(state, { recursive: true, force: true }))
    const setting = await create(true, state)
    await setting.attach('web', { addresses: ADDRESSES, linkLocalAddresses: LINK_LOCAL })
    const before = await setting.bridgeHost.inspect()
    const standing = await addressesOf(setting, 'web')
    await setting.bridgeHost.close()
    const again = await openHost(setting.host, { state })
    expect((await again.inspect()).containers).toEqual(before.containers)
    const web = again.container('web')
    const network = again.network('docker0')
    if (!web || !network) throw new Error('they are remembered')
    await web.stop()
    const other = await network.attach({
      name: 'app',
      netns: setting.machine('app').namespace,
      addresses: ['172.17.0.11'],
      linkLocalAddresses: ['fe80::5'],
    })
    const { namespace } = setting.machine('web')
    expect(await failureOf(web.start({ netns: namespace }))).toMatchObject({ code: 'NFB_ADDRESS_TAKEN' })
    await other.detach()
    await web.start({ netns: namespace })
    expect(await addressesOf(setting, 'web')).toEqual(standing)
    expect(await again.check()).toEqual([])
    await web.detach()
    expect(await ip(setting.host.namespace, 'neigh', 'show', 'nud', 'permanent')).not.toMatch(
      /172\.17|169\.254/,
    )
  })
})

describe('link-local addresses', () => {
  it('are known on the bridge, may be the same on another network, and closing it closes them', async () => {
    const setting = await create(true)
    const web = await setting.attach('web', { linkLocalAddresses: LINK_LOCAL })
    const app = await setting.attach('app', { linkLocalAddresses: ['169.254.10.6'] })
    expect(await addressesOf(setting, 'web')).toEqual(
      expect.arrayContaining(['169.254.10.5/16 global', 'fe80::5/64 link']),
    )
    expect(web.addressOn('docker0')?.linkLocalAddresses.slice(1)).toEqual(LINK_LOCAL)
    await setting.machine('web').serveTcp(80)
    await expectReached(setting.machine('app'), '169.254.10.5', 80, '169.254.10.6')
    await expectReached(setting.machine('app'), web.address, 80, app.address)
    const explanation = await setting.bridgeHost.explain({ from: 'app', to: '169.254.10.5', port: 80 })
    expect(explanation).toMatchObject({ reached: true })
    const other = await setting.bridgeHost.createNetwork({
      name: 'other',
      pools: [{ subnet: '10.8.0.0/24' }],
    })
    await app.connect(other, { linkLocalAddresses: ['169.254.10.5'] })
    expect(await setting.bridgeHost.check()).toEqual([])
    await app.disconnect(other)
    const open = await setting.machine('app').holdTcp('169.254.10.5', 80)
    await setting.network.update({ icc: false })
    expect(await open.send('x')).toBe('timeout')
    await expectBlocked(setting.machine('app'), '169.254.10.5', 80)
  })

  it('are sent from to link-local addresses alone', async () => {
    const setting = await create(true)
    const routes = [{ destination: '10.99.0.0/16', gateway: '172.17.0.20' }]
    const web = await setting.attach('web', { linkLocalAddresses: LINK_LOCAL, routes })
    // Its only address is of another pool: the route to it is one without a gateway.
    const app = await setting.attach('app', { addresses: ['10.9.0.5'], linkLocalAddresses: ['169.254.10.6'] })
    await setting.attach('router', { addresses: ['172.17.0.20'], allowForgedSource: true })
    const router = setting.machine('router')
    await ip(router.namespace, 'address', 'add', '10.99.0.1/16', 'dev', 'lo')
    await router.serveTcp(80)
    await setting.machine('app').serveTcp(80)
    await setting.machine('web').serveTcp(80)
    await expectReached(setting.machine('web'), '10.99.0.1', 80, web.address)
    await expectReached(setting.machine('web'), '10.9.0.5', 80, web.address)
    await expectReached(setting.machine('app'), web.address, 80, app.address)
    for (const destination of ['224.0.0.251', '239.1.1.1', '255.255.255.255', '10.9.0.5', '10.99.0.1'])
      expect(await ip(setting.machine('web').namespace, 'route', 'get', destination, 'oif', 'eth0')).toMatch(
        new RegExp(`src ${web.address} `),
      )
    // (control)
    await expectReached(setting.machine('web'), '169.254.10.6', 80, '169.254.10.5')
  })

  it('and several addresses are refused where they make no sense', async () => {
    const setting = await create(true)
    const refused = async (options: object, code: string, path: string): Promise<void> =>
      expect(await failureOf(setting.attach('web', options)), JSON.stringify(options)).toMatchObject({
        code,
        path,
      })
    await refused({ address: '172.17.0.5', addresses: ['172.17.0.6'] }, 'NFB_SETTING_CONFLICT', 'addresses')
    await refused({ addresses: ['172.17.0.5', '172.17.0.5'] }, 'NFB_INVALID_ARGUMENT', 'addresses[1]')
    await refused({ addresses: ['172.17.0.5', '192.0.2.1'] }, 'NFB_ADDRESS_OUTSIDE_POOL', 'addresses[1]')
    await refused({ addresses: ['172.17.0.1'] }, 'NFB_ADDRESS_TAKEN', 'addresses[0]')
    await refused({ addresses: ['x'] }, 'NFB_INVALID_ADDRESS', 'addresses[0]')
    await refused({ addresses: 'x' }, 'NFB_INVALID_ARGUMENT', 'addresses')
    await refused({ linkLocalAddresses: ['172.17.0.5'] }, 'NFB_INVALID_ADDRESS', 'linkLocalAddresses[0]')
    await refused({ linkLocalAddresses: ['169.254.0.5'] }, 'NFB_INVALID_ADDRESS', 'linkLocalAddresses[0]')
    expect(await failureOf(setting.attach('web', { linkLocalAddresses: ['169.254.0.5'] }))).toMatchObject({
      message: expect.stringContaining('from 169.254.1.0 to 169.254.254.255'),
    })
    await setting.attach('app', { linkLocalAddresses: ['fe80::5'] })
    await refused({ linkLocalAddresses: ['fe80::5'] }, 'NFB_ADDRESS_TAKEN', 'linkLocalAddresses[0]')
    const four = await setting.bridgeHost.createNetwork({ name: 'four', subnet: '10.8.0.0/24' })
    const sixth = setting.attach('web', { linkLocalAddresses: ['fe80::5'] }, four)
    expect(await failureOf(sixth)).toMatchObject({
      code: 'NFB_SETTING_CONFLICT',
      path: 'linkLocalAddresses[0]',
    })
    expect(await addressesOf(setting, 'app')).toContain('fe80::5/64 link')
  })
})
