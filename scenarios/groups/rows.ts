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
