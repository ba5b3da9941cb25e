import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Machine } from '../../../lab/machine.js'
import { HostKernel } from '../../../src/network/apply/host-kernel.js'
import { requireHelpers } from '../../../src/network/apply/publishing.js'
import type { PublishOption } from '../../../src/network/options.js'
import { fetchFtp, serveFtp } from '../../support/ftp.js'
import { nft, runIn } from '../../support/tools.js'
import { cleanUp, createSetting, failureOf, openHost } from './setting.js'
import { stateOf } from './state.js'

const HOST = '203.0.113.1'
const OUTSIDE = '203.0.113.2'
const GATEWAY = '172.17.0.1'
const MODES = ['passive', 'active'] as const
const FTP: PublishOption = { hostPort: 2121, containerPort: 21, helper: 'ftp' }

async function ftp(machine: Machine, port = 21, passivePort = 0): Promise<void> {
  const server = await serveFtp(machine.namespace, port, passivePort)
  cleanUp(() => server.close())
}

describe.each([true, false])('a published port with a helper, icc: %s', (icc) => {
  it.each(MODES)('takes FTP data connections, %s', async (mode) => {
    const { attach, machine, outside, host, network, bridgeHost } = await createSetting(
      ['web', 'app', 'far'],
      { icc },
    )
    const other = await bridgeHost.createNetwork({ name: 'other', subnet: '172.18.0.0/24' })
    await attach('web', { publish: [FTP, '2122:21'] })
    await attach('app')
    const far = await attach('far', {}, other)
    await ftp(machine('web'))
    expect(await fetchFtp(outside.namespace, HOST, 2121, { mode })).toBe(OUTSIDE)
    // A neighbour is seen as the gateway.
    expect(await fetchFtp(machine('app').namespace, HOST, 2121, { mode })).toBe(GATEWAY)
    expect(await fetchFtp(machine('far').namespace, HOST, 2121, { mode })).toBe(far.address)
    expect(await fetchFtp(host.namespace, HOST, 2121, { mode })).toBe(HOST)
    expect(await fetchFtp(host.namespace, '127.0.0.1', 2121, { mode })).toBe(network.gateway)
    // The control: the same port of the container without the helper.
    expect(await fetchFtp(outside.namespace, HOST, 2122, { mode, timeout: 0.5 })).toMatch(
      mode === 'passive' ? /^failed/ : /./,
    )
  })
})

