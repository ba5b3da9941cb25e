/** What the server of a link may send to its client: answers. */
import { describe, expect, it } from 'vitest'
import type { LinkMode } from '../../../src/index.js'
import { createLinkSetting, type Family, party, type Sent, WAYS } from './link-setting.js'
import { type Ends, type Fragmented, fragmented, sctp, tcp, udp } from './packets.js'

const SERVER_PORT = 80
const CLIENT_PORT = 5555

type Way = (typeof WAYS)[number]

/** `app` is linked to `web` on one port of each transport. */
async function linked({ family, sysctl }: Way, linkMode: LinkMode) {
  const setting = await createLinkSetting(['web', 'app'], { sysctl, linkMode })
  const expose = ['tcp', 'udp', 'sctp'].map((transport) => `${SERVER_PORT}/${transport}`)
  const web = party(await setting.attach('web', { expose }), family)
  const app = party(await setting.attach('app', { links: ['web'] }), family)
  const answer: Ends = { from: web, sourcePort: SERVER_PORT, to: app, destinationPort: CLIENT_PORT }
  return { ...setting, web, app, answer }
}

/** What begins a connection, in every disguise. */
function beginnings(of: Ends, family: Family): Record<string, Sent> {
  return {
    'a bare SYN': tcp(of, ['syn']),
    'a SYN with data': tcp(of, ['syn'], 'fast open'),
    'SYN, PSH': tcp(of, ['syn', 'psh']),
    'SYN, URG': tcp(of, ['syn', 'urg']),
    'SYN, ECE, CWR': tcp(of, ['syn', 'ece', 'cwr']),
    'SYN, FIN': tcp(of, ['syn', 'fin']),
    'SYN, RST': tcp(of, ['syn', 'rst']),
    'a SYN behind options': tcp(of, ['syn'], 'options', { options: true }),
    INIT: sctp(of, ['init']),
    'INIT behind options': sctp(of, ['init', 'sack'], { options: true }),
    'INIT behind another chunk': sctp(of, ['sack', 'init']),
    'INIT as the third chunk': sctp(of, ['sack', 'data', 'init']),
    // SCTP's first chunk is behind the twelfth byte.
    'INIT in the second fragment': fragmented(sctp(of, ['init', 'data']), 72, 8),
    'INIT behind another chunk, in the second fragment': fragmented(
      sctp(of, ['sack', 'init', 'sack']),
      73,
      32,
    ),
    'INIT in the second fragment, sent first': backward(fragmented(sctp(of, ['init', 'init']), 74, 8)),
    ...(family === 4
      ? {
          // The flags of TCP are behind the twelfth byte. Of IPv6 the kernel takes no such pieces together (RFC 7112).
          'flags in the second fragment': fragmented(tcp(of, ['syn'], 'cut in two'), 75, 8),
          'flags in the second fragment, sent first': backward(
            fragmented(tcp(of, ['syn'], 'cut, backward'), 76, 8),
          ),
        }
      : {
          'a SYN in one fragment': tcp(of, ['syn'], 'alone', {
            fragment: { id: 77, offset: 0, more: false },
          }),
        }),
  }
}

function backward({ whole, pieces }: Fragmented): Fragmented {
  return { whole, pieces: pieces.toReversed() }
}

describe.each(WAYS)('IPv$family, bridge-nf-call $sysctl: the server of a stateful link', (way) => {
  it('begins no connection of TCP or SCTP', async () => {
    const { arrive, answer } = await linked(way, 'stateful')
    expect(await arrive('web', 'app', beginnings(answer, way.family))).toEqual([])
  })

  it('answers: what belongs to a connection passes, to each port', async () => {
    const { arrive, answer } = await linked(way, 'stateful')
    const answers = {
      'SYN, ACK': tcp(answer, ['syn', 'ack']),
      'SYN, ACK, ECE': tcp(answer, ['syn', 'ack', 'ece']),
      ACK: tcp(answer, ['ack']),
      'ACK with data': tcp(answer, ['ack', 'psh'], 'data'),
      'FIN, ACK': tcp(answer, ['fin', 'ack']),
      RST: tcp(answer, ['rst']),
      'RST, ACK': tcp(answer, ['rst', 'ack']),
      'INIT ACK': sctp(answer, ['initAck']),
      'DATA and SACK': sctp(answer, ['sack', 'data']),
    }
    expect(await arrive('web', 'app', answers)).toEqual(Object.keys(answers))
  })

  it('sends nothing from another port', async () => {
    const { arrive, answer } = await linked(way, 'stateful')
    const other = { ...answer, sourcePort: SERVER_PORT + 1 }
    const stray = {
      'SYN, ACK': tcp(other, ['syn', 'ack']),
      ACK: tcp(other, ['ack'], 'data'),
      'INIT ACK': sctp(other, ['initAck']),
      datagram: udp(other, 'from another port'),
    }
    expect(await arrive('web', 'app', stray)).toEqual([])
  })

  it('sends datagrams as answers alone, to the port that asked', async () => {
    const { arrive, answer, web, app } = await linked(way, 'stateful')
    const question: Ends = {
      from: app,
      sourcePort: CLIENT_PORT,
      to: web,
      destinationPort: SERVER_PORT,
    }
    const neighbour = { ...answer, destinationPort: CLIENT_PORT + 1 }
    expect(await arrive('web', 'app', { unasked: udp(answer, 'unasked') })).toEqual([])
    expect(await arrive('app', 'web', { question: udp(question, 'question') })).toEqual(['question'])
    const sent = {
      'to another port': udp(neighbour, 'answer'),
      'from another port': udp({ ...answer, sourcePort: SERVER_PORT + 1 }, 'answer'),
      answer: udp(answer, 'answer'),
      'another answer': udp(answer, 'another answer'),
    }
    expect(await arrive('web', 'app', sent)).toEqual(['answer', 'another answer'])
  })
})

describe.each(WAYS)('IPv$family, bridge-nf-call $sysctl: a stateless link', (way) => {
  it("is Docker's pair of rules: from the server's port everything passes, and nothing from another", async () => {
    const { arrive, answer, web, app } = await linked(way, 'stateless')
    // That each of these is well formed, and gets to where a link does not look at it. Small pieces get nowhere.
    const sent = { ...beginnings(answer, way.family), unasked: udp(answer, 'unasked') }
    const whole = Object.keys(sent).filter((name) => !name.includes('second fragment'))
    expect(await arrive('web', 'app', sent)).toEqual(whole)
    const other = { ...answer, sourcePort: SERVER_PORT + 1, destinationPort: SERVER_PORT }
    const stray = { ...beginnings(other, way.family), unasked: udp(other, 'unasked') }
    expect(await arrive('web', 'app', stray)).toEqual([])
    const question: Ends = { from: app, sourcePort: CLIENT_PORT, to: web, destinationPort: SERVER_PORT }
    const asked = { ...beginnings(question, way.family), question: udp(question, 'question') }
    expect(await arrive('app', 'web', asked)).toEqual(
      Object.keys(asked).filter((name) => !name.includes('second fragment')),
    )
    const elsewhere = { ...question, sourcePort: SERVER_PORT, destinationPort: SERVER_PORT + 1 }
    expect(await arrive('app', 'web', beginnings(elsewhere, way.family))).toEqual([])
  })
})
