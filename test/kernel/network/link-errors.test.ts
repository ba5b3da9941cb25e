/** ICMP errors about a linked connection, told by what they quote. */
import { describe, expect, it } from 'vitest'
import { ip } from '../../support/tools.js'
import { createLinkSetting, type Family, party, SOME_WAYS } from './link-setting.js'
import { type Ends, type HeaderOptions, icmp, type Packet, type Party, sctp, tcp, udp } from './packets.js'

const PORT_UNREACHABLE = { 4: { type: 3, code: 3 }, 6: { type: 1, code: 4 } } as const
const TIME_EXCEEDED = { 4: { type: 11, code: 0 }, 6: { type: 3, code: 0 } } as const
const ECHO_REQUEST = { 4: { type: 8, code: 0 }, 6: { type: 128, code: 0 } } as const
const ECHO_REPLY = { 4: { type: 0, code: 0 }, 6: { type: 129, code: 0 } } as const
const TOO_BIG = { 4: { type: 3, code: 4, value: 1300 }, 6: { type: 2, code: 0, value: 1300 } } as const

const PORT = 53
const CLIENT_PORT = 5555

type Way = (typeof SOME_WAYS)[number]

/** `app` is linked to `web`; `top` and `other` are bystanders. */
async function linked({ family, sysctl }: Way) {
  const setting = await createLinkSetting(['web', 'app', 'top', 'other'], { sysctl })
  const expose = ['tcp', 'udp', 'sctp'].map((transport) => `${PORT}/${transport}`)
  const web = party(await setting.attach('web', { expose }), family)
  const app = party(await setting.attach('app', { links: ['web'] }), family)
  const top = party(await setting.attach('top'), family)
  const other = party(await setting.attach('other', { expose }), family)
  const question: Ends = { from: app, sourcePort: CLIENT_PORT, to: web, destinationPort: PORT }
  /** The client has a connection, and asks with the very packet that the errors quote. */
  const ask = async (): Promise<void> => {
    await setting.machine('web').serveUdp(PORT, { address: '::' })
    await setting.machine('app').holdUdp(web.address, PORT, { localPort: CLIENT_PORT })
  }
  return { ...setting, web, app, top, other, question, ask }
}

/** An error from one to another about a datagram. The text is for telling them apart. */
function unreachable(
  family: Family,
  [from, to]: readonly [Party, Party],
  about: Ends,
  text: string,
  options: HeaderOptions = {},
): Packet {
  return icmp(from, to, PORT_UNREACHABLE[family], udp(about, text, options).bytes)
}

