/** What a frame may be made of, beside names: types, protocols, ports. */

/** Of Ethernet, neither IP nor ARP: 802.3 with LLC, RARP, VLAN, LLDP, STP's and others that switches and hosts know. */
export const FOREIGN_TYPES: readonly number[] = [
  0x0026, 0x0000, 0x05ff, 0x0842, 0x22f0, 0x8035, 0x8808, 0x8809, 0x8847, 0x8863, 0x8864, 0x888e, 0x88b5,
  0x88cc, 0x88e5, 0x88f7, 0x8906, 0x894f, 0x9000, 0xffff,
]

/** Of IP; the host listens to all of them. */
export const PLAIN_PROTOCOLS: readonly number[] = [
  1, 2, 4, 6, 17, 33, 41, 46, 47, 50, 51, 58, 89, 94, 103, 108, 112, 115, 132, 136, 137, 253,
]

/** Asked for: the exposed ones, the published ones, and those of nobody. */
export const PORTS: readonly number[] = [80, 53, 5555, 8080, 8081, 8084, 8086, 22, 111, 4789, 6081, 0, 65535]
/** Asked from. */
export const SOURCE_PORTS: readonly number[] = [1024, 80, 53, 0, 8080]

export const TAG_TYPES: readonly number[] = [0x8100, 0x88a8, 0x9100]
export const EXTENSION_TYPES: readonly number[] = [0, 60, 43, 44, 51, 135]
export const ARP_OPERATIONS: readonly number[] = [1, 2, 3, 4, 8, 9, 0]

export const ICMP_TYPES = {
  ipv4: [8, 0, 3, 4, 5, 9, 10, 11, 12, 13, 15, 17, 40, 42, 255],
  ipv6: [128, 133, 134, 135, 136, 137, 129, 1, 2, 3, 4, 130, 131, 132, 139, 143, 151, 160, 200],
} as const
export const ERROR_TYPES = { ipv4: [3, 4, 5, 11, 12], ipv6: [1, 2, 3, 4] } as const
