import { createHash } from 'node:crypto'
import { NfbridgeError } from '../../errors.js'
import { DEFAULT_TABLE } from '../rules/names.js'

/** A name of tables that nft reads back. */
const HOST_NAME = /^[a-zA-Z][a-zA-Z0-9_-]{0,31}$/

/** Words of nft's language: a table of such a name could not be listed by itself, nor a listing be read. */
const NFT_WORDS: ReadonlySet<string> = new Set(
  `
  accept add ah all and arp auto-merge bridge cgroup chain comment comp constant continue counter cpu create ct
  day dccp define delete describe destroy device devices dnat drop dst dup dynamic ecn element elements eq esp
  ether exists expires export fib flags flow flowtable flush frag fwd gc-interval get goto gt handle hbh hook
  hour ibriport ibrname icmp icmpv6 igmp iif iifgroup iifname iiftype import include index inet insert interval
  ip ip6 ipsec jhash jump last limit list log lshift lt map mark masquerade meta meter mh missing monitor netdev
  nftrace not notrack numgen obriport obrname offload oif oifgroup oifname oiftype or osf pkttype policy position
  priority queue quota random redefine redirect reject rename replace reset return rshift rt rt0 rt2 rtclassid
  rule ruleset sctp secmark set size skgid skuid snat socket srh symhash synproxy table tcp th time timeout
  tproxy tunnel type typeof udp udplite undefine update vlan vmap xor xt
`
    .trim()
    .split(/\s+/),
)

/** @throws NfbridgeError NFB_INVALID_ARGUMENT */
export function checkTableName(name: string, operation: string): string {
  const refuse = (message: string): NfbridgeError =>
    new NfbridgeError({ code: 'NFB_INVALID_ARGUMENT', operation, message, path: 'name' })
  if (!HOST_NAME.test(name))
    throw refuse(`"${name}" is no name of a host: a letter, then letters, digits, "_" and "-", at most 32`)
  if (NFT_WORDS.has(name)) throw refuse(`"${name}" is a word of nft's language, which no table can be called`)
  return name
}

/** Interface groups of our containers' host ends start here: far from what people number by hand. */
const FIRST_GROUP = 0x6e660000
/** As many groups as a host has, those for interfaces that leave included. */
const GROUPS_OF_HOST = 0x10000
/** Groups are positive 31-bit numbers. */
const HOSTS = 0x7fff - 0x6e66

/** The first of the interface groups of a host: each name has groups of its own. */
export function firstGroup(name: string): number {
  if (name === DEFAULT_TABLE) return FIRST_GROUP
  const digest = createHash('sha256').update(name).digest().readUInt32BE(0)
  return FIRST_GROUP + (1 + (digest % HOSTS)) * GROUPS_OF_HOST
}

/** What names of a host's interfaces are made from: two hosts may have a container of the same id. */
export function seedOfHost(name: string, seed: string): string {
  return name === DEFAULT_TABLE ? seed : `${name}/${seed}`
}

/** The name of a host's default network and its bridge: Docker's, or one of its own. */
export function defaultNetworkName(name: string): string {
  return name === DEFAULT_TABLE ? 'docker0' : `${name.slice(0, 14)}0`
}
