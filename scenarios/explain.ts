/** Compares what `host.explain` says with what real packets did, for every probe. */
import type { BridgeHost, ExplainOptions, HostExplanation } from 'nfbridge'
import { hostsNetwork } from '../lab/wiring.js'
import { containerEndpoints } from './facts.js'
import { attemptText, type ProbeResult, type Seen } from './probes.js'
import type { Finding } from './run.js'
import type { Attempt } from './universe.js'
import type { HostName, World } from './world.js'

/** What was said: of both hosts together, where two are on the way. */
type Said = Pick<HostExplanation, 'reached' | 'because' | 'seen' | 'target'>

/** A finding for each probe: explain's yes or no, who answers and whom he sees are those of the packets. */
export async function explained(
  world: World,
  results: readonly ProbeResult[],
  stage: string,
): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const { attempt, seen } of results) {
    if (isReserved(attempt)) continue
    const what = `explain ${attemptText(attempt)}`
    const expected = happened(seen)
    const owner = ownerOf(world, attempt, seen)
    const said = await ask(world, attempt, owner)
    if (isAnsweredFromElsewhere(world, attempt, said)) continue
    const got = told(said, seen)
    const ok = got === expected || (got === 'unknown' && isStrangers(world, attempt, owner))
    findings.push({ stage, what, expected, got: ok ? got : `${got}: ${said.because}`, ok })
  }
  return findings
}

/**
 * By ::1 nothing leads to a container, but our reservation has the port: it takes datagrams and answers none, where explain only says
 * that they get there.
 */
function isReserved({ target, family, port }: Attempt): boolean {
  return target.at === 'lo' && family === 6 && port.endsWith('/udp')
}

/**
 * A datagram from the host's address on a network of the server is answered by the server's address there. When the port leads to the
 * server's address on another network, that is not who was asked. It is the server's choice, and explain says only that it gets there.
 */
function isAnsweredFromElsewhere(
  world: World,
  { from, target, port }: Attempt,
  { target: found }: Said,
): boolean {
  if (from.kind !== 'host' || !port.endsWith('/udp') || found?.namespace === undefined) return false
  const place = [...world.hosts.values()].find(({ setup }) => setup.containers?.[found.namespace])
  const endpoint =
    place &&
    containerEndpoints(place.bridgeHost, found.namespace).find(({ network }) => network === target.at)
  return endpoint !== undefined && !endpoint.addresses.includes(found.address)
}

function happened({ kind, server, source }: Seen): string {
  if (kind === 'reached') return `reached ${server} as ${source}`
  // A refusal is the answer of who has the address, and on whose port nobody listens.
  return kind === 'refused' ? 'reached' : 'not reached'
}

function told({ reached, seen, target }: Said, { kind }: Seen): string {
  if (reached === 'unknown') return 'unknown'
  if (!reached) return 'not reached'
  return kind === 'reached' ? `reached ${target?.namespace} as ${seen}` : 'reached'
}

/** Whose container answers, or was to; undefined: none does. */
function ownerOf(world: World, { target }: Attempt, { kind, server }: Seen): HostName | undefined {
  const answering = kind === 'reached' ? server : target.machine
  return [...world.hosts.values()].find(({ setup }) => setup.containers?.[answering ?? ''])?.name
}

/** What another program attached in the same namespace is looked into by nobody else: what is there is not known. */
function isStrangers(world: World, { from }: Attempt, owner: HostName | undefined): boolean {
  if (from.place === undefined || owner === undefined || owner === from.place) return false
  return from.kind === 'container' && world.host(owner).at === from.host
}

/** Asks the host that the way leads over, or both, one after the other. */
async function ask(world: World, attempt: Attempt, owner: HostName | undefined): Promise<Said> {
  const { from } = attempt
  const knows = owner !== undefined && world.host(owner).at === (from.host ?? 'host')
  const first = (from.kind !== 'container' && knows ? owner : from.place) ?? 'host'
  const second = hostOfTarget(world, attempt)
  if (second === undefined || world.host(second).at === world.host(first).at)
    return named(world, first, await explain(world, first, attempt))
  const there = await explain(world, first, attempt)
  if (there.reached !== true || there.target?.namespace !== 'outside') return named(world, first, there)
  const as = there.seen ?? ''
  return named(world, second, await explain(world, second, attempt, { from: as, device: hostsNetwork.link }))
}

/** The other host, when the address is one of its own or of its containers'. */
function hostOfTarget(world: World, { target }: Attempt): HostName | undefined {
  for (const place of world.hosts.values()) {
    if (place.name === target.machine || place.setup.containers?.[target.machine]) return place.name
  }
  return undefined
}

function explain(
  world: World,
  name: HostName,
  { from, target, port, family, sourcePort }: Attempt,
  given?: Pick<ExplainOptions, 'from' | 'device'>,
): Promise<HostExplanation> {
  const { bridgeHost } = world.host(name)
  const [number, protocol] = port.split('/')
  return bridgeHost.explain({
    ...(given ?? sender(bridgeHost, from, family)),
    to: target.address,
    family,
    ...(sourcePort !== undefined && { sourcePort }),
    ...(protocol === undefined
      ? { protocol: 'icmp' }
      : { protocol: protocolOf(protocol), port: Number(number) }),
  })
}

function sender(
  host: BridgeHost,
  { name, kind, addresses }: Attempt['from'],
  family: number,
): Pick<ExplainOptions, 'from' | 'device'> {
  if (kind === 'host') return { from: 'host' }
  if (kind === 'container') return { from: host.container(name) ?? name }
  const place = addresses.find((one) => one.family === family)
  return { from: place?.address ?? '', ...(place && { device: place.at }) }
}

function protocolOf(text: string): 'tcp' | 'udp' | 'sctp' {
  return text === 'udp' || text === 'sctp' ? text : 'tcp'
}

/** Explain calls a host "the host", and whatever is none of its own "outside": another program's containers too. */
function named(world: World, host: HostName, said: HostExplanation): Said {
  const { target } = said
  if (target === undefined) return said
  if (target.namespace === 'the host')
    return { ...said, target: { ...target, namespace: world.host(host).at } }
  if (target.namespace !== 'outside') return said
  const machine = world.outsideAt(target.address) ?? world.containerAt(target.address)
  return { ...said, target: { ...target, namespace: machine ?? 'outside' } }
}
