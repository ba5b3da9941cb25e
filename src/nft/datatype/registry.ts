import type { DatatypeName, Immediate } from '../model/index.js'
import { gidType, uidType } from './accounts.js'
import { etherAddressType, ipv4Type, ipv6Type, linkLayerAddressType } from './address.js'
import { readNumber } from './byte-order.js'
import { dateType, hourType } from './clock.js'
import type { Datatype } from './datatype.js'
import { integerType } from './integer.js'
import { InvalidValue, quote } from './invalid-value.js'
import { inetProtocolAliases, inetProtocols, inetServices } from './protocols.js'
import { classidType, labelType, timeType } from './special.js'
import * as symbols from './symbols.js'
import { interfaceNameType, stringType } from './text.js'

/** boolean: `true` or `false`, as JSON has them, or nft's words `exists` and `missing`. */
const booleanType: Datatype = {
  ...integerType('boolean', 39, 1, { symbols: symbols.booleans }),
  read: (bytes, offset, length, order): Immediate => readNumber(bytes, offset, length, order) !== 0,
}

/** day: of the week by its name; Sunday is the first. */
const dayType = integerType('day', 45, 8, { order: 'host', symbols: symbols.days, title: 'day of the week' })

/** Every type by its name. The numbers are `enum datatypes` of nftables' include/datatype.h. */
const datatypes: { readonly [N in DatatypeName]: Datatype } = {
  nf_proto: integerType('nf_proto', 2, 8, {
    symbols: symbols.netfilterProtocols,
    title: 'netfilter protocol',
  }),
  integer: integerType('integer', 4, 0),
  // The flags of IPComp, whose bits have no names.
  bitmask: integerType('bitmask', 3, 0),
  string: stringType,
  ll_addr: linkLayerAddressType,
  ipv4_addr: ipv4Type,
  ipv6_addr: ipv6Type,
  ether_addr: etherAddressType,
  ether_type: integerType('ether_type', 10, 16, { order: 'big', symbols: symbols.etherTypes }),
  arp_op: integerType('arp_op', 11, 16, { order: 'big', symbols: symbols.arpOperations }),
  inet_proto: integerType('inet_proto', 12, 8, {
    symbols: inetProtocols,
    aliases: inetProtocolAliases,
    title: 'IP protocol',
  }),
  inet_service: integerType('inet_service', 13, 16, {
    order: 'big',
    aliases: inetServices,
    title: 'port',
    code: 'NFB_INVALID_PORT',
  }),
  icmp_type: integerType('icmp_type', 14, 8, { order: 'big', symbols: symbols.icmpTypes }),
  tcp_flag: integerType('tcp_flag', 15, 8, { order: 'big', bitmask: true, symbols: symbols.tcpFlags }),
  dccp_pkttype: integerType('dccp_pkttype', 16, 4, { symbols: symbols.dccpTypes }),
  mh_type: integerType('mh_type', 17, 8, {
    order: 'big',
    symbols: symbols.mobilityTypes,
    title: 'mobility header type',
  }),
  time: timeType,
  date: dateType,
  hour: hourType,
  day: dayType,
  cgroupsv2: integerType('cgroupsv2', 46, 64, { order: 'host', title: 'number of a cgroup' }),
  mark: integerType('mark', 19, 32, { order: 'host' }),
  iface_index: integerType('iface_index', 20, 32, {
    order: 'host',
    // The loopback interface has index 1 in every namespace; other names are for the caller to resolve.
    symbols: [['lo', 1]],
    title: 'interface index',
  }),
  iface_type: integerType('iface_type', 21, 16, { order: 'host', symbols: symbols.interfaceTypes }),
  // The names of iproute2's rt_realms are the machine's own, but for the first.
  realm: integerType('realm', 22, 32, { order: 'host', symbols: [['cosmos', 0]] }),
  classid: classidType,
  uid: uidType,
  gid: gidType,
  ct_state: integerType('ct_state', 26, 32, { order: 'host', bitmask: true, symbols: symbols.ctStates }),
  ct_dir: integerType('ct_dir', 27, 8, { symbols: symbols.ctDirections }),
  ct_status: integerType('ct_status', 28, 32, { order: 'host', bitmask: true, symbols: symbols.ctStatuses }),
  icmpv6_type: integerType('icmpv6_type', 29, 8, { order: 'big', symbols: symbols.icmpv6Types }),
  ct_label: labelType,
  pkt_type: integerType('pkt_type', 31, 8, { order: 'host', symbols: symbols.packetTypes }),
  icmp_code: integerType('icmp_code', 32, 8, { order: 'big', symbols: symbols.icmpCodes }),
  icmpv6_code: integerType('icmpv6_code', 33, 8, { order: 'big', symbols: symbols.icmpv6Codes }),
  icmpx_code: integerType('icmpx_code', 34, 8, { order: 'big', symbols: symbols.icmpxCodes }),
  devgroup: integerType('devgroup', 35, 32, { order: 'host', symbols: [['default', 0]] }),
  dscp: integerType('dscp', 36, 6, { order: 'big', symbols: symbols.dscpCodes }),
  ecn: integerType('ecn', 37, 2, { order: 'big', symbols: symbols.ecnCodes }),
  fib_addrtype: integerType('fib_addrtype', 38, 32, { order: 'host', symbols: symbols.fibAddressTypes }),
  boolean: booleanType,
  ct_event: integerType('ct_event', 40, 32, { order: 'host', bitmask: true, symbols: symbols.ctEvents }),
  ifname: interfaceNameType,
  igmp_type: integerType('igmp_type', 42, 8, { order: 'big', symbols: symbols.igmpTypes }),
}

const byId = new Map(Object.values(datatypes).map((type) => [type.id, type]))

/** nft's number for the type of a verdict map's data (`NFT_DATA_VERDICT`, linux/netfilter/nf_tables.h). */
export const verdictTypeId = 0xffffff00

/** A type by name. @throws InvalidValue for a name that there is none of */
export function datatype(name: DatatypeName): Datatype {
  const found: Datatype | undefined = Object.hasOwn(datatypes, name) ? datatypes[name] : undefined
  if (found === undefined) throw new InvalidValue(`${quote(name)} is no data type of nft`)
  return found
}

/** A type by nft's number, as sets store it; `undefined` for one that this library does not know. */
export function datatypeById(id: number): Datatype | undefined {
  return byId.get(id)
}