describe.each(SOME_WAYS)('IPv$family, bridge-nf-call $sysctl: an error', (way) => {
  const { family } = way

  it('about a linked connection passes from the server to the client, and about nothing else', async () => {
    const { arrive, ask, web, app, top, other, question } = await linked(way)
    await ask()
    const there = [web, app] as const
    const sent = {
      'about the link': unreachable(family, there, question, 'about the link'),
      'on its way': icmp(web, app, TIME_EXCEEDED[family], udp(question, 'on its way').bytes),
    }
    expect(await arrive('web', 'app', sent)).toEqual(Object.keys(sent))
    const about = (ends: Partial<Ends>, text: string, options?: HeaderOptions): Packet =>
      unreachable(family, there, { ...question, ...ends }, text, options)
    const stray = {
      'another port': about({ destinationPort: PORT + 1 }, 'another port'),
      "the client's port as the server's": about(
        { sourcePort: PORT, destinationPort: CLIENT_PORT },
        'reversed ports',
      ),
      'another protocol': icmp(
        web,
        app,
        PORT_UNREACHABLE[family],
        tcp({ ...question, destinationPort: PORT + 1 }, ['syn'], 'x').bytes,
      ),
      'another client': about({ from: top }, 'another client'),
      'another server': about({ to: other }, 'another server'),
      'what the server sent': about(
        { from: web, sourcePort: PORT, to: app, destinationPort: CLIENT_PORT },
        'what the server sent',
      ),
      'options in front of what it quotes': about({}, 'options', { options: true }),
      'a fragment that has no ports': about({}, 'a fragment', {
        fragment: { id: 1, offset: 64, more: false },
      }),
      'an echo request': icmp(web, app, ECHO_REQUEST[family], udp(question, 'request').bytes),
      'an echo reply': icmp(web, app, ECHO_REPLY[family], udp(question, 'reply').bytes),
    }
    expect(await arrive('web', 'app', stray)).toEqual([])
  })

  it('from the client, from a bystander or to one does not pass', async () => {
    const { arrive, ask, web, app, top, other, question } = await linked(way)
    await ask()
    const answer = { from: web, sourcePort: PORT, to: app, destinationPort: CLIENT_PORT }
    expect(
      await arrive('app', 'web', {
        'about an answer': unreachable(family, [app, web], answer, 'about an answer'),
        'about a question': unreachable(family, [app, web], question, 'about a question'),
      }),
    ).toEqual([])
    const bystander = unreachable(family, [top, app], question, 'a bystander')
    const instead = unreachable(family, [other, app], { ...question, to: other }, 'another server')
    const overheard = unreachable(family, [web, top], question, 'overheard')
    expect(await arrive('top', 'app', { bystander })).toEqual([])
    expect(await arrive('other', 'app', { instead })).toEqual([])
    expect(await arrive('web', 'top', { overheard })).toEqual([])
  })

  it('passes for each transport that is linked', async () => {
    const { arrive, question } = await linked(way)
    const { from: app, to: web } = question
    const quote = {
      tcp: tcp(question, ['syn'], 'x'),
      udp: udp(question, 'y'),
      sctp: sctp(question, ['init']),
    }
    const sent: Record<string, Packet> = {}
    for (const [name, about] of Object.entries(quote)) {
      await arrive('app', 'web', { [name]: about })
      sent[name] = icmp(web, app, TIME_EXCEEDED[family], about.bytes)
    }
    expect(await arrive('web', 'app', sent)).toEqual(Object.keys(sent))
  })

  it('passes from a server that may forge its address, about its own', async () => {
    const setting = await createLinkSetting(['web', 'app', 'other'], { sysctl: way.sysctl })
    const { attach, arrive, machine } = setting
    const expose = [`${PORT}/udp`]
    const web = party(await attach('web', { expose, allowForgedSource: true }), family)
    const other = party(await attach('other', { expose }), family)
    const app = party(await attach('app', { links: ['web', 'other'] }), family)
    for (const name of ['web', 'other']) await machine(name).serveUdp(PORT, { address: '::' })
    const ends = { from: app, sourcePort: CLIENT_PORT, destinationPort: PORT }
    for (const to of [web, other]) {
      const held = await machine('app').holdUdp(to.address, PORT, { localPort: CLIENT_PORT })
      await held.close()
    }
    const sent = {
      'about its own': unreachable(family, [web, app], { ...ends, to: web }, 'its own'),
      "about another's": unreachable(family, [web, app], { ...ends, to: other }, "another's"),
    }
    expect(await arrive('web', 'app', sent)).toEqual(['about its own'])
  })

  it('stops with its link', async () => {
    const { arrive, ask, web, app, question, bridgeHost } = await linked(way)
    await ask()
    const error = unreachable(family, [web, app], question, 'an error')
    expect(await arrive('web', 'app', { error })).toEqual(['error'])
    await bridgeHost.container('app')?.unlink('web')
    expect(await arrive('web', 'app', { error })).toEqual([])
  })

  it('that says what is too big makes the path narrow for the client', async () => {
    const { arrive, ask, machine, web, app, question } = await linked(way)
    await ask()
    const route = (): Promise<string> => ip(machine('app').namespace, 'route', 'get', web.address)
    expect(await route()).not.toContain('mtu 1300')
    const about = udp({ ...question, destinationPort: PORT + 1 }, 'too big for another port')
    const stray = icmp(web, app, { ...TOO_BIG[family], value: 1400 }, about.bytes)
    expect(await arrive('web', 'app', { stray })).toEqual([])
    expect(await route()).not.toContain('mtu 1400')
    const error = icmp(web, app, TOO_BIG[family], udp(question, 'too big').bytes)
    expect(await arrive('web', 'app', { error })).toEqual(['error'])
    await expect.poll(route).toContain('mtu 1300')
  })
})
