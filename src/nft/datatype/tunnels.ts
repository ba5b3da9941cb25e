/** The tunnels that the kernel's expression `inner` sees into. */
import type { TunnelName } from '../model/index.js'
import { InvalidValue, quote } from './invalid-value.js'

/** A tunnel in the terms of the kernel (NFTA_INNER_*), and where it is. */
export interface Tunnel {
  readonly name: TunnelName
  /** enum nft_inner_type; for GRE numbers that only nft has, behind those of the kernel. */
  readonly type: number
  /** Bytes of the tunnel's header. */
  readonly headerSize: number
  /** NFT_INNER_*: which headers are looked for. */
  readonly flags: number
  /** The protocol that carries it. */
  readonly transport: 'udp' | 'gre'
  /** Whether it carries frames with an Ethernet header. */
  readonly frames: boolean
  /** enum proto_desc_id of nftables (include/proto.h) */
  readonly noted: number
}

const SIZE = 1
const LINK = 2
const NETWORK = 4
const TRANSPORT = 8

/** Every tunnel by its name: struct proto_desc of nftables' src/proto.c. */
export const tunnels: { readonly [N in TunnelName]: Tunnel } = {
  vxlan: {
    name: 'vxlan',
    type: 1,
    headerSize: 8,
    flags: SIZE | LINK | NETWORK | TRANSPORT,
    transport: 'udp',
    frames: true,
    noted: 18,
  },
  geneve: {
    name: 'geneve',
    type: 2,
    headerSize: 8,
    flags: SIZE | LINK | NETWORK | TRANSPORT,
    transport: 'udp',
    frames: true,
    noted: 19,
  },
  gre: {
    name: 'gre',
    type: 3,
    headerSize: 4,
    flags: NETWORK | TRANSPORT,
    transport: 'gre',
    frames: false,
    noted: 20,
  },
  gretap: {
    name: 'gretap',
    type: 4,
    headerSize: 4,
    flags: LINK | NETWORK | TRANSPORT,
    transport: 'gre',
    frames: true,
    noted: 21,
  },
}

/** @throws InvalidValue for a name that is none of a tunnel */
export function tunnelNamed(name: string): Tunnel {
  const found = Object.values(tunnels).find((tunnel) => tunnel.name === name)
  if (found !== undefined) return found
  throw new InvalidValue(`${quote(name)} is no tunnel: ${Object.keys(tunnels).join(', ')} are`)
}
