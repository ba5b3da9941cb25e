/** Links and what is cut in pieces: pieces after the first have no ports. */
import { describe, expect, it } from 'vitest'
import { SILENCE_MS } from '../../../lab/machine.js'
import { nft } from '../../support/tools.js'
import {
  BRIDGE_NETFILTER,
  createLinkSetting,
  type Family,
  type LinkSetting,
  party,
  type Sent,
  WAYS,
} from './link-setting.js'
import { fragmented, PROTOCOL, packet, tcp, udp } from './packets.js'

/** Each is a datagram of one fragment more than MTUs of a bridge would hold, and close to the longest that there is. */
const SIZES = [8_000, 60_000]

async function attachBoth(setting: LinkSetting, family: Family) {
  const expose = ['53/udp']
  const web = party(await setting.attach('web', { expose }), family)
  const app = party(await setting.attach('app', { expose }), family)
  for (const name of ['web', 'app']) await setting.machine(name).serveUdp(53, { address: '::' })
  return { web, app }
}

describe.each(WAYS)('IPv$family, bridge-nf-call $sysctl', ({ family, sysctl }) => {
  it.each(['stateful', 'stateless'] as const)(
    'long datagrams pass a %s link, questions and answers',
    async (linkMode) => {
      const setting = await createLinkSetting(['web', 'app'], { sysctl, linkMode })
      const { web } = await attachBoth(setting, family)
      const { bridgeHost, machine } = setting
      await bridgeHost.container('app')?.link('web')
      const held = await machine('app').holdUdp(web.address, 53)
      for (const size of SIZES) expect(await held.send('x'.repeat(size))).toBe('echo')
    },
  )

  it('with a link each way, one goes and the other carries long datagrams on', async () => {
    const setting = await createLinkSetting(['web', 'app'], { sysctl })
    const { web, app } = await attachBoth(setting, family)
    const { bridgeHost, machine } = setting
    await bridgeHost.container('app')?.link('web')
    await bridgeHost.container('web')?.link('app')
    const there = await machine('app').holdUdp(web.address, 53)
    const back = await machine('web').holdUdp(app.address, 53)
    for (const held of [there, back]) expect(await held.send('x'.repeat(8_000))).toBe('echo')
    await bridgeHost.container('web')?.unlink('app')
    expect(await there.send('y'.repeat(60_000))).toBe('echo')
    expect(await back.send('y'.repeat(8_000), { timeoutMs: SILENCE_MS })).toBe('timeout')
    expect(await back.send('short', { timeoutMs: SILENCE_MS })).toBe('timeout')
    await bridgeHost.container('app')?.unlink('web')
    expect(await there.send('z'.repeat(8_000), { timeoutMs: SILENCE_MS })).toBe('timeout')
  })

  it('no piece passes between containers without a link, of whatever protocol', async () => {
    const setting = await createLinkSetting(['web', 'app', 'top'], { sysctl })
    const { web, app } = await attachBoth(setting, family)
    const top = party(await setting.attach('top', { links: ['web'] }), family)
    const question = { sourcePort: 5555, destinationPort: 53 }
    const pieces = (from: typeof web, to: typeof web): Record<string, Sent> => ({
      whole: fragmented(udp({ from, to, ...question }, 'from first to last'.repeat(4)), 81, 48, 56),
      ...Object.fromEntries(
        [PROTOCOL.udp, PROTOCOL.tcp, PROTOCOL.sctp, family === 4 ? PROTOCOL.icmp : PROTOCOL.icmp6, 99].map(
          (protocol) => [
            `the last piece, protocol ${protocol}`,
            packet(from, to, protocol, [...Buffer.from(`piece ${protocol} nobody`.padEnd(16))], {
              fragment: { id: 82 + protocol, offset: 1480, more: false },
            }),
          ],
        ),
      ),
    })
    expect(await setting.arrive('app', 'web', pieces(app, web))).toEqual([])
    expect(await setting.arrive('web', 'app', pieces(web, app))).toEqual([])
    expect(await setting.arrive('top', 'app', pieces(top, app))).toEqual([])
    // That it is put together at the other end, where there is a link.
    expect(await setting.arrive('top', 'web', pieces(top, web))).toContain('whole')
    await setting.bridgeHost.container('top')?.unlink('web')
    expect(await setting.arrive('top', 'web', pieces(top, web))).toEqual([])
  })

  it('a long answer that nobody asked for is not put together', async () => {
    const setting = await createLinkSetting(['web', 'app'], { sysctl })
    const { web, app } = await attachBoth(setting, family)
    await setting.bridgeHost.container('app')?.link('web')
    const answer = { from: web, sourcePort: 53, to: app, destinationPort: 5555 }
    const long = fragmented(udp(answer, 'an answer to nothing'.repeat(4)), 91, 48, 56)
    expect(await setting.arrive('web', 'app', { long })).toEqual([])
    const question = { from: app, sourcePort: 5555, to: web, destinationPort: 53 }
    expect(await setting.arrive('app', 'web', { question: udp(question, 'question') })).toEqual(['question'])
    expect(await setting.arrive('web', 'app', { long })).toEqual(['long'])
  })
})

/** Of IPv6 the kernel reads the fragment's own header in their place. */
it.each(BRIDGE_NETFILTER)(
  'a later piece of IPv4 is no answer, whatever it looks like; bridge-nf-call %s',
  async (sysctl) => {
    const setting = await createLinkSetting(['web', 'app'], { sysctl })
    const web = party(await setting.attach('web', { expose: ['80/tcp'] }), 4)
    const app = party(await setting.attach('app', { links: ['web'] }), 4)
    // Who lets a piece overwrite what came before it would see other flags than were judged.
    const { payload } = tcp(
      { from: web, sourcePort: 80, to: app, destinationPort: 5555 },
      ['ack'],
      'not an answer',
    )
    const piece = packet(web, app, PROTOCOL.tcp, payload, { fragment: { id: 95, offset: 8, more: false } })
    expect(await setting.arrive('web', 'app', { piece })).toEqual([])
    await nft(
      setting.host.namespace,
      'insert rule bridge nfbridge answers tcp flags & (syn | ack) != syn accept',
    )
    expect(await setting.arrive('web', 'app', { piece })).toEqual(['piece'])
  },
)
