/** A network that is closed and opened while its containers speak. */
import { describe, expect, it } from 'vitest'
import { SILENCE_MS } from '../../../lab/machine.js'
import { createLinkSetting, party, SOME_WAYS } from './link-setting.js'
import { tcp, udp } from './packets.js'

describe.each(SOME_WAYS)('IPv$family, bridge-nf-call $sysctl: icc changed', ({ family, sysctl }) => {
  it.each([false, true])(
    'takes effect at once, in both directions, and a link goes on; allowForgedSource %s',
    async (allowForgedSource) => {
      const setting = await createLinkSetting(['web', 'app', 'top'], { sysctl, icc: true })
      const { attach, machine, arrive, network } = setting
      const web = party(await attach('web', { expose: ['53/udp'] }), family)
      await attach('app', { links: ['web'] })
      const top = party(await attach('top', { allowForgedSource }), family)
      await machine('web').serveTcp(80, { address: '::' })
      await machine('web').serveUdp(53, { address: '::' })
      const linked = await machine('app').holdUdp(web.address, 53)
      const held = await machine('top').holdTcp(web.address, 80)
      const datagrams = await machine('top').holdUdp(web.address, 53)
      const there = { from: top, sourcePort: 5555, to: web, destinationPort: 80 }
      const forged = { ...there.from, address: family === 4 ? '172.17.0.99' : 'fd00:17::99' }
      const frames = {
        SYN: tcp(there, ['syn']),
        ACK: tcp(there, ['ack'], 'data'),
        datagram: udp(there, 'datagram'),
        ...(allowForgedSource && { forged: udp({ ...there, from: forged }, 'from a forged address') }),
      }
      const back = { from: web, sourcePort: 80, to: top, destinationPort: 5555 }
      const answers = {
        SYN: tcp(back, ['syn']),
        ACK: tcp(back, ['ack'], 'data'),
        datagram: udp(back, 'answer'),
      }
      for (const round of [1, 2]) {
        expect(await held.send(`${round}`)).toBe('echo')
        expect(await datagrams.send(`${round}`)).toBe('echo')
        expect(await arrive('top', 'web', frames)).toEqual(Object.keys(frames))
        expect(await arrive('web', 'top', answers)).toEqual(Object.keys(answers))
        await network.update({ icc: false })
        for (const connection of [held, datagrams])
          expect(await connection.send(`${round} closed`, { timeoutMs: SILENCE_MS })).toBe('timeout')
        expect(await arrive('top', 'web', frames)).toEqual([])
        expect(await arrive('web', 'top', answers)).toEqual([])
        expect(await linked.send(`${round}`)).toBe('echo')
        await network.update({ icc: true })
      }
      // What was not acknowledged while it was closed is sent again.
      expect(await held.send('again')).toBe('echo')
    },
  )
})
