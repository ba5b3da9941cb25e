/** Compares what `host.explain` says with what real packets did, for every probe. */
import type { ExplainOptions, HostExplanation, NamespaceSource } from 'nfbridge'
import { hostsNetwork } from '../lab/wiring.js'
import { containerEndpoints } from './facts.js'
import { attemptText, type ProbeResult, type Seen, seenText } from './probes.js'
import type { Finding } from './run.js'
import type { Attempt } from './universe.js'
import type { HostName, World } from './world.js'

/** What was said of a probe by the host that it begins at and, where it leaves that one for the other, by that one too. */
interface Said {
  readonly reached: boolean | 'unknown'
  /** Who gets it, and from where it seems to come. */
  readonly server?: string
  readonly source?: string
  readonly because: string
}

/** A finding for each probe: explain's yes or no is that of the packets, and so are who got them and from where. */
export async function explained(
  world: World,
  results: readonly ProbeResult[],
  stage: string,
): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const { attempt, seen } of results) {
    const said = await ask(world, attempt)
    findings.push({
      stage,
      what: `explain ${attemptText(attempt)}`,
      expected: seenText(seen),
      got: saidText(said),
      ok: agrees(said, seen),
    })
  }
  return findings
}

/** Who refuses was reached, unless rules say that it is they who refuse. */
function agrees({ reached, server, source, because }: Said, seen: Seen): boolean {
  if (seen.kind === 'refused') return reached === true || /reject/.test(because)
  if (seen.kind !== 'reached') return reached === false
  const same = (said: string | undefined, got: string | undefined) => got === undefined || said === got
  return reached === true && same(server, seen.server) && same(source, seen.source)
}

function saidText({ reached, server, source, because }: Said): string {
  if (reached !== true) return `${reached === false ? 'not reached' : 'unknown'}: ${because}`
  return `reached ${server ?? 'nobody known'} as ${source ?? 'nobody known'}: ${because}`
}

async function ask(world: World, attempt: Attempt): Promise<Said> {
  const { from, target, family, port } = attempt
  const start = from.host ?? 'host'
  const sender = from.kind === 'host' ? 'host' : from.kind === 'container' ? from.name : addressOf(attempt)
  const first = await explain(world, start, { ...portOf(port), from: sender, to: target.address, family })
  const said = saidBy(first, start)
  if (first.reached !== true || first.target?.namespace !== 'outside') return said
  const other: HostName = start === 'host' ? 'host2' : 'host'
  if (!isOf(world, other, target.address) || first.seen === undefined)
    return { ...said, ...outsider(world, target) }
  const device = hostsNetwork.link
  const second = await explain(world, other, {
    ...portOf(port),
    from: first.seen,
    to: target.address,
    device,
  })
  return { ...saidBy(second, other), because: `${other}: ${second.because}` }
}

function explain(world: World, name: HostName, options: ExplainOptions): Promise<HostExplanation> {
  const { bridgeHost } = world.host(name)
  const namespaces: Record<string, NamespaceSource> = {}
  for (const { name: container, state } of bridgeHost.containers) {
    const machine = world.machines.find((each) => each.name === container)
    if (machine && state === 'running') namespaces[container] = machine.namespace
  }
  return bridgeHost.explain({ ...options, namespaces })
}

function saidBy({ reached, seen, target, because }: HostExplanation, name: HostName): Said {
  const server = target?.namespace === 'the host' ? name : target?.namespace
  return {
    reached,
    because,
    ...(server !== undefined && { server }),
    ...(seen !== undefined && { source: seen }),
  }
}

/** Who is outside, by the name that the probe has for it. */
function outsider(world: World, { machine }: Attempt['target']): { readonly server?: string } {
  return world.machines.some(({ name }) => name === machine) ? { server: machine } : {}
}

/** Whether an address is the other host's, or one of its containers'. */
function isOf(world: World, name: HostName, address: string): boolean {
  const place = world.hosts.get(name)
  if (!place) return false
  const own: readonly string[] =
    name === 'host2' ? [hostsNetwork.outsideAddress, hostsNetwork.outsideAddress6] : []
  if (own.includes(address)) return true
  return place.bridgeHost.containers.some((container) =>
    containerEndpoints(place.bridgeHost, container.name).some(({ addresses }) => addresses.includes(address)),
  )
}

function addressOf({ from, family }: Attempt): string {
  const found = from.addresses.find((address) => address.family === family)
  if (!found) throw new Error(`${from.name} has no IPv${family} address`)
  return found.address
}

function portOf(text: string): Pick<ExplainOptions, 'port' | 'protocol'> {
  const [number, protocol] = text.split('/')
  if (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'sctp') return { protocol: 'icmp' }
  return { port: Number(number), protocol }
}
