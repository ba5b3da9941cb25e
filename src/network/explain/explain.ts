/** `host.explain`: whether a connection would come about, and why, from the kernel's state. */
import { joinPath, NfbridgeError } from '../../errors.js'
import { explainPath, hasAddress, type NamespaceState, type Sender } from '../../explain/index.js'
import { checkArray } from '../../input.js'
import type { HostContext } from '../apply/host-context.js'
import { inOperation } from '../apply/steps.js'
import type { Family } from '../plan/records.js'
import type { Registry } from '../plan/registry.js'
import { familiesOf, targetAddress } from './ends.js'
import type { ExplainOptions, HostExplanation } from './explanation.js'
import { HOST, HostReading } from './host-reading.js'
import { HostWorld, hasBeenGiven } from './host-world.js'
import { type ExplainQuestion, notFound, type Party, parseExplainOptions } from './question.js'
import { reasonOf, stepOf } from './reason.js'
import { Wording } from './wording.js'

/** @throws NfbridgeError NFB_NOT_FOUND, NFB_INVALID_ARGUMENT, NFB_INVALID_PORT, NFB_NAMESPACE_GONE, NFB_NOT_PERMITTED */
export async function explain(context: HostContext, options: ExplainOptions): Promise<HostExplanation> {
  const question = parseExplainOptions(options, context.registry)
  return readOnce(context, (reading) => answer(reading, context, question))
}

/** The answers to several questions, from one reading. Each error tells of which question it is: `questions[3].port`. */
export async function explainAll(
  context: HostContext,
  list: readonly ExplainOptions[],
): Promise<HostExplanation[]> {
  const questions = checkArray(list, 'BridgeHost.explainAll', 'questions').map((options, index) => {
    try {
      return parseExplainOptions(options, context.registry)
    } catch (error) {
      throw ofQuestion(error, index)
    }
  })
  if (questions.length === 0) return []
  return readOnce(context, async (reading) => {
    const answers: HostExplanation[] = []
    for (const [index, question] of questions.entries()) {
      try {
        answers.push(await answer(reading, context, question))
      } catch (error) {
        throw ofQuestion(error, index)
      }
    }
    return answers
  })
}

async function readOnce<T>(
  { kernel, namespaces }: HostContext,
  work: (reading: HostReading) => Promise<T>,
): Promise<T> {
  const reading = await HostReading.read(kernel, namespaces)
  try {
    return await work(reading)
  } finally {
    reading.close()
  }
}

function ofQuestion(error: unknown, index: number): unknown {
  if (!(error instanceof NfbridgeError)) return error
  const path = joinPath(joinPath('questions', index), error.path ?? '')
  return inOperation(error, 'BridgeHost.explainAll', { path })
}

async function answer(
  reading: HostReading,
  { registry, settings: { firewall } }: HostContext,
  question: ExplainQuestion,
): Promise<HostExplanation> {
  const stopped = whoIsStopped(question)
  if (stopped !== undefined) return notRunning(stopped)
  const world = new HostWorld(reading, registry, question.namespaces)
  const { from, protocol, port, sourcePort } = question
  const { host } = world
  requireDevice(question, host)
  const to = ofContainer(question.to, registry)
  const family = familyOf(question, host)
  const address = family && targetAddress(registry, host, from, question.to, family)
  if (family === undefined || address === undefined) return noCommonFamily(question, host)
  const sender = await senderOf(question, registry, world, family)
  const explanation = await explainPath(world, {
    from: sender,
    to: address,
    protocol: protocol === 'icmp' && family === 6 ? 'icmpv6' : protocol,
    ...(port !== undefined && { port }),
    ...(sourcePort !== undefined && { sourcePort }),
  })
  const wording = new Wording(registry, world, { from, to, address, protocol, port, firewall })
  const answered: HostExplanation = {
    reached: explanation.reached,
    ...(explanation.seen !== undefined && { seen: explanation.seen }),
    ...(explanation.target && {
      target: { ...explanation.target, namespace: world.ownerAt(explanation.target) },
    }),
    ...wording.of(explanation),
    decisive: reasonOf(explanation, world),
    steps: explanation.steps.map(stepOf),
    assumed: world.assumed,
  }
  const [tooLarge] = world.tooLarge
  return tooLarge && answered.reached === true ? uncertain(answered, tooLarge) : answered
}