describe('a helper', () => {
  it('is assigned to connections of one host address, of ranges, and of IPv6', async () => {
    const pools = [{ subnet: '172.17.0.0/16' }, { subnet: 'fd00:17::/64' }]
    const { attach, machine, outside, host } = await createSetting(['web'], { subnet: undefined, pools })
    const web = await attach('web', {
      publish: [
        { hostAddress: HOST, hostPort: 21, containerPort: 21, helper: 'ftp' },
        { hostAddress: '::', hostPort: '2121-2122', containerPort: '21-22', helper: 'ftp' },
      ],
    })
    await ftp(machine('web'))
    await ftp(machine('web'), 22)
    for (const mode of MODES) {
      expect(await fetchFtp(outside.namespace, HOST, 21, { mode })).toBe(OUTSIDE)
      for (const port of [2121, 2122]) {
        expect(await fetchFtp(host.namespace, 'fd00:17::1', port, { mode })).toBe('fd00:17::1')
      }
    }
    expect(web.published).toEqual([`${HOST}:21:21/tcp`, '[::]:2121-2122:21-22/tcp'])
  })

  it('expects a connection between the two ends alone: what a third party is named for is refused', async () => {
    const { attach, machine, outside } = await createSetting(['web', 'app', 'victim'], { icc: false })
    await attach('web', { publish: [FTP] })
    const app = await attach('app')
    const victim = await attach('victim')
    await ftp(machine('web'))
    await machine('victim').serveTcp(2000)
    await machine('app').serveTcp(2000)
    const named = (address: string): string => `${address.replaceAll('.', ',')},7,208`
    for (const client of [outside, machine('app')]) {
      const bounced = await fetchFtp(client.namespace, HOST, 2121, { bounce: named(victim.address) })
      expect(bounced).toMatch(/^failed: 425/)
    }
    // The control: the same, of the client's own address.
    expect(await fetchFtp(machine('app').namespace, HOST, 2121, { bounce: named(app.address) })).toBe('sent')
  })

  it('that is taken back ends the connections that it let in, those that they named included', async () => {
    const { attach, machine, outside, host } = await createSetting(['web'])
    const web = await attach('web', { publish: [FTP, '2122:21'] })
    await ftp(machine('web'), 21, 3000)
    expect(await fetchFtp(outside.namespace, HOST, 2121)).toBe(OUTSIDE)
    await fetchFtp(outside.namespace, HOST, 2122, { mode: 'active', timeout: 0.5 })
    const tracked = () => runIn(host.namespace, 'conntrack', ['-L', '-p', 'tcp'])
    for (const each of ['dport=2121', 'helper=ftp', 'dport=3000', 'dport=2122'])
      expect(await tracked()).toContain(each)
    await web.unpublish('2121:21')
    for (const each of ['dport=2121', 'helper=ftp', 'dport=3000']) expect(await tracked()).not.toContain(each)
    expect(await tracked()).toContain('dport=2122')
  })

  it('of a network is for connections of its containers outward', async () => {
    const { attach, machine, outside, bridgeHost } = await createSetting(['web', 'app'], { helpers: ['ftp'] })
    const plain = await bridgeHost.createNetwork({ name: 'plain', subnet: '172.18.0.0/24' })
    const web = await attach('web')
    const app = await attach('app', {}, plain)
    await ftp(outside)
    for (const mode of MODES) {
      expect(await fetchFtp(machine('web').namespace, OUTSIDE, 21, { mode }), mode).toBe(HOST)
    }
    // The control: the server cannot call back the other network's.
    expect(await fetchFtp(machine('app').namespace, OUTSIDE, 21, { mode: 'passive' })).toBe(HOST)
    expect(await fetchFtp(machine('app').namespace, OUTSIDE, 21, { mode: 'active', timeout: 0.5 })).toMatch(
      /^failed/,
    )
    // A server outside that is told of a neighbour gets to nobody.
    await machine('app').serveTcp(2000)
    const bounce = `${app.address.replaceAll('.', ',')},7,208`
    expect(await fetchFtp(machine('web').namespace, OUTSIDE, 21, { bounce })).toMatch(/^failed/)
    expect(web.networks).toEqual(['docker0'])
  })

  it('stays with what stands: over a restart, and when the rules were taken away', async () => {
    const state = mkdtempSync(join(tmpdir(), 'nfbridge-'))
    cleanUp(async () => rmSync(state, { recursive: true, force: true }))
    const { attach, machine, outside, host, bridgeHost } = await createSetting(
      ['web'],
      { helpers: ['ftp', 'sip'] },
      { state },
    )
    await attach('web', { publish: [FTP] })
    await ftp(machine('web'))
    await bridgeHost.close()
    const again = await openHost(host, { state })
    expect(await fetchFtp(outside.namespace, HOST, 2121)).toBe(OUTSIDE)
    expect(await again.check()).toEqual([])
    await nft(host.namespace, 'flush', 'ruleset')
    await again.container('web')?.publish('80')
    expect(await fetchFtp(outside.namespace, HOST, 2121)).toBe(OUTSIDE)
    await again.destroy()
    expect(await nft(host.namespace, 'list', 'ruleset')).toBe('')
  })

  it('that the kernel has not, or that is of another protocol, is refused, which changes nothing', async () => {
    const { attach, host } = await createSetting(['web'])
    const before = await stateOf(host.namespace)
    const kernel = await HostKernel.open(host.namespace, 'nfbridge')
    cleanUp(async () => kernel.close())
    const helper = { name: 'h', protocol: 'tcp' } as const
    expect(await kernel.hasHelper({ ...helper, type: 'ftp' })).toBe(true)
    expect(await kernel.hasHelper({ ...helper, type: 'none' })).toBe(false)
    const lacking = { hasHelper: async () => false }
    const wanted = [
      { name: undefined, path: 'a' },
      { name: 'ftp', path: 'publish[1].helper' },
    ]
    expect(await failureOf(requireHelpers(lacking, wanted, 'Network.attach'))).toMatchObject({
      code: 'NFB_NOT_SUPPORTED',
      path: 'publish[1].helper',
      reason: expect.stringContaining('nf_conntrack_ftp'),
    })
    const cases = [
      [{ hostPort: 69, containerPort: 69, helper: 'tftp' }, 'NFB_SETTING_CONFLICT'],
      [{ hostPort: 53, containerPort: 53, protocol: 'sctp', helper: 'sip' }, 'NFB_SETTING_CONFLICT'],
    ] as const
    for (const [option, code] of cases) {
      expect(await failureOf(attach('web', { publish: [option] }))).toMatchObject({
        code,
        path: 'publish[0].helper',
      })
    }
    expect(await stateOf(host.namespace)).toBe(before)
  })
})
