import { NfbridgeError } from '../errors.js'
import { checkObject } from '../input.js'
import { MessageFlag } from '../native/pack.js'
import type { LinkRecord, MessageName, MessageRecords } from '../native/records.js'
import { ADDRESS_PROPERTIES, type AddressSpec, addressRecord } from './address.js'
import { BRIDGE_PROPERTIES, PORT_PROPERTIES } from './bridge.js'
import {
  FILTER_PROPERTIES,
  type FilterSelector,
  type FilterSpec,
  filterRecord,
  filterSelectorRecord,
} from './filter.js'
import {
  addressGenerationRecord,
  changeLinkRecord,
  LINK_PROPERTIES,
  linkSelectorRecord,
  newLinkRecord,
  portRecord,
} from './link-record.js'
import type { LinkChange, LinkSelector, LinkSpec, VethPeerSpec } from './link-spec.js'
import {
  type FdbSpec,
  fdbRecord,
  NEIGHBOUR_PROPERTIES,
  type NeighbourSpec,
  neighbourRecord,
} from './neighbour.js'
import {
  QDISC_PROPERTIES,
  type QdiscSelector,
  type QdiscSpec,
  qdiscRecord,
  qdiscSelectorRecord,
} from './qdisc.js'
import { NEXTHOP_PROPERTIES, ROUTE_PROPERTIES, type RouteSpec, routeRecord } from './route.js'
import { type RoutingRuleSpec, RULE_PROPERTIES, ruleRecord } from './routing-rule.js'
import type { Device, ResolveDevice } from './values.js'

/** `add` fails when there is one already (NFB_EXISTS), `replace` takes its place, `delete` fails when there is none. */
export type Direction = 'add' | 'replace' | 'delete'

/**
 * One change to links, addresses, routes, routing rules, neighbours or traffic control: plain data, discriminated by `kind` and, for links, `action`.
 */
export type RtnlOperation =
  | { readonly kind: 'link'; readonly action: 'create'; readonly link: LinkSpec }
  | { readonly kind: 'link'; readonly action: 'change'; readonly link: LinkChange }
  | { readonly kind: 'link'; readonly action: 'delete'; readonly link: LinkSelector }
  | { readonly kind: 'address'; readonly action: Direction; readonly address: AddressSpec }
  | { readonly kind: 'route'; readonly action: Direction; readonly route: RouteSpec }
  | { readonly kind: 'rule'; readonly action: 'add' | 'delete'; readonly rule: RoutingRuleSpec }
  | { readonly kind: 'neighbour'; readonly action: Direction; readonly neighbour: NeighbourSpec }
  | { readonly kind: 'fdb'; readonly action: Direction; readonly entry: FdbSpec }
  | { readonly kind: 'qdisc'; readonly action: 'add' | 'replace'; readonly qdisc: QdiscSpec }
  | { readonly kind: 'qdisc'; readonly action: 'delete'; readonly qdisc: QdiscSelector }
  | { readonly kind: 'filter'; readonly action: 'add'; readonly filter: FilterSpec }
  | { readonly kind: 'filter'; readonly action: 'delete'; readonly filter: FilterSelector }

/** Takes one message of an operation. */
export type AddMessage = <K extends MessageName>(name: K, flags: number, record: MessageRecords[K]) => void

/** The flags that make a message of RTM_NEW… add or replace. */
const NEW_FLAGS = {
  add: MessageFlag.create | MessageFlag.exclusive,
  replace: MessageFlag.create | MessageFlag.replace,
  delete: 0,
} as const

/**
 * Turns an operation into its messages: one, or two where a link is made a port with settings of its own.
 * @param path where the operation stands in what the caller gave
 * @throws NfbridgeError for what can be known to be wrong before it is sent
 */
