import { describe, expect, it } from 'vitest'
import { SILENCE_MS } from '../../../lab/machine.js'
import { createSetting, expectBlocked, expectReached } from './setting.js'

describe('a link', () => {
  it("opens the server's exposed ports, one way, not transitively, and nothing else", async () => {
    const { attach, machine } = await createSetting(['web', 'app', 'top'], { icc: false })
    const web = await attach('web', { expose: ['80/tcp', '53/udp'] })
    const app = await attach('app', { expose: ['80/tcp'], links: ['web:db'] })
    await attach('top', { links: ['app'] })
    for (const name of ['web', 'app', 'top']) await machine(name).serveTcp(80)
    await machine('web').serveTcp(81)
    await machine('web').serveUdp(53)
    await expectReached(machine('app'), web.address, 80, app.address)
    expect(await machine('app').probeUdp(web.address, 53)).toMatchObject({ outcome: 'reached' })
    await expectBlocked(machine('app'), web.address, 81)
    await expectBlocked(machine('web'), app.address, 80)
    await expectBlocked(machine('top'), web.address, 80)
    await expectReached(machine('top'), app.address, 80, '172.17.0.4')
  })

  it('is found by name, full id and short id, and gives alias, host names and name', async () => {
    const { attach, machine } = await createSetting(['web', 'app'], { icc: false })
    const web = await attach('web', { expose: ['80/tcp'], hostname: 'www.example' })
    const app = await attach('app')
    await machine('web').serveTcp(80)
    for (const reference of ['web', web.id, web.shortId]) {
      const link = await app.link(`${reference}:db`)
      expect(link).toEqual({ alias: 'db', container: 'web', address: '172.17.0.2', ports: ['80/tcp'] })
      await expectReached(machine('app'), web.address, 80, app.address)
      expect(app.hosts).toEqual([
        {
          address: '172.17.0.2',
          names: ['db', 'www.example', 'www', 'web'],
          text: '172.17.0.2\tdb www.example www web',
        },
      ])
      await app.unlink(reference)
      await expectBlocked(machine('app'), web.address, 80)
    }
    await expect(app.link('www.example:db')).rejects.toMatchObject({ code: 'NFB_NOT_FOUND', path: 'link' })
  })

  it('taken back stops new connections and the one that is open; another link lives on', async () => {
    const { attach, machine } = await createSetting(['web', 'app', 'top'], { icc: false })
    const web = await attach('web', { expose: ['80/tcp'] })
    const app = await attach('app', { links: ['web:db'] })
    await attach('top', { links: ['web'] })
    await machine('web').serveTcp(80)
    const revoked = await machine('app').holdTcp(web.address, 80)
    const other = await machine('top').holdTcp(web.address, 80)
    expect(await revoked.send('before')).toBe('echo')
    await app.unlink('web')
    expect(await revoked.send('after', { timeoutMs: SILENCE_MS })).toBe('timeout')
    expect(await other.send('after')).toBe('echo')
    await expectBlocked(machine('app'), web.address, 80)
  })

  it('taken back by one alias stays open by the other', async () => {
    const { attach, machine } = await createSetting(['web', 'app'], { icc: false })
    const web = await attach('web', { expose: ['80/tcp'] })
    const app = await attach('app', { links: ['web:db', 'web:store'] })
    await machine('web').serveTcp(80)
    const held = await machine('app').holdTcp(web.address, 80)
    await app.unlink('db')
    expect(await held.send('still')).toBe('echo')
    await app.unlink('store')
    expect(await held.send('gone', { timeoutMs: SILENCE_MS })).toBe('timeout')
  })
})
