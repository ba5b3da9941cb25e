import { parseExpose } from '../../address/index.js'
import { joinPath, NfbridgeError } from '../../errors.js'
import { checkArray, checkObject, checkString } from '../../input.js'
import type { NamespaceSource } from '../../netns/index.js'
import type {
  ConnectOptions,
  ContainerOptions,
  HostContainerOptions,
  LinkOption,
  StartOptions,
} from '../options.js'
import { parseAddHosts } from './add-hosts.js'
import { ENDPOINT_PROPERTIES, type EndpointSettings, parseEndpointOptions } from './endpoint-settings.js'
import { checkContainerId, checkContainerName, checkHostName } from './identity.js'
import { parsePublished, type RequestedPublication } from './publish-settings.js'
import { type AddedHost, type ContainerPort, portText } from './records.js'

/** A link as it was asked for: who is meant is found when it is planned. */
export interface RequestedLink {
  readonly reference: string
  readonly alias: string
  /** Where it stands in the caller's input. */
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
  readonly endpoint: EndpointSettings
  readonly links: readonly RequestedLink[]
}

/** {@link HostContainerOptions}, checked. */
export interface HostContainerSettings {
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
  'links',
  'hostsFile',
]

export function parseContainerOptions(options: ContainerOptions, path: string): ContainerSettings {
  checkObject(options, [...CONTAINER_PROPERTIES, ...ENDPOINT_PROPERTIES], ATTACH, path)
  const at = (property: string): string => joinPath(path, property)
  if (options.netns === undefined || options.netns === null) {
    throw invalid(ATTACH, "the container's network namespace is missing", at('netns'))
  }
  const { name, id, hostsFile } = options
  const hostName = (property: 'hostname' | 'domainname'): string | undefined => {
    const value = options[property]
    return value === undefined
      ? undefined
      : checkHostName(checkString(value, ATTACH, at(property)), at(property))
  }
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
    exposed: parseExposed(options.expose ?? [], at('expose')),
    published: parsePublished(options.publish ?? [], at('publish')),
    links: parseLinks(options.links ?? [], ATTACH, at('links')),
    hostsFile: hostsFile === undefined ? undefined : checkFile(hostsFile, at('hostsFile')),
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
  const { name, id } = checkObject(options, ['name', 'id'], ADD_HOST, '')
  return {
    name: name === undefined ? undefined : checkContainerName(checkString(name, ADD_HOST, 'name'), 'name'),
    id: id === undefined ? undefined : checkContainerId(checkString(id, ADD_HOST, 'id'), 'id'),
  }
}

/** Each exposed port once, ranges expanded. @throws NfbridgeError NFB_INVALID_PORT, NFB_INVALID_ARGUMENT */
export function parseExposed(expose: readonly (string | number)[], path: string): ContainerPort[] {
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
    const message = `"${option}" is no link: name, id or short id, then ":" and the alias if it has another name`
    throw invalid(ATTACH, message, path)
  }
  return { reference, alias: checkHostName(alias, path), path }
}

function parseLinks(links: readonly LinkOption[], operation: string, path: string): RequestedLink[] {
  return checkArray(links, operation, path).map((link, index) => parseLink(link, joinPath(path, index)))
}

/** A relative path would mean another file after a restart. */
function checkFile(file: string, path: string): string {
  if (checkString(file, ATTACH, path).startsWith('/') && !file.includes('\0')) return file
  throw invalid(ATTACH, `"${file}" is no absolute path of a file`, path)
}

function invalid(operation: string, message: string, path: string): NfbridgeError {
  return new NfbridgeError({ code: 'NFB_INVALID_ARGUMENT', operation, message, path })
}
