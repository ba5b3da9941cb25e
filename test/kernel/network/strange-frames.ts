/** Frames of other Ethernet types, and those with VLAN tags. */
import type { Sending } from './arrivals.js'
import { foreignFrame, macBytes } from './frames.js'
import { FAMILIES, type Parties } from './link-setting.js'
import { frame, type Packet, type Party, tcp, udp } from './packets.js'

export const TAG = [0x81, 0x00, 0x00, 0x05]
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

/** From one to another: no rule of IP sees them. */
export function strangeFrames(from: Parties, to: Parties): Record<string, Sending> {
  const sent: Record<string, Sending> = {}
  for (const family of FAMILIES) {
    const ends = {
      from: from[family],
      sourcePort: 5555,
      to: to[family],
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
  const [sender, receiver] = [from[4], to[4]]
  return {
    ...sent,
    'type 0x88b5': ofType(sender, receiver, [0x88, 0xb5], 'for experiments'),
    'type 0x88b5 to all': {
      frames: [foreignFrame(sender.mac, 'to all')],
      mark: Buffer.from('to all'.padEnd(46, '\0')),
    },
    'type 0x88b5 with a tag': ofType(sender, receiver, [...TAG, 0x88, 0xb5], 'with a tag'),
    'IP in PPPoE': ofType(sender, receiver, PPPOE, 'in PPPoE'),
    'a length for a type': ofType(sender, receiver, [0, 46], 'a length'),
    MPLS: ofType(sender, receiver, [0x88, 0x47], 'labels'),
    'ARP with a tag': ofType(sender, receiver, [...TAG, 0x08, 0x06], 'no true ARP'),
  }
}
