/** Frames of other Ethernet types, and those with VLAN tags, between containers. */
import { describe, expect, it } from 'vitest'
import { SILENCE_MS } from '../../../lab/machine.js'
import type { Container } from '../../../src/index.js'
import { ip } from '../../support/tools.js'
import type { Sending } from './arrivals.js'
import { foreignFrame, macBytes } from './frames.js'
import { BRIDGE_NETFILTER, createLinkSetting, FAMILIES, party } from './link-setting.js'
import { frame, type Packet, type Party, tcp, udp } from './packets.js'

const TAG = [0x81, 0x00, 0x00, 0x05]
const SERVICE_TAG = [0x88, 0xa8, 0x00, 0x06]
const PRIORITY_TAG = [0x81, 0x00, 0xe0, 0x00]
const PPPOE = [0x88, 0x64, 0x11, 0x00, 0x00, 0x01, 0x00, 0x40, 0x00, 0x21]

function tagged(packet: Packet, tags: readonly number[]): Sending {
  return { frames: [frame(packet, { tags })], mark: Uint8Array.from(packet.payload) }
}

/** A frame to one container with a type that is no IP. */
function ofType(from: Party, to: Party, type: readonly number[], text: string): Sending {
  const mark = Buffer.from(text.padEnd(46, '\0'))
  return { frames: [Uint8Array.from([...macBytes(to.mac), ...macBytes(from.mac), ...type, ...mark])], mark }
}

/** From one container to another that it has no link to. */
function strangeFrames(from: Container, to: Container): Record<string, Sending> {
  const sent: Record<string, Sending> = {}
  for (const family of FAMILIES) {
    const ends = {
      from: party(from, family),
      sourcePort: 5555,
      to: party(to, family),
      destinationPort: 80,
    }
    const datagram = (text: string): Packet => udp(ends, `${text}, IPv${family}`)
    sent[`IPv${family} with a tag`] = tagged(datagram('a tag'), TAG)
    sent[`IPv${family} with a service tag`] = tagged(datagram('a service tag'), SERVICE_TAG)
    sent[`IPv${family} with a priority`] = tagged(datagram('a priority'), PRIORITY_TAG)
    sent[`IPv${family} with two tags`] = tagged(datagram('two tags'), [...SERVICE_TAG, ...TAG])
    sent[`IPv${family} with three tags`] = tagged(datagram('three tags'), [...SERVICE_TAG, ...TAG, ...TAG])
    sent[`a SYN of IPv${family} with a tag`] = tagged(tcp(ends, ['syn'], 'tag'), TAG)
  }
  const [sender, receiver] = [party(from, 4), party(to, 4)]
  return {
    ...sent,
    'type 0x88b5': ofType(sender, receiver, [0x88, 0xb5], 'for experiments'),
    'type 0x88b5 to all': {
      frames: [foreignFrame(from.mac, 'to all')],
      mark: Buffer.from('to all'.padEnd(46, '\0')),
    },
    'type 0x88b5 with a tag': ofType(sender, receiver, [...TAG, 0x88, 0xb5], 'with a tag'),
    'IP in PPPoE': ofType(sender, receiver, PPPOE, 'in PPPoE'),
    'a length for a type': ofType(sender, receiver, [0, 46], 'a length'),
    MPLS: ofType(sender, receiver, [0x88, 0x47], 'labels'),
    'ARP with a tag': ofType(sender, receiver, [...TAG, 0x08, 0x06], 'no true ARP'),
  }
}

describe.each(BRIDGE_NETFILTER)('between containers without a link, bridge-nf-call %s', (sysctl) => {
  it.each([false, true])('no other type of frame passes; allowForgedSource %s', async (allowForgedSource) => {
    const { attach, arrive, network } = await createLinkSetting(['web', 'app'], { sysctl })
    const web = await attach('web', { expose: ['80'] })
    const app = await attach('app', { allowForgedSource })
    const frames = strangeFrames(app, web)
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
    expect(await arrive('app', 'web', strangeFrames(app, web))).toEqual([])
    expect(await arrive('web', 'app', strangeFrames(web, app))).toEqual([])
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
