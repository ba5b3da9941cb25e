import { parseExpose } from '../../address/index.js'
import { joinPath, NfbridgeError } from '../../errors.js'
import { checkArray, checkBoolean, checkObject, checkPath, checkString } from '../../input.js'
import type { NamespaceSource } from '../../netns/index.js'
import { readProperty } from '../../read-input.js'
import type {
  ConnectOptions,
  ContainerOptions,
  ExposeOption,
  HostContainerOptions,
  LinkOption,
  StartOptions,
} from '../options.js'
import { parseAddHosts } from './add-hosts.js'
import { CONNECTION_PROPERTIES, type ConnectionLimits, parseConnectionLimits } from './connections.js'
import { ENDPOINT_PROPERTIES, type EndpointSettings, parseEndpointOptions } from './endpoint-settings.js'
import { checkContainerId, checkContainerName, checkHostName, isHostName } from './identity.js'
import { type Labelled, parseLabels } from './labels.js'
import { parsePublished, publishedBeside, type RequestedPublication } from './publish-settings.js'
import { type AddedHost, type ContainerPort, type ContainerRecord, portText } from './records.js'

/** A link as it was asked for: who is meant is found when it is planned. */
export interface RequestedLink {
  readonly reference: string
  /** Undefined: the server's name. */
  readonly alias: string | undefined
  /** Where it stands in the caller's input. */
  readonly path: string
}

/** A link that is to go. */
export interface UnlinkRequest {
  readonly reference: string
  readonly alias: string | undefined
  /** The reference is an alias, where there is one. */
  readonly mayBeAlias: boolean
}

/** {@link ContainerOptions}, checked; what has a default may still be chosen. */
export interface ContainerSettings extends Labelled, ConnectionLimits {
  /** Where it stands in the caller's input: `containers[3]`, or empty. */
  readonly path: string
  readonly netns: NamespaceSource
  /** See {@link ContainerRecord.netnsProcess}; told by who opens it. */
  readonly netnsProcess?: string | undefined
  readonly name: string | undefined
  readonly id: string | undefined
  readonly hostname: string | undefined
  readonly domainname: string | undefined
  readonly addHosts: readonly AddedHost[]
  readonly endpoint: EndpointSettings
  readonly exposed: readonly ContainerPort[]
  readonly published: readonly RequestedPublication[]
  readonly links: readonly RequestedLink[]
  readonly hostsFile: string | undefined
}

/** {@link ConnectOptions}, checked. */
export interface ConnectSettings {
  readonly netns: NamespaceSource | undefined
  readonly netnsProcess?: string | undefined
  readonly endpoint: EndpointSettings
  readonly links: readonly RequestedLink[]
}

/** {@link HostContainerOptions}, checked. */
export interface HostContainerSettings extends Labelled {
  readonly name: string | undefined
  readonly id: string | undefined
}

const ATTACH = 'Network.attach'
const CONNECT = 'Container.connect'
const START = 'Container.start'
const ADD_HOST = 'BridgeHost.addHostContainer'

/** The properties of {@link ContainerOptions} that are not of its endpoint. */
const CONTAINER_PROPERTIES: readonly string[] = [
  'netns',
  'name',
  'id',
  'hostname',
  'domainname',
  'addHosts',
  'expose',
  'publish',
  'publishAll',
  'links',
  'hostsFile',
  'labels',
  ...CONNECTION_PROPERTIES,
]

export function parseContainerOptions(options: ContainerOptions, path: string): ContainerSettings {
  checkObject(options, [...CONTAINER_PROPERTIES, ...ENDPOINT_PROPERTIES], ATTACH, path)
  const at = (property: string): string => joinPath(path, property)
  if (options.netns === undefined || options.netns === null) {
    throw invalid(ATTACH, "the container's network namespace is missing", at('netns'))
  }
  const { name, id, hostsFile, publishAll = false } = options
  const hostName = (property: 'hostname' | 'domainname'): string | undefined => {
    const value = options[property]
    return value === undefined
      ? undefined
      : checkHostName(checkString(value, ATTACH, at(property)), at(property))
  }
  const exposed = parseExposed(options.expose ?? [], at('expose'))
  const published = parsePublished(options.publish ?? [], at('publish'))
  return {
    path,
    netns: options.netns,
    name:
      name === undefined ? undefined : checkContainerName(checkString(name, ATTACH, at('name')), at('name')),
    id: id === undefined ? undefined : checkContainerId(checkString(id, ATTACH, at('id')), at('id')),
    hostname: hostName('hostname'),
    domainname: hostName('domainname'),
    addHosts: parseAddHosts(options.addHosts ?? [], ATTACH, at('addHosts')),
    endpoint: parseEndpointOptions(options, ATTACH, path),
    exposed,
    published: checkBoolean(publishAll, ATTACH, at('publishAll'))
      ? [...published, ...publishedBeside(published, exposed, at('publishAll'))]
      : published,
    links: parseLinks(options.links ?? [], ATTACH, at('links')),
    hostsFile: hostsFile === undefined ? undefined : checkFile(hostsFile, at('hostsFile')),
    ...parseLabels(options.labels, ATTACH, at('labels')),
    ...parseConnectionLimits(options, ATTACH, path),
  }
}

