/** Named outer headers of tunnels (NFTA_TUNNEL_KEY_*). */
import type { NftTunnelRecord } from '../../native/records.js'
import { datatype, InvalidValue, quote } from '../datatype/index.js'
import { type Attribute, nestAttribute, numberAttribute, writeAttributes } from '../kernel/attribute.js'
import {
  ErspanOptions,
  GeneveOptions,
  TunnelFlags,
  TunnelOptions,
  VxlanOptions,
} from '../kernel/constants.js'
import type { GeneveOption, Tunnel } from '../model/index.js'
import type { Draft } from './message.js'
import { checkInteger, flagBits } from './number.js'
import type { Trail } from './trail.js'

/** `tunnel t { id 10; ip daddr 192.0.2.1; vxlan { gbp 200; } }`; the trail stands at the object. */
export function tunnelData(tunnel: Tunnel, trail: Trail): NftTunnelRecord {
  const data: Draft<NftTunnelRecord> = {
    id: checkInteger(tunnel.id, 'id of a tunnel', 0xffffffff),
    ...addresses(tunnel, trail),
  }
  if (tunnel.flags !== undefined) data.flags = flagBits(tunnel.flags, TunnelFlags, 'tunnel')
  if (tunnel.tos !== undefined) data.tos = checkInteger(tunnel.tos, 'tos', 0xff)
  if (tunnel.ttl !== undefined) data.ttl = checkInteger(tunnel.ttl, 'ttl', 0xff)
  if (tunnel.sport !== undefined) data.sport = checkInteger(tunnel.sport, 'port', 0xffff)
  if (tunnel.dport !== undefined) data.dport = checkInteger(tunnel.dport, 'port', 0xffff)
  const options = optionsOf(tunnel, trail)
  if (options.length > 0) data.opts = writeAttributes(options)
  return data
}

function addresses(tunnel: Tunnel, trail: Trail): Pick<NftTunnelRecord, 'ip' | 'ip6'> {
  const { flowlabel } = tunnel
  const isIPv4 = tunnel['dst-ipv4'] !== undefined
  const others = isIPv4
    ? ([tunnel['src-ipv6'], tunnel['dst-ipv6'], flowlabel] as const)
    : [tunnel['src-ipv4']]
  if (others.some((value) => value !== undefined))
    throw new InvalidValue('the outer header of a tunnel is of IPv4 or of IPv6, not of both')
  if (isIPv4)
    return {
      ip: {
        ...address('src', 'src-ipv4', tunnel['src-ipv4'], trail),
        ...address('dst', 'dst-ipv4', tunnel['dst-ipv4'], trail),
      },
    }
  if (tunnel['dst-ipv6'] === undefined)
    throw new InvalidValue('a tunnel needs the outer destination: dst-ipv4 or dst-ipv6')
  return {
    ip6: {
      ...address('src', 'src-ipv6', tunnel['src-ipv6'], trail),
      ...address('dst', 'dst-ipv6', tunnel['dst-ipv6'], trail),
      ...(flowlabel !== undefined && { flowlabel: checkInteger(flowlabel, 'flow label', 0xfffff) }),
    },
  }
}

function address<Side extends 'src' | 'dst'>(
  side: Side,
  property: 'src-ipv4' | 'dst-ipv4' | 'src-ipv6' | 'dst-ipv6',
  text: string | undefined,
  trail: Trail,
): { readonly [S in Side]?: Uint8Array } {
  if (text === undefined) return {}
  trail.enter(property)
  const type = datatype(property.endsWith('6') ? 'ipv6_addr' : 'ipv4_addr')
  const bytes = new Uint8Array(type.bits / 8)
  type.write(text, bytes, 0, bytes.length, 'big')
  trail.leave()
  const found: { [S in Side]?: Uint8Array } = {}
  found[side] = bytes
  return found
}

function optionsOf(tunnel: Tunnel, trail: Trail): Attribute[] {
  if (!('type' in tunnel)) return []
  trail.enter('tunnel')
  const options = typeOptions(tunnel, trail)
  trail.leave()
  return options
}

function typeOptions(tunnel: Extract<Tunnel, { readonly type: string }>, trail: Trail): Attribute[] {
  switch (tunnel.type) {
    case 'vxlan': {
      const gbp = checkInteger(tunnel.tunnel.gbp, 'group policy of vxlan', 0xffffffff)
      return [nestAttribute(TunnelOptions.vxlan, [numberAttribute(VxlanOptions.gbp, gbp, 4)])]
    }
    case 'erspan':
      return [nestAttribute(TunnelOptions.erspan, erspanOptions(tunnel.tunnel))]
    case 'geneve':
      return geneveOptions(tunnel.tunnel, trail)
    default: {
      const { type }: { readonly type: unknown } = tunnel
      throw new InvalidValue(`${quote(type)} is no type of tunnel: vxlan, erspan or geneve is expected`)
    }
  }
}

type Erspan = Extract<Tunnel, { readonly type: 'erspan' }>['tunnel']

function erspanOptions(erspan: Erspan): Attribute[] {
  const version = numberAttribute(ErspanOptions.version, checkInteger(erspan.version, 'version', 2, 1), 4)
  if (erspan.version === 1)
    return [version, numberAttribute(ErspanOptions.index, checkInteger(erspan.index, 'index', 0xfffff), 4)]
  const { direction } = erspan
  if (direction !== 'ingress' && direction !== 'egress')
    throw new InvalidValue(`${quote(direction)} is no direction: ingress or egress is expected`)
  return [
    version,
    numberAttribute(ErspanOptions.hwid, checkInteger(erspan.hwid, 'hwid', 0x3f), 1),
    numberAttribute(ErspanOptions.direction, direction === 'egress' ? 1 : 0, 1),
  ]
}

/** What the kernel has room for (IP_TUNNEL_OPTS_MAX); each option has four bytes before its data. */
const MOST_BYTES = 255

function geneveOptions(options: readonly GeneveOption[], trail: Trail): Attribute[] {
  let size = 0
  return options.map((option, index) => {
    trail.enter(index)
    const { data } = option
    if (typeof data !== 'string' || !/^0x(?:[0-9a-f]{8}){0,31}$/i.test(data))
      throw new InvalidValue(
        `${quote(data)} is no data of an option: hexadecimal digits after 0x are expected, eight for each four bytes, at most 124 bytes`,
      )
    const bytes = new Uint8Array(Buffer.from(data.slice(2), 'hex'))
    size += 4 + bytes.length
    if (size > MOST_BYTES) throw new InvalidValue(`the options of geneve have more than ${MOST_BYTES} bytes`)
    const attribute = nestAttribute(TunnelOptions.geneve, [
      numberAttribute(GeneveOptions.class, checkInteger(option.class, 'class', 0xffff), 2),
      numberAttribute(GeneveOptions.type, checkInteger(option['opt-type'], 'type of option', 0xff), 1),
      { type: GeneveOptions.data, value: bytes },
    ])
    trail.leave()
    return attribute
  })
}
