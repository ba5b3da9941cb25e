import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { nft, runIn } from '../../support/tools.js'
import { cleanUp, createSetting, expectReached, failureOf, openHost } from './setting.js'
import { stateOf } from './state.js'

describe('ports of the host that are published', () => {
  it("are nobody else's for as long as they are published", async () => {
    const { attach, host } = await createSetting(['web'])
    const web = await attach('web', { publish: ['8080:80', '127.0.0.1:9090-9092:90-92/udp'] })
    await expect(host.serveTcp(8080)).rejects.toThrow(/EADDRINUSE/)
    await expect(host.serveUdp(9091, { address: '127.0.0.1' })).rejects.toThrow(/EADDRINUSE/)
    await web.unpublish('8080:80')
    await host.serveTcp(8080)
    expect(await failureOf(web.publish('82', '8080:80'))).toMatchObject({
      code: 'NFB_PORT_TAKEN',
      operation: 'Container.publish',
      path: 'ports[1]',
      message: expect.stringContaining('8080/tcp is taken by'),
    })
    await web.stop()
    await host.serveUdp(9091, { address: '127.0.0.1' })
  })

  it('give back what is not translated: a datagram to [::1], and all when the rules are gone', async () => {
    const pools = [{ subnet: '172.17.0.0/16' }, { subnet: 'fd00:17::/64' }]
    const { attach, host, machine, outside } = await createSetting(['dns'], { subnet: undefined, pools })
    await attach('dns', { publish: ['53:53/udp', '53:53/tcp', '54-55:54-55/udp'] })
    await machine('dns').serveUdp(53, { address: '::' })
    expect(await outside.probeUdp('203.0.113.1', 53)).toMatchObject({ outcome: 'reached' })
    for (const port of [53, 54]) expect(await host.probeUdp('::1', port)).toEqual({ outcome: 'refused' })
    expect(await host.probeTcp('::1', 53)).toEqual({ outcome: 'refused' })
    await nft(host.namespace, 'flush', 'ruleset')
    // From another port: connection tracking would go on translating what it knows.
    expect(await outside.probeUdp('203.0.113.1', 53)).toEqual({ outcome: 'refused' })
  })

  it('that another program has are refused, which changes nothing; one that is chosen is another one', async () => {
    const { attach, host, machine, outside } = await createSetting(['web'])
    const before = await stateOf(host.namespace)
    await host.serveTcp(8080)
    expect(await failureOf(attach('web', { publish: ['8080:80'] }))).toMatchObject({
      code: 'NFB_PORT_TAKEN',
      path: 'publish[0]',
    })
    expect(await stateOf(host.namespace)).toBe(before)
    await host.serveTcp(32768)
    await host.serveUdp(32769)
    const web = await attach('web', { publish: ['80', '81/udp'] })
    expect(web.published).toEqual(['32769:80/tcp', '32770:81/udp'])
    expect(await web.publish('82')).toEqual(['32771:82/tcp'])
    await machine('web').serveTcp(80)
    await expectReached(outside, '203.0.113.1', 32769, '203.0.113.2')
  })

  it('that were chosen are free while the container is stopped, and chosen anew where somebody has them then', async () => {
    const { attach, host, machine, outside } = await createSetting(['web'])
    const web = await attach('web', { publish: ['80'] })
    await machine('web').serveTcp(80)
    expect(web.published).toEqual(['32768:80/tcp'])
    await web.stop()
    await web.start({ netns: machine('web').namespace })
    expect(web.published).toEqual(['32768:80/tcp'])
    await web.stop()
    await host.serveTcp(32768)
    await web.start({ netns: machine('web').namespace })
    expect(web.published).toEqual(['32769:80/tcp'])
    await expectReached(outside, '203.0.113.1', 32769, '203.0.113.2')
  })

  it('are held again by another open; one that somebody took meanwhile is published all the same', async () => {
    const state = mkdtempSync(join(tmpdir(), 'nfbridge-'))
    cleanUp(async () => rmSync(state, { recursive: true, force: true }))
    const { attach, bridgeHost, host, machine, outside } = await createSetting(['web'], {}, { state })
    await attach('web', { publish: ['8080:80', '8081:81'] })
    await bridgeHost.close()
    await host.serveTcp(8080)
    const again = await openHost(host, { state })
    await expect(host.serveTcp(8081)).rejects.toThrow(/EADDRINUSE/)
    await machine('web').serveTcp(80)
    await expectReached(outside, '203.0.113.1', 8080, '203.0.113.2')
    await again.container('web')?.unpublish('8080:80')
    await again.destroy()
    expect(await runIn(host.namespace, 'ss', ['-Htan', 'sport = 8081'])).toBe('')
  })
})
