import { joinPath, type NfbridgeError } from '../errors.js'
import { quote, rejected } from './failure.js'
import { type IPAddress, parseAddress } from './ip.js'
import { formatRange, type PortRange, type Protocol, parsePortRange, parseProtocol } from './port.js'

/** Host ports that lead to ports of a container, one to one. */
export interface Publication {
  /** The address of the host that is published; without it, every one. */
  readonly hostAddress?: IPAddress
  readonly hostPorts: PortRange
  /** As many as `hostPorts`. */
  readonly containerPorts: PortRange
  readonly protocol: Protocol
}

/** A publication as a caller may write it; ports may be ranges, `'8000-8010'`. */
export interface PublicationOptions {
  readonly hostAddress?: string | undefined
  readonly hostPort: number | string
  readonly containerPort: number | string
  /** Default: tcp. */
  readonly protocol?: Protocol | undefined
}

const properties: readonly string[] = ['hostAddress', 'hostPort', 'containerPort', 'protocol']

/**
 * Parses `[hostAddress:]hostPort:containerPort[/protocol]`, the words of Docker's `--publish`, or the object form.
 * An IPv6 host address stands in brackets; ranges on both sides are equally long. The host port is required.
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
  return publication(
    given.hostAddress === undefined
      ? undefined
      : parseAddress(given.hostAddress, joinPath(path, 'hostAddress')),
    parsePortRange(given.hostPort, joinPath(path, 'hostPort')),
    parsePortRange(given.containerPort, joinPath(path, 'containerPort')),
    given.protocol === undefined ? 'tcp' : parseProtocol(given.protocol, joinPath(path, 'protocol')),
    path,
  )
}

/** The text that {@link parsePublication} reads. */
export function formatPublication(value: Publication): string {
  const address = value.hostAddress
  const host =
    address === undefined ? '' : address.family === 6 ? `[${address.toString()}]:` : `${address.toString()}:`
  return `${host}${formatRange(value.hostPorts)}:${formatRange(value.containerPorts)}/${value.protocol}`
}

function parseText(text: string, path: string | undefined): Publication {
  const slash = text.lastIndexOf('/')
  const protocol = slash < 0 ? 'tcp' : parseProtocol(text.slice(slash + 1), path)
  const rest = slash < 0 ? text : text.slice(0, slash)
  const bracketed = /^\[([^\]]*)\]:(.*)$/s.exec(rest)
  const parts = (bracketed?.[2] ?? rest).split(':')
  const [hostPort, containerPort] = parts.slice(-2)
  const hostAddress = bracketed ? bracketed[1] : parts.length === 3 ? parts[0] : undefined
  const fail = (reason: string): NfbridgeError =>
    rejected('NFB_INVALID_PORT', 'port.parse', `${quote(text)} is no publication: ${reason}`, path)
  if (hostPort === undefined || containerPort === undefined)
    throw fail('the host port is missing, write hostPort:containerPort')
  if (bracketed ? parts.length > 2 : parts.length > 3)
    throw fail(
      bracketed
        ? 'too many colons after the host address'
        : 'too many colons; an IPv6 host address stands in brackets',
    )
  if (bracketed && !hostAddress?.includes(':')) throw fail('only an IPv6 host address stands in brackets')
  return publication(
    hostAddress === undefined ? undefined : parseAddress(hostAddress, path),
    parsePortRange(hostPort, path),
    parsePortRange(containerPort, path),
    protocol,
    path,
  )
}

function publication(
  hostAddress: IPAddress | undefined,
  hostPorts: PortRange,
  containerPorts: PortRange,
  protocol: Protocol,
  path: string | undefined,
): Publication {
  if (hostPorts.last - hostPorts.first !== containerPorts.last - containerPorts.first)
    throw rejected(
      'NFB_INVALID_PORT',
      'port.parse',
      `the ranges ${formatRange(hostPorts)} and ${formatRange(containerPorts)} are not equally long`,
      path,
    )
  return Object.freeze({
    ...(hostAddress === undefined ? {} : { hostAddress }),
    hostPorts,
    containerPorts,
    protocol,
  })
}

function malformed(message: string, path: string | undefined): NfbridgeError {
  return rejected('NFB_INVALID_ARGUMENT', 'port.parse', message, path)
}