/** Options of {@link Container.connect}. */
export function parseConnectOptions(options: ConnectOptions): ConnectSettings {
  checkObject(options, ['netns', 'links', ...ENDPOINT_PROPERTIES], CONNECT, '')
  return {
    netns: options.netns,
    endpoint: parseEndpointOptions(options, CONNECT, ''),
    links: parseLinks(options.links ?? [], CONNECT, 'links'),
  }
}

/** Options of {@link Container.start}: the namespace, where it is another one. */
export function parseStartOptions(options: StartOptions): NamespaceSource | undefined {
  return checkObject(options, ['netns'], START, '').netns
}

/** Options of {@link BridgeHost.addHostContainer}. */
export function parseHostContainerOptions(options: HostContainerOptions): HostContainerSettings {
  const { name, id, labels } = checkObject(options, ['name', 'id', 'labels'], ADD_HOST, '')
  return {
    name: name === undefined ? undefined : checkContainerName(checkString(name, ADD_HOST, 'name'), 'name'),
    id: id === undefined ? undefined : checkContainerId(checkString(id, ADD_HOST, 'id'), 'id'),
    ...parseLabels(labels, ADD_HOST),
  }
}

/** Each exposed port once, ranges expanded. @throws NfbridgeError NFB_INVALID_PORT, NFB_INVALID_ARGUMENT */
export function parseExposed(expose: readonly ExposeOption[], path: string): ContainerPort[] {
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

/** `web`, `web:db`, a container, or the object form, of which {@link Link} is one. */
export function parseLink(option: LinkOption, path: string): RequestedLink {
  const { reference, alias, aliasPath } = referenceOf(option, path)
  if (alias !== undefined) return { reference, alias: checkHostName(alias, aliasPath), path }
  // As Docker has it; what is an object, or no name for a host, has none of its own.
  const isName = typeof option === 'string' && isHostName(reference)
  return { reference, alias: isName ? reference : undefined, path }
}

/** What a call that takes a link back was given: the alias or the server, or both. */
export function parseUnlink(option: LinkOption): UnlinkRequest {
  const { reference, alias } = referenceOf(option, 'reference')
  return { reference, alias, mayBeAlias: typeof option === 'string' && alias === undefined }
}

function referenceOf(
  option: LinkOption,
  path: string,
): { readonly reference: string; readonly alias: string | undefined; readonly aliasPath: string } {
  if (typeof option === 'string') {
    const [reference = '', alias, ...rest] = option.split(':')
    if (reference !== '' && rest.length === 0) return { reference, alias, aliasPath: path }
    const message = `"${option}" is no link: name, id or short id, then ":" and the alias if it has another name`
    throw invalid(ATTACH, message, path)
  }
  if (isContainer(option)) return { reference: containerId(option, path), alias: undefined, aliasPath: path }
  const at = (property: string): string => joinPath(path, property)
  // With the properties that a link is listed with, so that what a call returned can be given to another.
  const { container, alias } = checkObject(option, ['container', 'alias', 'address', 'ports'], ATTACH, path)
  return {
    reference: isContainer(container)
      ? containerId(container, at('container'))
      : checkString(container, ATTACH, at('container')),
    alias: alias === undefined ? undefined : checkString(alias, ATTACH, at('alias')),
    aliasPath: at('alias'),
  }
}

function isContainer(value: unknown): value is { readonly id: string } {
  return typeof value === 'object' && value !== null && 'id' in value
}

function containerId(container: { readonly id: string }, path: string): string {
  const at = joinPath(path, 'id')
  return checkString(readProperty(container, 'id', ATTACH, at), ATTACH, at)
}

function parseLinks(links: readonly LinkOption[], operation: string, path: string): RequestedLink[] {
  return checkArray(links, operation, path).map((link, index) => parseLink(link, joinPath(path, index)))
}

/** A relative path would mean another file after a restart. */
function checkFile(file: string, path: string): string {
  if (checkPath(file, ATTACH, path).startsWith('/')) return file
  throw invalid(ATTACH, `"${file}" is no absolute path of a file`, path)
}

function invalid(operation: string, message: string, path: string): NfbridgeError {
  return new NfbridgeError({ code: 'NFB_INVALID_ARGUMENT', operation, message, path })
}