export function addMessages(
  operation: RtnlOperation,
  caller: string,
  path: string,
  resolve: ResolveDevice,
  add: AddMessage,
): void {
  checkObject(operation, ['kind', 'action', ...Object.values(SUBJECTS)], caller, path)
  checkSubject(operation, caller, path)
  switch (operation.kind) {
    case 'link':
      addLinkMessages(operation, caller, path, resolve, add)
      return
    case 'address': {
      const record = addressRecord(operation.address, caller, `${path}.address`, resolve)
      const direction = checkDirection(operation.action, caller, path)
      add(direction === 'delete' ? 'delAddress' : 'newAddress', NEW_FLAGS[direction], record)
      return
    }
    case 'route': {
      const direction = checkDirection(operation.action, caller, path)
      const adding = direction === 'delete' ? 'delete' : 'add'
      const record = routeRecord(operation.route, adding, caller, `${path}.route`, resolve)
      add(direction === 'delete' ? 'delRoute' : 'newRoute', NEW_FLAGS[direction], record)
      return
    }
    case 'rule': {
      const record = ruleRecord(operation.rule, caller, `${path}.rule`)
      if (operation.action === 'add') add('newRule', NEW_FLAGS.add, record)
      else if (operation.action === 'delete') add('delRule', NEW_FLAGS.delete, record)
      else throw invalid('the action of a rule is add or delete', caller, `${path}.action`)
      return
    }
    case 'neighbour': {
      const record = neighbourRecord(operation.neighbour, caller, `${path}.neighbour`, resolve)
      const direction = checkDirection(operation.action, caller, path)
      add(direction === 'delete' ? 'delNeighbour' : 'newNeighbour', NEW_FLAGS[direction], record)
      return
    }
    case 'fdb': {
      const record = fdbRecord(operation.entry, caller, `${path}.entry`, resolve)
      const direction = checkDirection(operation.action, caller, path)
      add(direction === 'delete' ? 'delNeighbour' : 'newNeighbour', NEW_FLAGS[direction], record)
      return
    }
    case 'qdisc':
      addQdiscMessage(operation, caller, path, resolve, add)
      return
    case 'filter':
      addFilterMessage(operation, caller, path, resolve, add)
      return
    default:
      throw invalid(
        'the kind of an operation is link, address, route, rule, neighbour, fdb, qdisc or filter',
        caller,
        `${path}.kind`,
      )
  }
}

function addQdiscMessage(
  operation: Extract<RtnlOperation, { kind: 'qdisc' }>,
  caller: string,
  path: string,
  resolve: ResolveDevice,
  add: AddMessage,
): void {
  checkDirection(operation.action, caller, path)
  if (operation.action === 'delete')
    add('delQdisc', 0, qdiscSelectorRecord(operation.qdisc, caller, `${path}.qdisc`, resolve))
  else
    add(
      'newQdisc',
      NEW_FLAGS[operation.action],
      qdiscRecord(operation.qdisc, caller, `${path}.qdisc`, resolve),
    )
}

function addFilterMessage(
  operation: Extract<RtnlOperation, { kind: 'filter' }>,
  caller: string,
  path: string,
  resolve: ResolveDevice,
  add: AddMessage,
): void {
  switch (operation.action) {
    case 'add':
      add('newFilter', NEW_FLAGS.add, filterRecord(operation.filter, caller, `${path}.filter`, resolve))
      return
    case 'delete':
      add('delFilter', 0, filterSelectorRecord(operation.filter, caller, `${path}.filter`, resolve))
      return
    default:
      throw invalid('the action of a filter is add or delete', caller, `${path}.action`)
  }
}

