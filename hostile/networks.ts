/** The networks of the world that is attacked, one of every kind. */
import type { NetworkOptions } from 'nfbridge'

/** What a network is, for who judges what may arrive: said in words of its own, and not read from the product. */
export interface Kind {
  readonly name: string
  /** How its options say it to the product. */
  readonly options: Partial<NetworkOptions>
  /** Whether its containers reach each other unlinked. */
  readonly open: boolean
  /** Whether they reach anything but each other and the bridge's own address. */
  readonly wayOut: boolean
  /** Whether the bridge has addresses that they reach. */
  readonly gateway: boolean
  /** Whose address is seen outside. */
  readonly outward: 'host' | 'own'
  /** What reaches their own addresses from outside, and from other networks that may reach this one. */
  readonly inward: 'nothing' | 'published' | 'all'
  readonly isolation: 'none' | 'default' | 'strict'
  /** Whether ports of its server are published by the host's addresses. */
  readonly published: boolean
}

const closed: Kind = {
  name: 'closed',
  options: { icc: false },
  open: false,
  wayOut: true,
  gateway: true,
  outward: 'host',
  inward: 'nothing',
  isolation: 'default',
  published: true,
}

export const kinds: readonly Kind[] = [
  closed,
  { ...closed, name: 'open', options: {}, open: true },
  { ...closed, name: 'internal', options: { internal: true }, open: true, wayOut: false, published: false },
  { ...closed, name: 'sealed', options: { internal: true, icc: false }, wayOut: false, published: false },
  {
    ...closed,
    name: 'isolated',
    options: { gatewayMode: 'isolated', icc: false },
    wayOut: false,
    gateway: false,
    published: false,
  },
  {
    ...closed,
    name: 'routed',
    options: { gatewayMode: 'routed', icc: false },
    outward: 'own',
    inward: 'published',
    published: false,
  },
  {
    ...closed,
    name: 'exposed',
    options: { gatewayMode: 'nat-unprotected', icc: false },
    inward: 'all',
  },
  { ...closed, name: 'tracked', options: { tracking: true, icc: false } },
  { ...closed, name: 'strict', options: { isolation: 'strict', icc: false }, isolation: 'strict' },
  { ...closed, name: 'free', options: { isolation: 'none', icc: false }, isolation: 'none' },
  { ...closed, name: 'halves', options: { bridges: 2, icc: false } },
]

/** Who is on each network. `evil` is linked to `server`, and `client` to `evil`. */
export const members = ['evil', 'server', 'client', 'stranger'] as const
export type Member = (typeof members)[number]

/** The ports that a server of links exposes: their clients may ask there. */
export const EXPOSED = { tcp: 80, udp: 53 } as const

export function poolsOf(index: number): readonly { subnet: string }[] {
  return [{ subnet: `172.${20 + index}.0.0/24` }, { subnet: `fd00:${20 + index}::/64` }]
}

/** The host's ports that lead to a network's server: `8080`, `8081` …; a routed network uses the container's own. */
export function publishedPort(index: number): number {
  return 8080 + index
}
