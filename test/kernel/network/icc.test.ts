import { describe, expect, it } from 'vitest'
import { SILENCE_MS } from '../../../lab/machine.js'
import { runIn } from '../../support/tools.js'
import { createSetting, expectBlocked, expectReached } from './setting.js'

describe('icc: true', () => {
  it('containers reach each other on everything, and see who it is', async () => {
    const { attach, machine } = await createSetting(['web', 'app'])
    const web = await attach('web')
    const app = await attach('app')
    await machine('web').serveTcp(80)
    await machine('app').serveTcp(4711)
    await machine('web').serveUdp(53)
    await expectReached(machine('app'), web.address, 80, app.address)
    await expectReached(machine('web'), app.address, 4711, web.address)
    expect(await machine('app').probeUdp(web.address, 53)).toMatchObject({
      outcome: 'reached',
      seen: app.address,
    })
    await runIn(machine('app').namespace, 'ping', ['-c', '1', '-W', '2', web.address])
  })
})

describe('icc: false', () => {
  it('nothing passes between containers: TCP, UDP, ICMP', async () => {
    const { attach, machine } = await createSetting(['web', 'app'], { icc: false })
    const web = await attach('web', { expose: ['80/tcp'] })
    await attach('app')
    await machine('web').serveTcp(80)
    await machine('web').serveUdp(53)
    await expectBlocked(machine('app'), web.address, 80)
    expect(await machine('app').probeUdp(web.address, 53, { timeoutMs: SILENCE_MS })).toEqual({
      outcome: 'timeout',
    })
    await expect(
      runIn(machine('app').namespace, 'ping', ['-c', '1', '-W', '1', web.address]),
    ).rejects.toThrow()
  })

  it('containers still reach outside, and their gateway', async () => {
    const { attach, machine, outside, network, host } = await createSetting(['web'], { icc: false })
    const web = await attach('web')
    await outside.serveTcp(80)
    await host.serveTcp(5000)
    await expectReached(machine('web'), '203.0.113.2', 80, '203.0.113.1')
    await expectReached(machine('web'), network.gateway, 5000, web.address)
  })
})

describe('two networks', () => {
  it('nothing passes between them, even with icc', async () => {
    const { attach, machine, bridgeHost } = await createSetting(['web', 'app'])
    const other = await bridgeHost.createNetwork({ name: 'other' })
    expect(other.subnet).toBe('172.18.0.0/16')
    const web = await attach('web')
    const app = await attach('app', {}, other)
    await machine('web').serveTcp(80)
    await machine('app').serveTcp(80)
    await expectBlocked(machine('app'), web.address, 80)
    await expectBlocked(machine('web'), app.address, 80)
  })
})