function addLinkMessages(
  operation: Extract<RtnlOperation, { kind: 'link' }>,
  caller: string,
  at: string,
  resolve: ResolveDevice,
  add: AddMessage,
): void {
  const path = `${at}.link`
  switch (operation.action) {
    case 'create': {
      const { link } = operation
      const mode = link.ipv6AddressGeneration
      // It goes up when it is known that no address comes by itself.
      const first = mode !== undefined && link.up === true ? { ...link, up: false } : link
      const record = newLinkRecord(first, caller, path, resolve)
      const generation = newLinkGeneration(link, caller, path)
      add('newLink', NEW_FLAGS.add, record)
      for (const each of generation) add('newLink', 0, each)
      if (first !== link)
        add('newLink', 0, changeLinkRecord({ device: nameOrIndex(link), up: true }, caller, path, resolve))
      if (link.port === undefined) return
      if (link.master === undefined || link.master === null || link.netns !== undefined) {
        throw invalid(
          'a link has settings of a port only with a master, in this namespace',
          caller,
          `${path}.port`,
        )
      }
      add('newLink', 0, portRecord(nameOrIndex(link), link.port, caller, path))
      return
    }
    case 'change': {
      const { link } = operation
      const { device, port, ipv6AddressGeneration: mode, ...attributes } = link
      if (mode !== undefined) {
        if (link.netns !== undefined)
          throw invalid(
            'change it in the namespace that it moves to',
            caller,
            `${path}.ipv6AddressGeneration`,
          )
        add('newLink', 0, addressGenerationRecord(device, mode, caller, path))
      }
      if (Object.keys(attributes).length > 0 || (port === undefined && mode === undefined)) {
        add('newLink', 0, changeLinkRecord(link, caller, path, resolve))
      }
      if (port === undefined) return
      if (link.netns !== undefined) {
        throw invalid('a link that moves to another namespace is no port any more', caller, `${path}.port`)
      }
      add('newLink', 0, portRecord(link.name ?? device, port, caller, path))
      return
    }
    case 'delete':
      add('delLink', 0, linkSelectorRecord(operation.link, caller, path))
      return
    default:
      throw invalid('the action of a link is create, change or delete', caller, `${at}.action`)
  }
}

function nameOrIndex(link: LinkSpec): Device {
  return link.index ?? link.name
}

/** The records that say how a new link, and its peer, get IPv6 addresses, where the caller says so. */
function newLinkGeneration(link: LinkSpec, caller: string, path: string): LinkRecord[] {
  const records: LinkRecord[] = []
  const say = (device: Device | undefined, spec: VethPeerSpec | LinkSpec, at: string): void => {
    const mode = spec.ipv6AddressGeneration
    if (mode === undefined) return
    if (device !== undefined && spec.netns === undefined) {
      records.push(addressGenerationRecord(device, mode, caller, at))
      return
    }
    throw invalid(
      spec.netns === undefined
        ? 'the link needs a name or an index for it'
        : 'the link is made in another namespace: change it there, before it is set up',
      caller,
      `${at}.ipv6AddressGeneration`,
    )
  }
  say(nameOrIndex(link), link, path)
  if (link.kind === 'veth' && link.peer !== undefined)
    say(
      link.peer.index ?? link.peer.name,
      link.netns === undefined ? link.peer : { ...link.peer, netns: link.netns },
      `${path}.peer`,
    )
  return records
}

/** What an operation does, for the sentence of an error: `create link br0`. */
export function describe(operation: RtnlOperation): string {
  const on = (device: Device): string => (typeof device === 'number' ? `link ${device}` : device)
  switch (operation.kind) {
    case 'link':
      if (operation.action === 'create') return `create ${operation.link.kind} ${operation.link.name}`
      if (operation.action === 'change') return `change ${on(operation.link.device)}`
      return 'device' in operation.link
        ? `delete ${on(operation.link.device)}`
        : `delete the links of group ${operation.link.group}`
    case 'address':
      return `${operation.action} address ${operation.address.address} on ${on(operation.address.device)}`
    case 'route':
      return `${operation.action} route to ${operation.route.destination}`
    case 'rule':
      return `${operation.action} routing rule ${operation.rule.priority}`
    case 'neighbour':
      return `${operation.action} neighbour ${operation.neighbour.address} on ${on(operation.neighbour.device)}`
    case 'fdb':
      return `${operation.action} forwarding entry ${operation.entry.mac} on ${on(operation.entry.device)}`
    case 'qdisc': {
      const { qdisc } = operation
      const which = 'kind' in qdisc ? qdisc.kind : qdisc.parent
      return `${operation.action} queueing discipline ${which} on ${on(qdisc.device)}`
    }
    case 'filter':
      return `${operation.action} filter ${operation.filter.priority} on ${on(operation.filter.device)}`
  }
}

