/** Whether a new connection's first packet arrives, and its answer comes back: the question and its answer. */
import { parseAddress } from '../address/index.js'
import type { Link } from '../rtnl/index.js'
import { type Decisive, decisiveStep, type Explanation, Stopped, stepText } from './answer.js'
import { Journey } from './journey.js'
import { familyOf, noSuchAddress } from './obstacles.js'
import { type PacketTuple, type PortRange, PROTOCOL_NUMBERS, reversed, tupleOf } from './packet.js'
import type { Draft } from './stage.js'
import { hasAddress, linkByIndex, type NamespaceState } from './state.js'
import type { Arrival, World } from './world.js'

/** Who sends: a namespace (a container's, or the host's), or an address outside of the host. */
export type Sender =
  | { readonly kind: 'namespace'; readonly state: NamespaceState; readonly source?: string }
  /** @property device the host's link that it comes in by; default: the one by which the host reaches the address */
  | { readonly kind: 'outside'; readonly address: string; readonly device?: string }

/** A new connection. */
export interface PathQuestion {
  readonly from: Sender
  /** The address that is asked for, before any translation. */
  readonly to: string
  readonly protocol: keyof typeof PROTOCOL_NUMBERS | number
  /** For protocols with ports. */
  readonly port?: number
  /** Default: one of those that the sender's kernel chooses from, which is not known. */
  readonly sourcePort?: number
  /** Whether the answer's way back is followed as well. Default true. */
  readonly andBack?: boolean
}

/**
 * Follows the first packet of a connection through the kernel's state, and its answer back.
 * @throws NfbridgeError what reading the kernel throws; never for what becomes of the packet
 */
export async function explainPath(world: World, question: PathQuestion): Promise<Explanation> {
  const journey = new Journey(world)
  const back = journey.back()
  const steps = () => [...journey.steps, ...back.steps]
  let arrival: Arrival | undefined
  try {
    const way = await enteringLink(world, question)
    arrival = await depart(journey, question, way)
    if (question.andBack !== false) {
      const answered = await goBack(back, arrival)
      requireFrom(question, answered)
      requireSameLink(world, question, answered, way)
    }
  } catch (error) {
    if (!(error instanceof Stopped)) throw error
    const { decisive, because, remedy, packet } = error
    return {
      reached: isUnknown(decisive) ? 'unknown' : false,
      because: arrival ? `it arrives, but its answer does not come back: ${because}` : because,
      decisive,
      ...(packet && { packet }),
      ...(arrival && { oneWay: true as const }),
      remedy,
      steps: steps(),
    }
  }
  const { packet } = arrival
  const where = arrival.at === 'outside' ? 'outside' : arrival.at.name
  return {
    reached: true,
    seen: packet.source,
    target: {
      namespace: where,
      address: packet.destination,
      ...(typeof packet.destinationPort === 'number' && { port: packet.destinationPort }),
    },
    ...allowed(journey, where, world),
    steps: steps(),
  }
}

function allowed(
  { allowed: last }: Journey,
  where: string,
  world: World,
): Pick<Explanation, 'because' | 'decisive' | 'packet'> {
  if (last === undefined)
    return {
      because: `nothing on the way to ${where} stops it`,
      decisive: { kind: 'delivered', namespace: where },
    }
  const { namespace, hook, step, packet } = last
  const own = world.isOwn
  return {
    because: `in ${namespace}, at ${hook}, ${stepText(step)} lets it pass`,
    decisive: decisiveStep(namespace, hook, step, own && ((each) => own(each))),
    packet,
  }
}

/** What depends on a rule that nobody can answer for, or on what is beyond a link of the host's. */
function isUnknown(decisive: Decisive): boolean {
  if (decisive.kind === 'address') return decisive.behind !== undefined
  return decisive.kind === 'unknown' || (decisive.kind === 'route' && decisive.reason === 'other-link')
}

async function depart(journey: Journey, question: PathQuestion, way: Link | undefined): Promise<Arrival> {
  const { from } = question
  const to = parseAddress(question.to).toString()
  const ports = await localPorts(from)
  const draft: Draft = { ...packetTo(to, question, ports), destination: to, mark: 0 }
  if (from.kind === 'namespace' || way === undefined)
    return journey.send(senderState(from), {
      ...draft,
      ...(from.kind === 'namespace' && from.source !== undefined && { source: from.source }),
    })
  return journey.receiveFromOutside(way, { ...draft, source: from.address })
}

function senderState(from: Sender): NamespaceState {
  if (from.kind === 'namespace') return from.state
  throw new RangeError('what comes from outside comes in by a link')
}

/**
 * By which link of the host's an address outside sends; undefined for a namespace. Where it is not said, by the one that answers
 * of the address that is asked for leave by, else by the one that leads back.
 */
