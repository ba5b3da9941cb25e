import { joinPath, type NfbridgeError } from '../errors.js'
import { quote, rejected } from './failure.js'
import { type IPAddress, parseAddress } from './ip.js'
import {
  formatRange,
  type PortRange,
  type Protocol,
  parseExpose,
  parsePortRange,
  parseProtocol,
} from './port.js'

/** Host ports that lead to ports of a container, one to one. */
export interface Publication {
  /** The address of the host that is published: `0.0.0.0` is every IPv4 address, `::` every IPv6 address. Without it: both. */
  readonly hostAddress?: IPAddress
  /** As many as `containerPorts`; several for one port of the container: the first that is free. Without it: any free one. */
  readonly hostPorts?: PortRange
  readonly containerPorts: PortRange
  readonly protocol: Protocol
}

/** A publication as a caller may write it; ports may be ranges, `'8000-8010'`. */
export interface PublicationOptions {
  /** `0.0.0.0`: every IPv4 address of the host. `::`: every IPv6 address. Default: both. */
  readonly hostAddress?: string | undefined
  /** A range for one port of the container: the first that is free. Default, and 0: any free one. */
  readonly hostPort?: number | string | undefined
  /** 80, `8000-8010`, or with its protocol as a port is exposed, `80/udp`. */
  readonly containerPort: number | string
  /** Default: that of `containerPort`, or tcp. */
  readonly protocol?: Protocol | undefined
}

const properties: readonly string[] = ['hostAddress', 'hostPort', 'containerPort', 'protocol']

/**
 * Parses `[[hostAddress:]hostPort:]containerPort[/protocol]`, the words of Docker's `--publish`, or the object form. An IPv6 host
 * address stands in brackets. Ranges on both sides are equally long, or the container's is one port. An empty host port,
 * `127.0.0.1::80`, is none.
 * @param path where the publication stands in the caller's input, for the error
 * @throws NfbridgeError NFB_INVALID_PORT, NFB_INVALID_ADDRESS, NFB_INVALID_ARGUMENT (neither a string nor such an object)
 */
export function parsePublication(given: string | PublicationOptions, path?: string): Publication {
  if (typeof given === 'string') return parseText(given, path)
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw malformed(`${quote(given)} is neither a text such as "8080:80/tcp" nor an object`, path)
  // A misspelt hostAddress that is passed over would publish on every address.
  for (const key of Object.keys(given))
    if (!properties.includes(key))
      throw malformed(
        `a publication has no property ${quote(key)}, only ${properties.join(', ')}`,
        joinPath(path, key),
      )
  const { container, protocol } = containerPorts(given, path)
  return publication(
    given.hostAddress === undefined
      ? undefined
      : parseAddress(given.hostAddress, joinPath(path, 'hostAddress')),
    given.hostPort === undefined || given.hostPort === 0
      ? undefined
      : parsePortRange(given.hostPort, joinPath(path, 'hostPort')),
    container,
    protocol,
    path,
  )
}

function containerPorts(
  { containerPort, protocol: given }: PublicationOptions,
  path: string | undefined,
): { readonly container: PortRange; readonly protocol: Protocol } {
  const at = joinPath(path, 'containerPort')
  const protocol = given === undefined ? undefined : parseProtocol(given, joinPath(path, 'protocol'))
  if (typeof containerPort !== 'string' || !containerPort.includes('/'))
    return { container: parsePortRange(containerPort, at), protocol: protocol ?? 'tcp' }
  const { first, last, protocol: written } = parseExpose(containerPort, at)
  if (protocol !== undefined && protocol !== written)
    throw rejected('NFB_INVALID_PORT', 'port.parse', `${quote(containerPort)} is no port of ${protocol}`, at)
  return { container: Object.freeze({ first, last }), protocol: written }
}

/** The text that {@link parsePublication} reads. */
export function formatPublication({
  hostAddress,
  hostPorts,
  containerPorts,
  protocol,
}: Readonly<
  Partial<Record<'hostAddress', IPAddress | undefined> & Record<'hostPorts', PortRange | undefined>>
> &
  Pick<Publication, 'containerPorts' | 'protocol'>): string {
  const container = `${formatRange(containerPorts)}/${protocol}`
  const ports = hostPorts === undefined ? '' : formatRange(hostPorts)
  if (hostAddress === undefined) return ports === '' ? container : `${ports}:${container}`
  return `${hostAddress.family === 6 ? `[${hostAddress}]` : hostAddress}:${ports}:${container}`
}

function parseText(text: string, path: string | undefined): Publication {
  const slash = text.lastIndexOf('/')
  const protocol = slash < 0 ? 'tcp' : parseProtocol(text.slice(slash + 1), path)
  const rest = slash < 0 ? text : text.slice(0, slash)
  const bracketed = /^\[([^\]]*)\]:(.*)$/s.exec(rest)
  const parts = (bracketed?.[2] ?? rest).split(':')
  const fail = (reason: string): NfbridgeError =>
    rejected('NFB_INVALID_PORT', 'port.parse', `${quote(text)} is no publication: ${reason}`, path)
  if (parts.length > (bracketed ? 2 : 3))
    throw fail(
      bracketed
        ? 'too many colons after the host address'
        : 'too many colons; an IPv6 host address stands in brackets',
    )
  if (bracketed && !bracketed[1]?.includes(':')) throw fail('only an IPv6 host address stands in brackets')
  if (bracketed && parts.length < 2)
    throw fail('behind a host address stand the ports of the host and of the container')
  const containerPort = parts.at(-1) ?? ''
  const hostPort = parts.at(-2) ?? ''
  const hostAddress = bracketed?.[1] ?? parts.at(-3) ?? ''
  return publication(
    hostAddress === '' ? undefined : parseAddress(hostAddress, path),
    hostPort === '' ? undefined : parsePortRange(hostPort, path),
    parsePortRange(containerPort, path),
    protocol,
    path,
  )
}

function publication(
  hostAddress: IPAddress | undefined,
  hostPorts: PortRange | undefined,
  containerPorts: PortRange,
  protocol: Protocol,
  path: string | undefined,
): Publication {
  if (hostPorts && count(containerPorts) > 1 && count(hostPorts) !== count(containerPorts))
    throw rejected(
      'NFB_INVALID_PORT',
      'port.parse',
      `the ranges ${formatRange(hostPorts)} and ${formatRange(containerPorts)} are not equally long`,
      path,
    )
  return Object.freeze({
    ...(hostAddress === undefined ? {} : { hostAddress }),
    ...(hostPorts === undefined ? {} : { hostPorts }),
    containerPorts,
    protocol,
  })
}

function count({ first, last }: PortRange): number {
  return last - first + 1
}

function malformed(message: string, path: string | undefined): NfbridgeError {
  return rejected('NFB_INVALID_ARGUMENT', 'port.parse', message, path)
}
