/** What `host.explain` was asked, checked, and whom its ends stand for. */
import { type IPAddress, type Protocol, parseAddress, parseExpose, parsePort } from '../../address/index.js'
import { NfbridgeError } from '../../errors.js'
import { checkObject, checkOneOf, checkString } from '../../input.js'
import type { NamespaceSource } from '../../netns/index.js'
// Not from the folder's index, which loads the addon.
import { checkInterfaceName } from '../../rtnl/names.js'
import type { ContainerRecord, Family } from '../plan/records.js'
import type { Registry } from '../plan/registry.js'
import type { ExplainOptions, ExplainParty } from './explanation.js'

const OPERATION = 'BridgeHost.explain'

/** One end, by what is known of it. */
export type Party =
  | { readonly kind: 'container'; readonly container: ContainerRecord }
  | { readonly kind: 'host' }
  | { readonly kind: 'address'; readonly address: IPAddress }

export interface ExplainQuestion {
  readonly from: Party
  readonly to: Party
  readonly protocol: 'tcp' | 'udp' | 'sctp' | 'icmp'
  readonly port: number | undefined
  readonly sourcePort: number | undefined
  readonly family: Family | undefined
  readonly device: string | undefined
  /** By full id. */
  readonly namespaces: ReadonlyMap<string, NamespaceSource>
}

export function parseExplainOptions(options: ExplainOptions, registry: Registry): ExplainQuestion {
  checkObject(
    options,
    ['from', 'to', 'port', 'sourcePort', 'protocol', 'family', 'device', 'namespaces'],
    OPERATION,
    '',
  )
  const { family, device } = options
  // Who is asked about before what of them, so that of several inputs that are missing the first is told.
  const from = partyOf(options.from, registry, 'from')
  const to = partyOf(options.to, registry, 'to')
  const port = portOf(options.port, 'port')
  const sourcePort = portOf(options.sourcePort, 'sourcePort')
  const protocol = checkOneOf(
    options.protocol ?? port?.protocol ?? sourcePort?.protocol ?? 'tcp',
    ['tcp', 'udp', 'sctp', 'icmp'],
    OPERATION,
    'protocol',
  )
  if (protocol === 'icmp' && port !== undefined) throw invalid('icmp has no ports: leave it out', 'port')
  if (protocol === 'icmp' && sourcePort !== undefined)
    throw invalid('icmp has no ports: leave it out', 'sourcePort')
  if (protocol !== 'icmp' && port === undefined) throw invalid(`${protocol} needs a port`, 'port')
  for (const [path, given] of [
    ['port', port],
    ['sourcePort', sourcePort],
  ] as const) {
    if (given?.protocol === undefined || given.protocol === protocol) continue
    throw invalid(`${given.number}/${given.protocol} is no port of ${protocol}`, path)
  }
  if (family !== undefined && family !== 4 && family !== 6) throw invalid('4 or 6 is expected', 'family')
  return {
    from,
    to,
    protocol,
    port: port?.number,
    sourcePort: sourcePort?.number,
    family,
    device:
      device === undefined
        ? undefined
        : checkInterfaceName(checkString(device, OPERATION, 'device'), OPERATION, 'device'),
    namespaces: namespacesOf(options.namespaces ?? {}, registry),
  }
}

/** A port as a number, or as `expose` has it. */
function portOf(
  given: number | string | undefined,
  path: string,
): { readonly number: number; readonly protocol: Protocol | undefined } | undefined {
  if (given === undefined) return undefined
  if (typeof given !== 'string' || !given.includes('/'))
    return { number: parsePort(given, path), protocol: undefined }
  const { first, last, protocol } = parseExpose(given, path)
  if (first === last) return { number: first, protocol }
  throw invalid(`"${given}" is more than one port, and a connection is to one`, path)
}

function partyOf(given: ExplainParty, registry: Registry, path: string): Party {
  if (typeof given === 'object' && given !== null) {
    const container = registry.container(checkString(given.id, OPERATION, `${path}.id`))
    if (container) return containerParty(container)
    throw notFound(`the container ${given.id} is not attached (any more)`, path)
  }
  const text = checkString(given, OPERATION, path)
  if (text === 'host') return { kind: 'host' }
  const container = registry.find(text)
  if (container) return containerParty(container)
  try {
    return { kind: 'address', address: parseAddress(text) }
  } catch (error) {
    if (!(error instanceof NfbridgeError)) throw error
    const [named] = registry.withHostName(text)
    throw notFound(
      named
        ? `"${text}" is the host name of "${named.name}"; a host name is not a container's name or id`
        : `"${text}" is neither a container's name, id or short id, nor "host", nor an IP address`,
      path,
    )
  }
}

/** A container with the host's network is the host. */
function containerParty(container: ContainerRecord): Party {
  return container.state === 'host' ? { kind: 'host' } : { kind: 'container', container }
}

function namespacesOf(
  given: Readonly<Record<string, NamespaceSource>>,
  registry: Registry,
): Map<string, NamespaceSource> {
  checkObject(given, Object.keys(given), OPERATION, 'namespaces')
  const namespaces = new Map<string, NamespaceSource>()
  for (const [reference, source] of Object.entries(given)) {
    const container = registry.find(reference)
    if (!container) throw notFound(`there is no container "${reference}"`, `namespaces.${reference}`)
    namespaces.set(container.id, source)
  }
  return namespaces
}

function invalid(message: string, path: string): NfbridgeError {
  return new NfbridgeError({ code: 'NFB_INVALID_ARGUMENT', operation: OPERATION, message, path })
}

export function notFound(message: string, path: string): NfbridgeError {
  return new NfbridgeError({ code: 'NFB_NOT_FOUND', operation: OPERATION, message, path })
}