async function enteringLink({ host }: World, { from, to }: PathQuestion): Promise<Link | undefined> {
  if (from.kind === 'namespace') return undefined
  const source = parseAddress(to).toString()
  const answers = hasAddress(host, source)
    ? await host.lookup({ destination: from.address, source })
    : undefined
  const route = answers?.reachable ? answers : await host.lookup({ destination: from.address })
  const link =
    from.device === undefined
      ? linkByIndex(host, route.reachable ? route.device : undefined)
      : host.links.find(({ name }) => name === from.device)
  if (link !== undefined) return link
  throw noSuchAddress(host.name, from.address, `${host.name} has no link by which anybody`)
}

/** Who sent by one link of the host's need not be beyond another. @throws Stopped */
function requireSameLink(
  { host }: World,
  { from }: PathQuestion,
  { at, by }: Arrival,
  way: Link | undefined,
): void {
  if (from.kind === 'namespace' || at !== 'outside' || way === undefined || by?.index === way.index) return
  throw new Stopped(
    { kind: 'route', namespace: host.name, destination: from.address, reason: 'other-link' },
    `${host.name} sends it out by ${by?.name ?? 'another link'}, and ${from.address} is beyond ${way.name}`,
    `route what answers it by ${way.name}: mark its connections, and add a rule for the mark`,
  )
}

/** The ports that a sender's kernel chooses from; of another machine only that they need no privilege. */
async function localPorts(from: Sender): Promise<PortRange> {
  const setting =
    from.kind === 'namespace' ? await from.state.sysctl('net/ipv4/ip_local_port_range') : undefined
  const [low, high] = (setting ?? '1024 65535').split(/\s+/).map(Number)
  return { low: low ?? 1024, high: high ?? 65535 }
}

/** What a first packet of the protocol has, beside its addresses. */
function packetTo(to: string, { protocol, port, sourcePort }: PathQuestion, ports: PortRange) {
  const number = typeof protocol === 'number' ? protocol : PROTOCOL_NUMBERS[protocol]
  const echo = number === PROTOCOL_NUMBERS.icmp ? 8 : number === PROTOCOL_NUMBERS.icmpv6 ? 128 : undefined
  return {
    family: familyOf(to),
    protocol: number,
    ...(port !== undefined && { destinationPort: port, sourcePort: sourcePort ?? ports }),
    ...(number === PROTOCOL_NUMBERS.tcp && { tcpFlags: TCP_SYN }),
    ...(number === PROTOCOL_NUMBERS.sctp && { sctpChunk: 'init' as const }),
    ...(echo !== undefined && { icmpType: echo, icmpCode: 0 }),
  }
}

const TCP_SYN = 0x02
const TCP_SYN_ACK = 0x12

/** A connection takes answers from nobody but the one that was asked, and where it was begun. @throws Stopped */
function requireFrom({ from: sender, to, port }: PathQuestion, { at, packet }: Arrival): void {
  // Somebody outside may be a machine that is known all the same.
  const isAsker =
    sender.kind === 'namespace' ? at === sender.state : at === 'outside' || hasAddress(at, sender.address)
  if (!isAsker) {
    const where = at === 'outside' ? 'outside' : at.name
    throw new Stopped(
      { kind: 'translation', namespace: where, asked: to, answers: packet.destination },
      `its answer comes to ${where}, at ${packet.destination}, which did not ask: nothing translates it back`,
      'let connection tracking see both directions of the connection (no notrack, one zone)',
    )
  }
  const from = parseAddress(packet.source).toString()
  const asked = parseAddress(to).toString()
  const samePort = port === undefined || packet.sourcePort === undefined || packet.sourcePort === port
  if (from === asked && samePort) return
  const where = at === 'outside' ? 'the sender' : at.name
  throw new Stopped(
    { kind: 'translation', namespace: where, asked, answers: from },
    `${where} asked ${asked} and is answered by ${from}: the answer passes no rules that would translate it back`,
    'let what the bridge passes on meet the rules (br_netfilter: nf_call_iptables, nf_call_ip6tables)',
  )
}

/** The answer, from where the packet arrived. */
async function goBack(back: Journey, { at, packet, by }: Arrival): Promise<Arrival> {
  const tuple: PacketTuple = reversed(tupleOf(packet))
  const { icmpType, tcpFlags, sctpChunk } = packet
  const reply = {
    family: packet.family,
    ...tuple,
    mark: 0,
    ...(tcpFlags !== undefined && { tcpFlags: TCP_SYN_ACK }),
    ...(sctpChunk !== undefined && { sctpChunk: 'init-ack' as const }),
    ...(icmpType !== undefined && { icmpType: icmpType === 8 ? 0 : 129, icmpCode: 0 }),
  }
  if (at !== 'outside') return back.send(at, reply)
  if (by === undefined) throw new RangeError('what left the host left it by a link')
  return back.receiveFromOutside(by, reply)
}
