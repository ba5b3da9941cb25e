import { Cidr, parseAddress } from '../../address/index.js'
import { checkOneOf } from '../../input.js'
// Not from the folder's index, which loads the addon.
import { checkInterfaceName } from '../../rtnl/names.js'
import type { HelperName } from '../options.js'
import { isHostAddress, type PoolMemory } from '../plan/address-pool.js'
import { isWithin, parseRange, rangeText } from '../plan/address-range.js'
import { parseAdvertise } from '../plan/advertise.js'
import { HELPER_NAMES } from '../plan/helpers.js'
import { labelsOf } from '../plan/labels.js'
import { parsePeer } from '../plan/peer.js'
import type { FamilyRecord, NetworkRecord, PeerRecord, PoolRecord } from '../plan/records.js'
import { routeToJson } from '../plan/static-route.js'
import {
  array,
  flag,
  get,
  integer,
  OPERATION,
  object,
  objects,
  optional,
  text,
  texts,
  textsByName,
} from './json-value.js'
import { routingFromJson } from './routing-json.js'

/** A network as a file of the state directory has it: addresses are texts. */
export function networkToJson({ pools, ipv4, ipv6, routes, hostBinding, ...rest }: NetworkRecord): object {
  return {
    ...rest,
    hostBinding: hostBinding?.toString(),
    pools: pools.map(poolToJson),
    ipv4: familyToJson(ipv4),
    ipv6: familyToJson(ipv6),
    routes: routes?.map(routeToJson),
  }
}

/** @throws NfbridgeError or TypeError where it is not what {@link networkToJson} made */
export function networkFromJson(value: object): NetworkRecord {
  const bridges = interfaces(value, 'bridges')
  const name = text(value, 'name')
  if (bridges[0] !== name) throw new TypeError(`the first bridge is not ${name}`)
  return {
    name,
    bridges,
    pools: objects(value, 'pools').map((pool) => poolFromJson(pool, bridges)),
    ipv4: familyFromJson(object(value, 'ipv4'), 4),
    ipv6: familyFromJson(object(value, 'ipv6'), 6),
    icc: flag(value, 'icc'),
    internal: flag(value, 'internal'),
    isolation: checkOneOf(get(value, 'isolation'), ['none', 'default', 'strict'], OPERATION, 'isolation'),
    trustedInterfaces: interfaces(value, 'trustedInterfaces'),
    allowDirectRouting: flag(value, 'allowDirectRouting'),
    hostBinding: optional(value, 'hostBinding', (each, property) => parseAddress(text(each, property))),
    helpers: optional(value, 'helpers', helpersFromJson) ?? [],
    linkMode: checkOneOf(get(value, 'linkMode'), ['stateful', 'stateless'], OPERATION, 'linkMode'),
    // A file of a version that tracked everything has none. A bridge of somebody else stays as it was with it.
    tracking: optional(value, 'tracking', flag) ?? flag(value, 'adopted'),
    mtu: optional(value, 'mtu', integer),
    ...routingFromJson(value),
    ...metricFromJson(value),
    ...parseAdvertise(optional(value, 'advertise', object), OPERATION),
    adopted: flag(value, 'adopted'),
    group: integer(value, 'group'),
    ...labelsOf({ labels: optional(value, 'labels', textsByName) }),
  }
}

export function peerToJson({ subnet, via, device }: PeerRecord): object {
  return { subnet: subnet.toString(), via: via?.toString(), device }
}

/** By the parser of the caller's own input. @throws NfbridgeError */
export function peerFromJson(value: object): PeerRecord {
  return parsePeer({
    subnet: text(value, 'subnet'),
    via: optional(value, 'via', text),
    device: optional(value, 'device', text),
  })
}

/** The order in which a pool goes on, as it was written: it is JSON already. @throws NfbridgeError or TypeError */
export function poolMemoryFromJson(value: object): PoolMemory {
  const addresses = (property: string): string[] =>
    texts(value, property).map((each) => parseAddress(each).toString())
  return {
    fresh: array(value, 'fresh').map((span) => {
      const [first, last, ...others] = Array.isArray(span) ? span : []
      if (typeof first !== 'string' || typeof last !== 'string' || others.length > 0) {
        throw new TypeError('a span of fresh addresses has no two ends')
      }
      return [parseAddress(first).toString(), parseAddress(last).toString()] as const
    }),
    used: addresses('used'),
    freed: addresses('freed'),
  }
}

function poolToJson({ bridge, subnet, gateway, router, range, exclude, names }: PoolRecord): object {
  return {
    bridge,
    subnet: subnet.toString(),
    gateway: gateway?.toString(),
    router: router?.toString(),
    range: rangeText(range),
    exclude: exclude.map(String),
    names,
  }
}

function poolFromJson(value: object, bridges: readonly string[]): PoolRecord {
  const subnet = Cidr.parse(text(value, 'subnet'))
  const gateway = optional(value, 'gateway', (each, property) => parseAddress(text(each, property)))
  const router = optional(value, 'router', (each, property) => parseAddress(text(each, property)))
  const range = parseRange(text(value, 'range'))
  if (gateway && !isHostAddress(subnet, gateway)) throw new TypeError(`${gateway} is no gateway of ${subnet}`)
  if (!range || !isWithin(range, subnet)) throw new TypeError(`there is no range of ${subnet}`)
  return {
    bridge: checkOneOf(get(value, 'bridge'), bridges, OPERATION, 'bridge'),
    subnet,
    gateway,
    ...(router && { router }),
    range,
    exclude: texts(value, 'exclude').map((each) => Cidr.parse(each)),
    names: optional(value, 'names', textsByName) ?? {},
  }
}

function metricFromJson(value: object): Pick<NetworkRecord, 'metric'> {
  const metric = optional(value, 'metric', integer)
  return metric === undefined ? {} : { metric }
}

function familyToJson({ mode, masquerade, snat, except }: FamilyRecord): object {
  return { mode, masquerade, snat: snat?.toString(), except: except.map(String) }
}

function familyFromJson(value: object, family: 4 | 6): FamilyRecord {
  const snat = optional(value, 'snat', (each, property) => parseAddress(text(each, property)))
  const except = texts(value, 'except').map((each) => Cidr.parse(each))
  const stranger = [snat, ...except].find((each) => each !== undefined && each.family !== family)
  if (stranger) throw new TypeError(`${stranger} is not IPv${family}`)
  return {
    mode: checkOneOf(get(value, 'mode'), ['nat', 'nat-unprotected', 'routed', 'isolated'], OPERATION, 'mode'),
    masquerade: flag(value, 'masquerade'),
    snat,
    except,
  }
}

function helpersFromJson(value: object, property: string): HelperName[] {
  return texts(value, property).map((name) => checkOneOf(name, HELPER_NAMES, OPERATION, property))
}

function interfaces(value: object, property: string): string[] {
  return texts(value, property).map((name) => checkInterfaceName(name, OPERATION, property))
}
