import {
  IPv4Address,
  MacAddress,
  type Publication,
  parseExpose,
  parsePublication,
} from '../../address/index.js'
import { joinPath, NfbridgeError } from '../../errors.js'
import { checkArray, checkObject, checkString } from '../../input.js'
import type { NamespaceSource } from '../../netns/index.js'
// Not from the folder's index, which loads the addon: parsing and planning need none.
import { checkInterfaceName } from '../../rtnl/names.js'
import type { ContainerOptions, LinkOption, PublishOption } from '../options.js'
import { checkContainerId, checkContainerName, checkHostName } from './identity.js'
import { type ContainerPort, type PublishedPort, portText, publishedText } from './records.js'

/** A link as it was asked for: who is meant is found when it is planned. */
export interface RequestedLink {
  readonly reference: string
  readonly alias: string
  /** Where it stands in the caller's input. */
  readonly path: string
}

/** A single port to publish. */
export interface RequestedPublication {
  readonly port: PublishedPort
  readonly path: string
}

/** {@link ContainerOptions}, checked; what has a default may still be chosen. */
export interface ContainerSettings {
  /** Where it stands in the caller's input: `containers[3]`, or empty. */
  readonly path: string
  readonly netns: NamespaceSource
  readonly name: string | undefined
  readonly id: string | undefined
  readonly hostname: string | undefined
  readonly address: IPv4Address | undefined
  readonly mac: MacAddress | undefined
  readonly interfaceName: string
  readonly exposed: readonly ContainerPort[]
  readonly published: readonly RequestedPublication[]
  readonly links: readonly RequestedLink[]
}

const ATTACH = 'Network.attach'

export function parseContainerOptions(options: ContainerOptions, path: string): ContainerSettings {
  checkObject(
    options,
    ['netns', 'name', 'id', 'hostname', 'address', 'mac', 'interfaceName', 'expose', 'publish', 'links'],
    ATTACH,
    path,
  )
  const at = (property: string): string => joinPath(path, property)
  const text = <T>(
    property: 'name' | 'id' | 'hostname' | 'address' | 'mac' | 'interfaceName',
    parse: (text: string, path: string) => T,
  ): T | undefined => {
    const value = options[property]
    return value === undefined ? undefined : parse(checkString(value, ATTACH, at(property)), at(property))
  }
  if (options.netns === undefined || options.netns === null) {
    throw new NfbridgeError({
      code: 'NFB_INVALID_ARGUMENT',
      operation: ATTACH,
      message: "the container's network namespace is missing",
      path: at('netns'),
    })
  }
  return {
    path,
    netns: options.netns,
    name: text('name', checkContainerName),
    id: text('id', checkContainerId),
    hostname: text('hostname', checkHostName),
    address: text('address', (value, where) => IPv4Address.parse(value, where)),
    mac: text('mac', (value, where) => MacAddress.parseUnicast(value, where)),
    interfaceName:
      text('interfaceName', (value, where) => checkInterfaceName(value, ATTACH, where)) ?? 'eth0',
    exposed: parseExposed(options.expose ?? [], at('expose')),
    published: parsePublished(options.publish ?? [], at('publish')),
    links: checkArray(options.links ?? [], ATTACH, at('links')).map((link, index) =>
      parseLink(link, joinPath(at('links'), index)),
    ),
  }
}

/** Each exposed port once, ranges expanded. */
function parseExposed(expose: readonly (string | number)[], path: string): ContainerPort[] {
  const ports = new Map<string, ContainerPort>()
  checkArray(expose, ATTACH, path).forEach((text, index) => {
    const written = typeof text === 'number' ? String(text) : text
    for (const { protocol, first } of parseExpose(written, joinPath(path, index)).expand()) {
      const port = { protocol, port: first }
      ports.set(portText(port), port)
    }
  })
  return [...ports.values()]
}

/** Each published port once, ranges expanded. */
export function parsePublished(publish: readonly PublishOption[], path: string): RequestedPublication[] {
  const requested = new Map<string, RequestedPublication>()
  checkArray(publish, ATTACH, path).forEach((option, index) => {
    const at = joinPath(path, index)
    for (const port of parsePublishOption(option, at)) requested.set(publishedText(port), { port, path: at })
  })
  return [...requested.values()]
}

/** The single ports of one publication. */
export function parsePublishOption(option: PublishOption, path: string): PublishedPort[] {
  const publication = parsePublication(option, path)
  const hostAddress = publishedAddress(publication, path)
  const { hostPorts, containerPorts, protocol } = publication
  return Array.from({ length: hostPorts.last - hostPorts.first + 1 }, (_, offset) => ({
    hostAddress,
    hostPort: hostPorts.first + offset,
    containerPort: containerPorts.first + offset,
    protocol,
  }))
}

/** `web`, `web:db` or the object form; without an alias it is the reference itself, as Docker has it. */
export function parseLink(option: LinkOption, path: string): RequestedLink {
  if (typeof option !== 'string') {
    checkObject(option, ['container', 'alias'], ATTACH, path)
    const reference = checkString(option.container, ATTACH, joinPath(path, 'container'))
    const alias =
      option.alias === undefined ? reference : checkString(option.alias, ATTACH, joinPath(path, 'alias'))
    return { reference, alias: checkHostName(alias, joinPath(path, 'alias')), path }
  }
  const [reference = '', alias = reference, ...rest] = option.split(':')
  if (reference === '' || rest.length > 0) {
    throw new NfbridgeError({
      code: 'NFB_INVALID_ARGUMENT',
      operation: ATTACH,
      message: `"${option}" is no link: name, id or short id, then ":" and the alias if it has another name`,
      path,
    })
  }
  return { reference, alias: checkHostName(alias, path), path }
}

/** 0.0.0.0 is every address, as Docker writes it. */
function publishedAddress(publication: Publication, path: string): IPv4Address | undefined {
  const address = publication.hostAddress
  if (address === undefined) return undefined
  if (address.family === 4) return address.value === 0 ? undefined : address
  throw new NfbridgeError({
    code: 'NFB_INVALID_ADDRESS',
    operation: ATTACH,
    message: `${address} is IPv6; a port is published on an IPv4 address of the host`,
    path,
  })
}