const SUBJECTS = {
  link: 'link',
  address: 'address',
  route: 'route',
  rule: 'rule',
  neighbour: 'neighbour',
  fdb: 'entry',
  qdisc: 'qdisc',
  filter: 'filter',
} as const
const PROPERTIES = {
  link: LINK_PROPERTIES,
  address: ADDRESS_PROPERTIES,
  route: ROUTE_PROPERTIES,
  rule: RULE_PROPERTIES,
  neighbour: NEIGHBOUR_PROPERTIES,
  fdb: NEIGHBOUR_PROPERTIES,
  qdisc: QDISC_PROPERTIES,
  filter: FILTER_PROPERTIES,
} as const

/** A nest of a link's record, what it is to the caller (empty: the same level), and the names inside. */
type Nest = readonly [prefix: string, step: string, names: ReadonlyMap<string, string>]

const LINK_NESTS: readonly Nest[] = [
  ['linkinfo.data.peer', 'peer', LINK_PROPERTIES],
  ['linkinfo.slaveData', 'port', PORT_PROPERTIES],
  ['linkinfo.slaveKind', 'port', new Map()],
]
const BRIDGE_NEST: Nest = ['linkinfo.data', 'bridge', BRIDGE_PROPERTIES]
const OTHER_NEST: Nest = ['linkinfo.data', '', new Map([['id', 'vlan']])]
const KIND_NESTS: readonly Nest[] = [
  ['linkinfo.kind', 'kind', new Map()],
  ['linkinfo', 'kind', new Map()],
]

function nestsOf(operation: RtnlOperation): readonly Nest[] {
  if (operation.kind !== 'link') return []
  const plain = operation.action === 'create' && operation.link.kind !== 'bridge'
  return [...LINK_NESTS, plain ? OTHER_NEST : BRIDGE_NEST, ...KIND_NESTS]
}

/** Nests of a record that are one property to the caller: what is inside is not told. */
const NESTS_WITHOUT_NAMES: ReadonlySet<string> = new Set(['metrics', 'options', 'afSpec'])

/** The caller's property for a property of a record: `linkinfo.data.peer.ifname` is `link.peer.name`. */
export function callerPath(operation: RtnlOperation, recordPath: string): string {
  const within = (prefix: string): boolean => recordPath === prefix || recordPath.startsWith(`${prefix}.`)
  const nest = nestsOf(operation).find(([prefix]) => within(prefix))
  const [prefix, step, names] = nest ?? ['', '', PROPERTIES[operation.kind]]
  const [first = '', ...below] = (prefix === '' ? recordPath : recordPath.slice(prefix.length + 1)).split('.')
  const bracket = first.indexOf('[')
  const name = bracket < 0 ? first : first.slice(0, bracket)
  const property = `${names.get(name) ?? name}${bracket < 0 ? '' : first.slice(bracket)}`
  const rest = NESTS_WITHOUT_NAMES.has(name) ? [] : below.map((each) => NEXTHOP_PROPERTIES.get(each) ?? each)
  return [SUBJECTS[operation.kind], step, property, ...rest].filter((each) => each !== '').join('.')
}

/** What an operation is about is an object; its properties are checked where it becomes a record. */
function checkSubject(operation: RtnlOperation, caller: string, path: string): void {
  const subject = new Map<string, unknown>(Object.entries(operation)).get(SUBJECTS[operation.kind] ?? '')
  if (SUBJECTS[operation.kind] === undefined || (typeof subject === 'object' && subject !== null)) return
  throw invalid('an object is expected', caller, `${path}.${SUBJECTS[operation.kind]}`)
}

function checkDirection(action: Direction, caller: string, path: string): Direction {
  if (action === 'add' || action === 'replace' || action === 'delete') return action
  throw invalid('an action is add, replace or delete', caller, `${path}.action`)
}

function invalid(message: string, operation: string, path: string): NfbridgeError {
  return new NfbridgeError({ code: 'NFB_INVALID_ARGUMENT', operation, message, path })
}
