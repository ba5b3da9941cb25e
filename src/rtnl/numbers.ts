import { NfbridgeError } from '../errors.js'
import { show } from '../input.js'

/** Numbers of the kernel's headers that have names in this layer; each map is one way, {@link nameOf} is the other. */

/** Address families: linux/socket.h. */
export const Family = { unspecified: 0, ipv4: 2, bridge: 7, ipv6: 10 } as const

/** IFF_* of linux/if.h. */
export const LinkFlag = {
  up: 0x1,
  broadcast: 0x2,
  loopback: 0x8,
  pointToPoint: 0x10,
  running: 0x40,
  noArp: 0x80,
  promiscuous: 0x100,
  allMulticast: 0x200,
  multicast: 0x1000,
  lowerUp: 0x10000,
} as const

/** IF_OPER_* of linux/if.h (RFC 2863). */
export const OPERATIONAL_STATES = {
  unknown: 0,
  'not-present': 1,
  down: 2,
  'lower-layer-down': 3,
  testing: 4,
  dormant: 5,
  up: 6,
} as const

/** BR_STATE_* of linux/if_bridge.h. */
export const PORT_STATES = { disabled: 0, listening: 1, learning: 2, forwarding: 3, blocking: 4 } as const

/** IN6_ADDR_GEN_MODE_* of linux/if_link.h. */
export const ADDRESS_GENERATION = { eui64: 0, none: 1, 'stable-secret': 2, random: 3 } as const

/** rt_scope_t of linux/rtnetlink.h. */
export const SCOPES = { universe: 0, site: 200, link: 253, host: 254, nowhere: 255 } as const

/** RTN_* of linux/rtnetlink.h. */
export const ROUTE_TYPES = {
  unspecified: 0,
  unicast: 1,
  local: 2,
  broadcast: 3,
  anycast: 4,
  multicast: 5,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
  throw: 9,
} as const

/** RTPROT_* of linux/rtnetlink.h: who made a route. */
export const ROUTE_PROTOCOLS = {
  unspecified: 0,
  redirect: 1,
  kernel: 2,
  boot: 3,
  static: 4,
  ra: 9,
  dhcp: 16,
} as const

/** RT_TABLE_* of linux/rtnetlink.h. */
export const ROUTE_TABLES = { default: 253, main: 254, local: 255 } as const

/** RTM_F_* and RTNH_F_* of linux/rtnetlink.h. */
export const RouteFlag = { onlink: 0x4, lookupTable: 0x1000, fibMatch: 0x2000 } as const

/** NUD_* of linux/neighbour.h. */
export const NEIGHBOUR_STATES = {
  none: 0x00,
  incomplete: 0x01,
  reachable: 0x02,
  stale: 0x04,
  delay: 0x08,
  probe: 0x10,
  failed: 0x20,
  noarp: 0x40,
  permanent: 0x80,
} as const

/** NTF_* of linux/neighbour.h. */
export const NeighbourFlag = {
  self: 0x02,
  master: 0x04,
  proxy: 0x08,
  externLearned: 0x10,
  sticky: 0x40,
  router: 0x80,
} as const

/** IFA_F_* of linux/if_addr.h. */
export const AddressFlag = {
  secondary: 0x01,
  noDuplicateDetection: 0x02,
  duplicate: 0x08,
  deprecated: 0x20,
  tentative: 0x40,
  permanent: 0x80,
  noPrefixRoute: 0x200,
} as const

/** RTNLGRP_* of linux/rtnetlink.h: the multicast groups that events come from. */
export const Group = {
  link: 1,
  neighbour: 3,
  ipv4Address: 5,
  ipv4Route: 7,
  ipv6Address: 9,
  ipv6Route: 11,
} as const

/** The name that a map gives to a number, or the number where it gives none. */
export function nameOf<N extends string>(map: { readonly [K in N]: number }, number: number): N | number {
  for (const name in map) if (map[name] === number) return name
  return number
}

/** The number for a name, or the number itself. @throws NfbridgeError NFB_INVALID_ARGUMENT */
export function numberOf<N extends string>(
  map: { readonly [K in N]: number },
  name: N | number,
  operation: string,
  path: string,
): number {
  if (typeof name === 'number') return name
  if (typeof name === 'string' && Object.hasOwn(map, name)) return map[name]
  throw new NfbridgeError({
    code: 'NFB_INVALID_ARGUMENT',
    operation,
    message: `${show(name)} is none of ${Object.keys(map).join(', ')}`,
    path,
  })
}
