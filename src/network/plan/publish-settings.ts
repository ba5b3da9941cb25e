import {
  Cidr,
  formatPublication,
  IPv6Address,
  type Publication,
  parsePublication,
} from '../../address/index.js'
import { joinPath, NfbridgeError } from '../../errors.js'
import { checkArray } from '../../input.js'
import type { PublishOption, PublishOptions } from '../options.js'
import { parseHelper } from './helpers.js'
import type { ContainerPort, PortChoice, PublishedPort } from './records.js'

/** A publication as it was asked for. */
export interface RequestedPublication {
  /** With `choice`, the host's ports are those of the container, in place of those that are still to be chosen. */
  readonly port: PublishedPort
  readonly choice: PortChoice | undefined
  /** Where it stands in the caller's input. */
  readonly path: string
}

const OPERATION = 'Container.publish'
const HIGHEST_PORT = 65_535

/** Each publication once. @throws NfbridgeError NFB_INVALID_PORT, NFB_INVALID_ADDRESS, NFB_INVALID_ARGUMENT */
export function parsePublished(publish: readonly PublishOption[], path: string): RequestedPublication[] {
  const requested = new Map<string, RequestedPublication>()
  checkArray(publish, OPERATION, path).forEach((option, index) => {
    const at = joinPath(path, index)
    const request = parseOption(option, at)
    requested.set(requestText(request), request)
  })
  return [...requested.values()]
}

/** Exposed ports that no publication names, each on a port of the host that is still to be chosen. @param path of what asks for it */
export function publishedBeside(
  published: readonly RequestedPublication[],
  exposed: readonly ContainerPort[],
  path: string,
): RequestedPublication[] {
  const named = new Map<string, Uint8Array>()
  for (const { port } of published) {
    const { protocol, containerPorts } = port
    const ports = named.get(protocol) ?? new Uint8Array(HIGHEST_PORT + 1)
    named.set(protocol, ports.fill(1, containerPorts.first, containerPorts.last + 1))
  }
  return exposed
    .filter(({ protocol, port }) => named.get(protocol)?.[port] !== 1)
    .map(({ protocol, port }) =>
      requestedPublication({ containerPorts: { first: port, last: port }, protocol }, path),
    )
}

/** As it was asked for. */
export function requestText({ port, choice }: Pick<RequestedPublication, 'port' | 'choice'>): string {
  const hostPorts = choice === 'dynamic' ? undefined : (choice ?? port.hostPorts)
  return formatPublication({ ...port, hostPorts })
}

function parseOption(option: PublishOption, path: string): RequestedPublication {
  // A number is a port of the container, as where ports are exposed.
  if (!isObject(option)) {
    return requestedPublication(
      parsePublication(typeof option === 'number' ? String(option) : option, path),
      path,
    )
  }
  const { helper, ...written } = option
  const request = requestedPublication(parsePublication(written, path), path)
  if (helper === undefined) return request
  const { port } = request
  return {
    ...request,
    port: { ...port, helper: parseHelper(helper, port.protocol, OPERATION, joinPath(path, 'helper')) },
  }
}

function isObject(option: PublishOption): option is PublishOptions {
  return typeof option === 'object' && option !== null && !Array.isArray(option)
}

/** @throws NfbridgeError NFB_INVALID_ADDRESS for a host address that nothing can be published on */
export function requestedPublication(publication: Publication, path: string): RequestedPublication {
  const { hostAddress, hostPorts, containerPorts, protocol } = publication
  if (hostAddress) checkHostAddress(hostAddress, OPERATION, path)
  const chosen = hostPorts === undefined || lengthOf(hostPorts) > lengthOf(containerPorts)
  return {
    port: { hostAddress, hostPorts: chosen ? containerPorts : hostPorts, containerPorts, protocol },
    choice: chosen ? (hostPorts ?? 'dynamic') : undefined,
    path,
  }
}

function lengthOf({ first, last }: PublishedPort['hostPorts']): number {
  return last - first
}

/** "This network", multicast, reserved and broadcast, IPv4 written as IPv6, and link-local, of which each interface has its own (RFC 6890, RFC 4291). */
const NO_HOSTS = ['0.0.0.0/8', '224.0.0.0/3', '::ffff:0:0/96', 'fe80::/10', 'ff00::/8'].map((text) =>
  Cidr.parse(text),
)

/** On which the kernel takes what comes from the host itself, and translates none of it to a container. */
export const LOOPBACK6: IPv6Address = IPv6Address.parse('::1')
export const LOOPBACK6_IS_DEAD =
  'IPv6 leads nothing from ::1 to another machine (it has no route_localnet); publish on 127.0.0.1, or on another address'

/** An address of the host, or `0.0.0.0` or `::` for every one. @throws NfbridgeError NFB_INVALID_ADDRESS */
export function checkHostAddress(
  address: NonNullable<Publication['hostAddress']>,
  operation: string,
  path: string,
): void {
  if (BigInt(address.value) === 0n) return
  const special = NO_HOSTS.find((reserved) => reserved.contains(address))
  if (!special) return
  throw new NfbridgeError({
    code: 'NFB_INVALID_ADDRESS',
    operation,
    message: `${address}: no port is published on addresses of ${special}`,
    path,
  })
}
