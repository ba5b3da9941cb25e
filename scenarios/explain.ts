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

/** What one of the hosts is asked. */
interface Question {
  readonly place: HostName
  readonly options: ExplainOptions
}

interface Answered {
  readonly question: Question
  readonly answer: HostExplanation
}

/** A finding for each probe: explain's yes or no, who answers and whom he sees are those of the packets. */
export async function explained(
  world: World,
  results: readonly ProbeResult[],
  stage: string,
): Promise<Finding[]> {
  const asked = results
    .filter(({ attempt }) => !isReserved(attempt))
    .map(({ attempt, seen }) => ({ attempt, seen, owner: ownerOf(world, attempt, seen) }))
  const answers = await ask(world, asked)
  return asked.flatMap(({ attempt, seen, owner }, index) => {
    const said = answers[index]
    if (said === undefined) throw new Error(`explain has no answer about ${attemptText(attempt)}`)
    if (isAnsweredFromElsewhere(world, attempt, said)) return []
    const expected = happened(seen)
    const got = told(said, seen)
    const ok = got === expected || (got === 'unknown' && isStrangers(world, attempt, owner))
    const what = `explain ${attemptText(attempt)}`
    return [{ stage, what, expected, got: ok ? got : `${got}: ${said.because}`, ok }]
  })
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

/** Asks the hosts that the ways lead over: the second about what leaves the first towards it. */
async function ask(
  world: World,
  asked: readonly { readonly attempt: Attempt; readonly owner: HostName | undefined }[],
): Promise<Said[]> {
  const first = await askEach(
    world,
    asked.map(({ attempt, owner }) => firstQuestion(world, attempt, owner)),
  )
  const onward = first.map((answered, index) => {
    const attempt = asked[index]?.attempt
    return attempt && onwardQuestion(world, answered, attempt)
  })
  const second = await askEach(
    world,
    onward.filter((question) => question !== undefined),
  )
  return first.map((answered, index) => {
    const last = onward[index] ? second.shift() : answered
    if (last === undefined) throw new Error('explain has no answer')
    return named(world, last.question.place, last.answer)
  })
}

function firstQuestion(world: World, attempt: Attempt, owner: HostName | undefined): Question {
  const { from } = attempt
  const knows = owner !== undefined && world.host(owner).at === (from.host ?? 'host')
  const place = (from.kind !== 'container' && knows ? owner : from.place) ?? 'host'
  const { bridgeHost } = world.host(place)
  return { place, options: { ...sender(bridgeHost, from, attempt.family), ...askedFor(attempt) } }
}

function onwardQuestion(
  world: World,
  { question: { place }, answer: said }: Answered,
  attempt: Attempt,
): Question | undefined {
  const second = hostOfTarget(world, attempt)
  if (second === undefined || world.host(second).at === world.host(place).at) return undefined
  if (said.reached !== true || said.target?.namespace !== 'outside') return undefined
  const sentBy = { from: said.seen ?? '', device: hostsNetwork.link }
  return { place: second, options: { ...sentBy, ...askedFor(attempt) } }
}

/** Each host is asked everything at once: it reads its state once. */
async function askEach(world: World, questions: readonly Question[]): Promise<Answered[]> {
  const answers = new Map<Question, HostExplanation>()
  for (const place of new Set(questions.map((question) => question.place))) {
    const its = questions.filter((question) => question.place === place)
    const said = await world.host(place).bridgeHost.explainAll(its.map(({ options }) => options))
    for (const [index, question] of its.entries()) {
      const answer = said[index]
      if (answer) answers.set(question, answer)
    }
  }
  return questions.map((question) => {
    const answer = answers.get(question)
    if (answer === undefined) throw new Error('explain has no answer')
    return { question, answer }
  })
}

/** The other host, when the address is one of its own or of its containers'. */
function hostOfTarget(world: World, { target }: Attempt): HostName | undefined {
  for (const place of world.hosts.values()) {
    if (place.name === target.machine || place.setup.containers?.[target.machine]) return place.name
  }
  return undefined
}

function askedFor({
  target,
  port,
  family,
  sourcePort,
}: Attempt): Pick<ExplainOptions, 'to' | 'family' | 'sourcePort' | 'protocol' | 'port'> {
  const [number, protocol] = port.split('/')
  return {
    to: target.address,
    family,
    ...(sourcePort !== undefined && { sourcePort }),
    ...(protocol === undefined
      ? { protocol: 'icmp' }
      : { protocol: protocolOf(protocol), port: Number(number) }),
  }
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
