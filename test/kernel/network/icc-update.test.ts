import { describe, expect, it } from 'vitest'
import { SILENCE_MS } from '../../../lab/machine.js'
import { createSetting, expectBlocked, expectReached, keepSending } from './setting.js'

describe('icc changed while running', () => {
  it('to false: what only it allowed stops, what a link or a published port allows goes on', async () => {
    const { attach, machine, network, outside } = await createSetting(['web', 'app', 'top'])
    const web = await attach('web', { expose: ['80/tcp', '53/udp'], publish: ['8080:81'] })
    const app = await attach('app', { links: ['web:db'] })
    await attach('top')
    for (const port of [80, 81, 82]) await machine('web').serveTcp(port)
    await machine('web').serveUdp(53)
    const linked = await machine('app').holdTcp(web.address, 80)
    const unlinked = await machine('app').holdTcp(web.address, 82)
    const stranger = await machine('top').holdTcp(web.address, 80)
    const datagrams = await machine('top').holdUdp(web.address, 53)
    const published = await outside.holdTcp('203.0.113.1', 8080)
    const neighbour = await machine('top').holdTcp('203.0.113.1', 8080)

    const stillThere = keepSending(await machine('app').holdUdp(web.address, 53))
    await network.update({ icc: false })
    expect(network.icc).toBe(false)
    // Nobody remembered a question that was on its way: its answer may be lost, and no other.
    expect((await stillThere()).lost).toBeLessThanOrEqual(1)

    for (const revoked of [unlinked, stranger, datagrams])
      expect(await revoked.send('x', { timeoutMs: SILENCE_MS })).toBe('timeout')
    for (const alive of [linked, published, neighbour]) expect(await alive.send('x')).toBe('echo')
    await expectReached(machine('app'), web.address, 80, app.address)
    await expectBlocked(machine('top'), web.address, 80)
  })

  it('to true: everybody reaches everybody, and linked connections go on', async () => {
    const { attach, machine, network } = await createSetting(['web', 'app', 'top'], { icc: false })
    const web = await attach('web', { expose: ['80/tcp', '53/udp'] })
    await attach('app', { links: ['web'] })
    const top = await attach('top')
    await machine('web').serveTcp(80)
    await machine('web').serveUdp(53)
    const linked = await machine('app').holdTcp(web.address, 80)
    const stillThere = keepSending(await machine('app').holdUdp(web.address, 53))
    await network.update({ icc: true })
    expect(await stillThere()).toEqual({ lost: 0 })
    await expectReached(machine('top'), web.address, 80, top.address)
    await network.update({ icc: false })
    expect(await linked.send('x')).toBe('echo')
    await expectBlocked(machine('top'), web.address, 80)
  })
})
