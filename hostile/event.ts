/** A frame that was sent, and one place where it, or what became of it, arrived: what is judged. */
import type { Frame } from './frame.js'
import { type EthernetHeaders, type IpHeaders, type Ports, portsOf, readEthernet, readIp } from './headers.js'
import type { Observed, Place } from './observers.js'
import type { Station, World } from './world.js'

export interface Sent {
  readonly frame: Frame
  readonly sender: Station
  readonly bytes: Uint8Array
}

export interface Event {
  readonly world: World
  readonly sender: Station
  readonly sent: EthernetHeaders
  readonly sentIp: IpHeaders | undefined
  readonly sentPorts: Ports | undefined
  readonly place: Place
  /** What arrived, as {@link Observed} has it. */
  readonly bytes: Uint8Array
  /** Of what arrived; undefined at a socket. */
  readonly frame: EthernetHeaders | undefined
  readonly ip: IpHeaders | undefined
  readonly ports: Ports | undefined
}

const FAMILIES: Readonly<Record<number, 4 | 6>> = { 2048: 4, 34525: 6 }

export function eventOf(world: World, { sender, bytes }: Sent, observed: Observed): Event {
  const sent = readEthernet(bytes)
  const sentIp = ipOf(sent)
  const { place } = observed
  const frame = place.kind === 'socket' ? undefined : readEthernet(observed.bytes)
  const ip = frame === undefined ? ipAtSocket(observed, place) : ipOf(frame)
  return {
    world,
    sender,
    sent,
    sentIp,
    sentPorts: sentIp && portsOf(sentIp),
    place,
    bytes: observed.bytes,
    frame: frame && observed.tagged ? { ...frame, tagged: true } : frame,
    ip,
    ports: ip && portsOf(ip),
  }
}

function ipOf({ type, packet }: EthernetHeaders): IpHeaders | undefined {
  const family = FAMILIES[type]
  return family && readIp(packet, family)
}

/** A raw socket of IPv4 gives the header, one of IPv6 does not. */
function ipAtSocket({ bytes, source, destination }: Observed, place: Place): IpHeaders | undefined {
  if (place.kind !== 'socket') return undefined
  if (place.family === 4) return readIp(bytes, 4)
  return { family: 6, source, destination, protocol: place.protocol, fragmentOffset: 0, payload: bytes }
}
