/**
 * Containers that send their neighbour's packets to the gateway: the host routes them back into the bridge that they came from.
 */
import { describe, expect, it } from 'vitest'
import { SILENCE_MS } from '../../../lab/machine.js'
import { ip } from '../../support/tools.js'
import { createLinkSetting, party, SOME_WAYS } from './link-setting.js'
import { fragmented, frame, icmp, type Packet, PROTOCOL, packet, sctp, tcp, udp } from './packets.js'
import { expectBlocked, expectReached } from './setting.js'

type Way = (typeof SOME_WAYS)[number]

const PORT = 53

/** `app` is linked to `web`. */
async function linked({ family, sysctl }: Way, linkMode: 'stateful' | 'stateless' = 'stateful') {
  const setting = await createLinkSetting(['web', 'app', 'top'], { sysctl, linkMode })
  const { host, machine } = setting
  const expose = [`${PORT}/tcp`, `${PORT}/udp`, `${PORT}/sctp`]
  const web = party(await setting.attach('web', { expose }), family)
  const app = party(await setting.attach('app', { links: ['web'] }), family)
  const top = party(await setting.attach('top'), family)
  for (const port of [PORT, PORT + 1]) {
    await machine('web').serveTcp(port, { address: '::' })
    await machine('web').serveUdp(port, { address: '::' })
    await machine('web').serveSctp(port)
  }
  await machine('app').serveTcp(PORT, { address: '::' })
  const gateway = /link\/ether (\S+)/.exec(await ip(host.namespace, 'link', 'show', 'docker0'))?.[1] ?? ''
  /** From now on one machine sends to the gateway what is for another, whatever the gateway says of shorter ways. */
  const detour = async (from: string, to: string): Promise<void> => {
    const parties: Readonly<Record<string, string>> = { web: web.address, app: app.address }
    const { namespace } = machine(from)
    for (const device of ['all', 'eth0'])
      await namespace.writeSysctl(`net/ipv${family}/conf/${device}/accept_redirects`, '0')
    const via = family === 4 ? '172.17.0.1' : 'fd00:17::1'
    await ip(namespace, 'route', 'replace', parties[to] ?? '', 'via', via, 'dev', 'eth0')
  }
  return { ...setting, web, app, top, gateway, detour }
}

const DIRECTIONS = {
  'the client': [['app', 'web']],
  'the server': [['web', 'app']],
  both: [
    ['app', 'web'],
    ['web', 'app'],
  ],
} as const

describe.each(SOME_WAYS)('IPv$family, bridge-nf-call $sysctl, by the gateway', (way) => {
  it.each(['the client', 'the server', 'both'] as const)(
    'TCP passes a link and nothing else, and stops with it: %s',
    async (who) => {
      const { machine, web, app, detour, bridgeHost } = await linked(way)
      for (const [from, to] of DIRECTIONS[who]) await detour(from, to)
      await expectReached(machine('app'), web.address, PORT, app.address)
      const held = await machine('app').holdTcp(web.address, PORT)
      expect(await held.send('x'.repeat(100_000))).toBe('echo')
      await expectBlocked(machine('app'), web.address, PORT + 1)
      await expectBlocked(machine('web'), app.address, PORT)
      await expectBlocked(machine('top'), web.address, PORT)
      await bridgeHost.container('app')?.unlink('web')
      expect(await held.send('after', { timeoutMs: SILENCE_MS })).toBe('timeout')
      await expectBlocked(machine('app'), web.address, PORT)
    },
  )

  it('datagrams and SCTP pass a link both ways, and nothing else', async () => {
    const { machine, web, detour, bridgeHost } = await linked(way)
    for (const [from, to] of DIRECTIONS.both) await detour(from, to)
    const held = await machine('app').holdUdp(web.address, PORT)
    for (const text of ['first', 'second', 'x'.repeat(8_000)]) expect(await held.send(text)).toBe('echo')
    expect(await machine('app').probeSctp(web.address, PORT)).toMatchObject({ outcome: 'reached' })
    const silence = { timeoutMs: SILENCE_MS }
    for (const probe of ['probeUdp', 'probeSctp'] as const)
      expect(await machine('app')[probe](web.address, PORT + 1, silence)).toEqual({ outcome: 'timeout' })
    await bridgeHost.container('app')?.unlink('web')
    expect(await held.send('after', silence)).toBe('timeout')
  })

  it.each(['the client', 'the server'] as const)(
    'datagrams of a stateless link pass with one of both at the gateway: %s',
    async (who) => {
      const { machine, web, detour } = await linked(way, 'stateless')
      for (const [from, to] of DIRECTIONS[who]) await detour(from, to)
      const held = await machine('app').holdUdp(web.address, PORT)
      for (const text of ['first', 'second']) expect(await held.send(text)).toBe('echo')
    },
  )

  it('the server begins nothing, and a bystander reaches nobody', async () => {
    const { arrive, web, app, top, gateway } = await linked(way)
    const byGateway = (one: Packet): { frames: Uint8Array[]; mark: Uint8Array } => ({
      frames: [frame(one, { via: gateway })],
      mark: Uint8Array.from(one.payload),
    })
    const answer = { from: web, sourcePort: PORT, to: app, destinationPort: 5555 }
    const error = { type: way.family === 4 ? 3 : 1, code: way.family === 4 ? 3 : 4 }
    expect(
      await arrive('web', 'app', {
        SYN: byGateway(tcp(answer, ['syn'])),
        'SYN, ECE, CWR': byGateway(tcp(answer, ['syn', 'ece', 'cwr'])),
        INIT: byGateway(sctp(answer, ['init'])),
        'INIT behind another chunk': byGateway(sctp(answer, ['sack', 'init'])),
        unasked: byGateway(udp(answer, 'unasked')),
        'another port': byGateway(tcp({ ...answer, sourcePort: PORT + 1 }, ['ack'], 'data')),
        error: byGateway(icmp(web, app, error, udp({ ...answer, from: app, to: web }, 'about').bytes)),
      }),
    ).toEqual([])
    const strange = { from: top, sourcePort: 5555, to: web, destinationPort: PORT }
    const piece = { fragment: { id: 5, offset: 1480, more: false } }
    const [head] = fragmented(udp(strange, 'in two pieces, from a bystander'), 6, 16).pieces
    if (!head) throw new Error('a piece')
    const stray = {
      SYN: byGateway(tcp(strange, ['syn'])),
      ACK: byGateway(tcp(strange, ['ack'])),
      datagram: byGateway(udp(strange, 'datagram')),
      'a first piece': byGateway(head),
      'a last piece': byGateway(packet(top, web, PROTOCOL.udp, [...Buffer.from('a last piece....')], piece)),
    }
    expect(await arrive('top', 'web', stray)).toEqual([])
    // That such a frame gets there: from the client.
    const question = { from: app, sourcePort: 5555, to: web, destinationPort: PORT }
    const sent = { SYN: byGateway(tcp(question, ['syn'])), datagram: byGateway(udp(question, 'datagram')) }
    expect(await arrive('app', 'web', sent)).toEqual(Object.keys(sent))
  })
})
