import { describe, expect, it } from 'vitest'
import { SILENCE_MS } from '../../../lab/machine.js'
import { nft } from '../../support/tools.js'
import { createMachines, createSetting, expectReached, openHost } from './setting.js'

const FORWARD = 'net.ipv4.ip_forward'

describe('ipForward', () => {
  it.each([
    { ipForward: true, before: '0', during: '1' },
    { ipForward: true, before: '1', during: '1' },
    { ipForward: false, before: '0', during: '0' },
    { ipForward: false, before: '1', during: '1' },
  ])(
    '$ipForward, in a kernel that has $before: $during while networks exist, $before again after',
    async ({ ipForward, before, during }) => {
      const { host } = await createMachines()
      await host.namespace.writeSysctl(FORWARD, before)
      const bridgeHost = await openHost(host, { ipForward })
      expect(await host.namespace.readSysctl(FORWARD)).toBe(before)
      const first = await bridgeHost.createNetwork({ name: 'br1' })
      const second = await bridgeHost.createNetwork({ name: 'br2' })
      expect(await host.namespace.readSysctl(FORWARD)).toBe(during)
      await first.destroy()
      expect(await host.namespace.readSysctl(FORWARD)).toBe(during)
      await second.destroy()
      expect(await host.namespace.readSysctl(FORWARD)).toBe(before)
    },
  )

  it('off in the kernel: the bridge works, the way outside does not', async () => {
    const { attach, machine, outside } = await createSetting(['web', 'app'], {}, { ipForward: false })
    const web = await attach('web')
    const app = await attach('app')
    await machine('web').serveTcp(80)
    await outside.serveTcp(80)
    await expectReached(machine('app'), web.address, 80, app.address)
    expect((await machine('app').probeTcp('203.0.113.2', 80, { timeoutMs: SILENCE_MS })).outcome).not.toBe(
      'reached',
    )
  })
})

describe('ipForward: false on a host that does not forward', () => {
  it('refuses what would be accepted and dead: publishing, and a network over several bridges', async () => {
    const { host, attach, bridgeHost, outside, machine } = await createSetting(
      ['web'],
      {},
      { ipForward: false },
    )
    const refused = {
      code: 'NFB_SETTING_CONFLICT',
      reason: expect.stringContaining('net.ipv4.ip_forward is 0'),
    }
    await expect(attach('web', { publish: ['8080:80'] })).rejects.toMatchObject({
      ...refused,
      path: 'publish[0]',
    })
    const web = await attach('web', { publish: ['127.0.0.1:8080:80'] })
    await expect(web.publish('127.0.0.1:8081:80', '8080:80')).rejects.toMatchObject({
      ...refused,
      path: 'ports[1]',
    })
    expect(web.published).toHaveLength(1)
    await expect(bridgeHost.createNetwork({ name: 'wide', bridges: 2 })).rejects.toMatchObject({
      ...refused,
      path: 'bridges',
    })
    // What the host sends itself is not forwarded.
    await machine('web').serveTcp(80)
    expect((await host.probeTcp('127.0.0.1', 8080)).outcome).toBe('reached')
    // The control: where the host forwards, all of it is taken, and works.
    await host.namespace.writeSysctl(FORWARD, '1')
    await web.publish('8082:80')
    await expectReached(outside, '203.0.113.1', 8082, '203.0.113.2')
    await bridgeHost.createNetwork({ name: 'wide', bridges: 2 })
  })

  it('asks of each family of its own', async () => {
    const pools = [{ subnet: '172.17.0.0/16' }, { subnet: 'fd00:17::/64' }]
    const { host, attach } = await createSetting(['web'], { subnet: undefined, pools }, { ipForward: false })
    await host.namespace.writeSysctl(FORWARD, '1')
    const web = await attach('web', { publish: ['0.0.0.0:8080:80'] })
    await expect(web.publish('8081:80')).rejects.toMatchObject({
      code: 'NFB_SETTING_CONFLICT',
      reason: expect.stringContaining('net.ipv6.conf.all.forwarding is 0'),
    })
  })
})

describe('firewall: false', () => {
  it('makes no change to any rule, and bridging and routing work', async () => {
    const { host, outside, machines } = await createMachines('web', 'app')
    await nft(host.namespace, 'add', 'table', 'inet', 'theirs')
    const before = await nft(host.namespace, 'list', 'ruleset')
    const bridgeHost = await openHost(host, { firewall: false })
    const network = await bridgeHost.createNetwork({ name: 'docker0', subnet: '172.17.0.0/16' })
    const [web, app] = ['web', 'app'].map((name) => {
      const machine = machines.get(name)
      if (!machine) throw new Error(name)
      return machine
    })
    if (!web || !app) throw new Error('two machines')
    const server = await network.attach({ name: 'web', netns: web.namespace, expose: ['80/tcp'] })
    const client = await network.attach({ name: 'app', netns: app.namespace, links: ['web:db'] })
    await web.serveTcp(80)
    await expectReached(app, server.address, 80, client.address)
    await expectReached(outside, server.address, 80, '203.0.113.2')
    expect(await nft(host.namespace, 'list', 'ruleset')).toBe(before)
    await expect(server.publish('8080:80')).rejects.toMatchObject({
      code: 'NFB_SETTING_CONFLICT',
      path: 'ports[0]',
    })
    await network.destroy()
    expect(await nft(host.namespace, 'list', 'ruleset')).toBe(before)
    expect(bridgeHost.statistics.transactions).toBe(0)
  })

  it('refuses icc: false, a setting that cannot be kept', async () => {
    const { host } = await createMachines()
    const bridgeHost = await openHost(host, { firewall: false })
    await expect(bridgeHost.createNetwork({ name: 'br1', icc: false })).rejects.toMatchObject({
      code: 'NFB_SETTING_CONFLICT',
      path: 'icc',
    })
    expect(bridgeHost.networks).toEqual([])
  })
})

describe("the host's other bridges", () => {
  it('are left out of the rules and of br_netfilter', async () => {
    const { host } = await createMachines()
    await host.namespace.writeSysctl('net.bridge.bridge-nf-call-iptables', '0')
    const bridgeHost = await openHost(host)
    await bridgeHost.createNetwork({ name: 'docker0' })
    expect(await host.namespace.readSysctl('net.bridge.bridge-nf-call-iptables')).toBe('0')
  })

  it('icc: false holds although the global br_netfilter sysctl is off', async () => {
    const { host, machines } = await createMachines('web', 'app')
    await host.namespace.writeSysctl('net.bridge.bridge-nf-call-iptables', '0')
    const bridgeHost = await openHost(host)
    const network = await bridgeHost.createNetwork({ name: 'docker0', icc: false })
    const [web, app] = [machines.get('web'), machines.get('app')]
    if (!web || !app) throw new Error('two machines')
    const server = await network.attach({ name: 'web', netns: web.namespace })
    await network.attach({ name: 'app', netns: app.namespace })
    await web.serveTcp(80)
    expect(await app.probeTcp(server.address, 80, { timeoutMs: SILENCE_MS })).toEqual({ outcome: 'timeout' })
  })
})
