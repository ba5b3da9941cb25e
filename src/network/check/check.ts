/** `host.check`: what of the kernel's state keeps our networks from working, with what mends it. */
import { NfbridgeError } from '../../errors.js'
import { Namespace } from '../../netns/index.js'
import type { HostContext } from '../apply/host-context.js'
import { retryHostsFiles } from '../apply/hosts-files.js'
import { readLegacyTables } from '../apply/legacy-tables.js'
import { HostReading } from '../explain/host-reading.js'
import { HostWorld } from '../explain/host-world.js'
import { standingEndpoints } from '../plan/records.js'
import { bridgeFindings } from './bridges.js'
import { connectionFindings } from './connections.js'
import type { CheckFacts } from './facts.js'
import type { Finding } from './finding.js'
import { foreignFindings } from './foreign-chains.js'
import { forwardedFindings } from './forwarded.js'
import { hostAddressFindings } from './host-addresses.js'
import { insideFindings, tooLargeFindings } from './insides.js'
import { kernelLimitFindings } from './kernel-limits.js'
import { managerFindings } from './managers.js'
import { routeFindings } from './routes.js'
import { settingFindings } from './settings.js'
import { stoppedTraffic } from './stopped-traffic.js'
import { tableFindings } from './tables.js'
import { unseenUserRules } from './unseen-user-rules.js'

/** Errors first. */
export async function check(context: HostContext): Promise<Finding[]> {
  const { registry, kernel, namespaces } = context
  // What others have just written is no finding.
  await context.othersCommitted()
  const reading = await HostReading.read(kernel, namespaces)
  try {
    return sorted([
      ...(await findingsOf(context, new HostWorld(reading, registry))),
      ...(await unreservedFindings(context)),
      ...hostsFileFindings(context),
    ])
  } finally {
    reading.close()
  }
}

async function findingsOf(context: HostContext, world: HostWorld): Promise<Finding[]> {
  const facts = await readFacts(context, world)
  const found = [
    ...bridgeFindings(facts),
    ...(await settingFindings(facts)),
    ...(await unseenUserRules(facts)),
    ...routeFindings(facts),
    ...tableFindings(facts),
    ...connectionFindings(facts),
    ...kernelLimitFindings(facts),
    ...hostAddressFindings(facts),
    ...(await insideFindings(facts, world)),
  ]
  const { foreign, findings } = await stoppedTraffic(facts, world, found)
  return [
    ...found,
    ...findings,
    ...tooLargeFindings(world),
    ...(await foreignFindings(facts, foreign)),
    ...forwardedForOthers(facts),
    ...(await managed(context, facts)),
  ]
}

/** What those say who manage the machine's interfaces. Of another namespace they know nothing. */
async function managed({ kernel }: HostContext, { state, registry }: CheckFacts): Promise<Finding[]> {
  using own = Namespace.current()
  if (own.inode !== kernel.namespace.inode) return []
  const bridges = new Set(
    [...registry.networks].flatMap((network) => (network.adopted ? [] : network.bridges)),
  )
  const ports = new Set(
    [...registry.containers].flatMap(standingEndpoints).map(({ hostInterface }) => hostInterface),
  )
  return managerFindings(
    '/run',
    state.links.filter(({ name }) => bridges.has(name) || ports.has(name)),
  )
}

/** What others have the host forward, where a policy that nobody asked for drops it. */
function forwardedForOthers({ state, table, registry, settings }: CheckFacts): Finding[] {
  const bridges = new Set([...registry.networks].flatMap((network) => network.bridges))
  if (!settings.firewall || settings.forwardPolicy !== 'auto' || bridges.size === 0) return []
  return forwardedFindings({ state, table, bridges, drop: registry.policy.drop, stands: true })
}

function sorted(findings: Finding[]): Finding[] {
  const rank = ({ severity }: Finding): number => (severity === 'error' ? 0 : 1)
  return findings.sort((one, other) => rank(one) - rank(other))
}

async function readFacts(
  { kernel, registry, settings, adoptedBridges }: HostContext,
  { host: state }: HostWorld,
): Promise<CheckFacts> {
  const tables = await kernel.listTables()
  const [legacyTables, backlog] = [await readLegacyTables(kernel.namespace), await readBacklog()]
  const ofOthers = (await kernel.otherHosts()).flatMap(({ bridges }) => bridges)
  const gatewaysOfOthers = [...adoptedBridges.values()].flatMap(({ gateways }) => gateways)
  return {
    state,
    table: kernel.table,
    tables,
    conditions: kernel.conditions,
    ofOthers,
    gatewaysOfOthers,
    registry,
    settings,
    legacyTables,
    backlog,
  }
}

/** The first namespace of the machine alone has it; a process in another one does not see it. */
async function readBacklog(): Promise<number | undefined> {
  const namespace = Namespace.current()
  try {
    return Number(await namespace.readSysctl('net/core/netdev_max_backlog'))
  } catch (error) {
    if (error instanceof NfbridgeError) return undefined
    throw error
  } finally {
    namespace.close()
  }
}

/** Ports that others had when the host was opened: those that are free by now are reserved. */
async function unreservedFindings(context: HostContext): Promise<Finding[]> {
  const taken: HostContext['unreservedPorts'][number][] = []
  for (const { protocol, address, port } of context.unreservedPorts) {
    try {
      await context.reservations.reserve([{ protocol, address, port }])
    } catch (error) {
      if (!(error instanceof NfbridgeError)) throw error
      taken.push({ protocol, address, port, reason: error.reason })
    }
  }
  context.unreservedPorts = taken
  return taken.map(({ protocol, address, port, reason }) => ({
    code: 'port-unreserved',
    severity: 'warning',
    subject: `${port}/${protocol}`,
    message: `port ${port}/${protocol} of ${address} is published, and not kept from others: ${reason}`,
    remedy: 'end the program that listens there, or publish another port; the next check reserves it',
  }))
}

/** Hosts files that could not be written: those that can be by now are. */
function hostsFileFindings(context: HostContext): Finding[] {
  context.unwrittenHostsFiles = retryHostsFiles(context.unwrittenHostsFiles, context.registry)
  return [...context.unwrittenHostsFiles.values()].map(({ file, container, reason }) => ({
    code: 'hosts-file-unwritten',
    severity: 'warning',
    subject: container,
    message: `the hosts file ${file} of ${container} does not have the lines that it should: ${reason}`,
    remedy: `make ${file} a file that can be written, in a directory that can be; the next check writes it`,
  }))
}