/** What would pass if a container were as it was configured: of what it has inside not all was read. */
function uncertain(
  answered: HostExplanation,
  [namespace, tooLarge]: readonly [name: string, sentence: string],
): HostExplanation {
  return {
    ...answered,
    reached: 'unknown',
    because: `${tooLarge}; as ${namespace} was configured: ${answered.because}`,
    remedy: `see what ${namespace} has put into its namespace: \`ip link\`, \`ip route\`, \`nft list ruleset\` there`,
    decisive: { kind: 'unknown', namespace, value: tooLarge },
  }
}

/** @throws NfbridgeError NFB_NOT_FOUND: a packet can't come in by a link that is not there */
function requireDevice({ device }: ExplainQuestion, host: NamespaceState): void {
  if (device === undefined || host.links.some(({ name }) => name === device)) return
  throw notFound(`the host has no interface "${device}"`, 'device')
}

/** An address that a container was given means the container, for the words. */
function ofContainer(party: Party, registry: Registry): Party {
  if (party.kind !== 'address') return party
  const text = party.address.toString()
  for (const container of registry.containers)
    if (hasBeenGiven(container, text)) return { kind: 'container', container }
  return party
}

async function senderOf(
  { from, device }: ExplainQuestion,
  registry: Registry,
  world: HostWorld,
  family: Family,
): Promise<Sender> {
  const { host } = world
  if (from.kind === 'host') return { kind: 'namespace', state: host }
  if (from.kind === 'container') return { kind: 'namespace', state: await world.container(from.container) }
  const source = from.address.toString()
  if (device === undefined) {
    const owner = ofContainer(from, registry)
    if (owner.kind === 'container')
      return { kind: 'namespace', state: await world.container(owner.container), source }
    if (hasAddress(host, source) || isLoopback(source, family))
      return { kind: 'namespace', state: host, source }
  }
  return { kind: 'outside', address: source, ...(device !== undefined && { device }) }
}

function isLoopback(address: string, family: Family): boolean {
  return family === 4 ? address.startsWith('127.') : address === '::1'
}

/** The family that is asked for, or IPv4 where both have it; undefined: they have none in common. */
function familyOf({ from, to, family }: ExplainQuestion, host: NamespaceState): Family | undefined {
  const [sends, takes] = [familiesOf(from, host), familiesOf(to, host)]
  return ([4, 6] as const).find(
    (each) => (family === undefined || family === each) && sends.includes(each) && takes.includes(each),
  )
}

function noCommonFamily(question: ExplainQuestion, host: NamespaceState): HostExplanation {
  const { from, to, family } = question
  const lacking = [from, to].find((each) =>
    family === undefined ? familiesOf(each, host).length === 0 : !familiesOf(each, host).includes(family),
  )
  const because =
    lacking && family !== undefined
      ? `${nameOf(lacking)} has no IPv${family} address`
      : lacking
        ? `${nameOf(lacking)} has no address: it is on no network`
        : `${nameOf(from)} and ${nameOf(to)} have no address family in common`
  return refused(
    because,
    lacking?.kind === 'container'
      ? `connect ${nameOf(lacking)} to a network that has such addresses`
      : 'ask for a family that both have',
    { kind: 'address', namespace: nameOf(lacking ?? to) },
  )
}

function nameOf(party: Party): string {
  if (party.kind === 'host') return HOST
  return party.kind === 'container' ? party.container.name : party.address.toString()
}

function whoIsStopped({ from, to }: ExplainQuestion): string | undefined {
  for (const party of [from, to])
    if (party.kind === 'container' && party.container.state === 'stopped') return party.container.name
  return undefined
}

function notRunning(name: string): HostExplanation {
  return refused(`${name} is stopped: it has no interface`, `start it: container('${name}').start()`, {
    kind: 'container',
    namespace: name,
    value: 'stopped',
  })
}

function refused(because: string, remedy: string, decisive: HostExplanation['decisive']): HostExplanation {
  return { reached: false, because, remedy, decisive, steps: [], assumed: [] }
}
