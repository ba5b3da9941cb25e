/** Frames of other Ethernet types, and those with VLAN tags, between containers. */
import { describe, expect, it } from 'vitest'
import { SILENCE_MS } from '../../../lab/machine.js'
import { ip } from '../../support/tools.js'
import { BRIDGE_NETFILTER, createLinkSetting, FAMILIES, parties, party } from './link-setting.js'
import { strangeFrames } from './strange-frames.js'

describe.each(BRIDGE_NETFILTER)('between containers without a link, bridge-nf-call %s', (sysctl) => {
  it.each([false, true])('no other type of frame passes; allowForgedSource %s', async (allowForgedSource) => {
    const { attach, arrive, network } = await createLinkSetting(['web', 'app'], { sysctl })
    const web = await attach('web', { expose: ['80'] })
    const app = await attach('app', { allowForgedSource })
    const frames = strangeFrames(parties(app), parties(web))
    expect(await arrive('app', 'web', frames)).toEqual([])
    // That they are seen: from one that may forge, on a network where everything passes, and at once.
    await network.update({ icc: true })
    const open = await arrive('app', 'web', frames)
    if (allowForgedSource) expect(open).toEqual(Object.keys(frames))
    await network.update({ icc: false })
    expect(await arrive('app', 'web', frames)).toEqual([])
  })

  it('a link lets none of them pass', async () => {
    const { attach, arrive } = await createLinkSetting(['web', 'app'], { sysctl })
    const web = await attach('web', { expose: ['81'] })
    const app = await attach('app', { links: ['web'] })
    expect(await arrive('app', 'web', strangeFrames(parties(app), parties(web)))).toEqual([])
    expect(await arrive('web', 'app', strangeFrames(parties(web), parties(app)))).toEqual([])
  })

  it('ARP and neighbour discovery pass', async () => {
    const { attach, machine } = await createLinkSetting(['web', 'app'], { sysctl })
    const web = await attach('web')
    await attach('app')
    const { namespace } = machine('app')
    await ip(namespace, 'neigh', 'flush', 'dev', 'eth0')
    for (const family of FAMILIES) {
      const { address } = party(web, family)
      expect(await machine('app').ping(address, `none${family}`, { timeoutMs: SILENCE_MS })).toEqual({
        outcome: 'timeout',
      })
      expect(await ip(namespace, 'neigh', 'show', address)).toContain(web.mac)
    }
  })
})
