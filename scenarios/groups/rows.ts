/** Rows that many scenarios have in common. */

/** The way out of a network in mode nat, and what the host itself serves. */
export const outward = `
  containers -> outside: reached as host
  host -> outside: reached
  * -> host 9000/tcp, icmp: reached
`

/** Into a network in mode nat: the host alone, which has an address there. */
export const inward = `
  host -> containers: reached
  outside -> containers: blocked
`

/** IPv6 has no route_localnet: a published port is reached by every address of the host but this one (docs/ipv6.md). */
export const noLoopback6 = `
  host -> localhost (ipv6): refused
`
