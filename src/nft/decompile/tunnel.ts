/** Named outer headers of tunnels. */
import type { NftTunnelRecord } from '../../native/records.js'
import { datatype } from '../datatype/index.js'
import { type Attribute, attributeNumber, readAttributes } from '../kernel/attribute.js'
import {
  ErspanOptions,
  GeneveOptions,
  TunnelFlags,
  TunnelOptions,
  VxlanOptions,
} from '../kernel/constants.js'
import type { GeneveOption, Tunnel, TunnelFlag } from '../model/index.js'
import { flagNames, oneOrList } from './flag-names.js'

type Own<T> = T extends unknown ? Omit<T, 'family' | 'table' | 'name' | 'handle' | 'comment'> : never
type OptionsOf<T> = T extends { readonly type: string; readonly tunnel: unknown }
  ? Pick<T, 'type' | 'tunnel'>
  : never
type Options = OptionsOf<Tunnel>

/** Undefined when there is more than the model can say. What the kernel has by default is left out, but for the ttl. */
export function readTunnelHeader(record: NftTunnelRecord): Own<Tunnel> | undefined {
  const { id, ip, ip6, tos, ttl, sport, dport, opts } = record
  const flags = flagNames<TunnelFlag>(TunnelFlags, record.flags ?? 0)
  const attributes = readAttributes(opts ?? new Uint8Array())
  if (id === undefined || !flags || !attributes || record.opaque || ip?.opaque || ip6?.opaque)
    return undefined
  const header = {
    id,
    ...said('src-ipv4', addressText(ip?.src)),
    ...said('dst-ipv4', addressText(ip?.dst)),
    ...said('src-ipv6', addressText(ip6?.src)),
    ...said('dst-ipv6', addressText(ip6?.dst)),
    ...said('sport', sport || undefined),
    ...said('dport', dport || undefined),
    ...said('tos', tos || undefined),
    ...said('ttl', ttl),
    ...said('flowlabel', ip6?.flowlabel || undefined),
    ...oneOrList(flags),
  }
  if (attributes.length === 0) return header
  const options = readOptions(attributes)
  return options && { ...header, ...options }
}

function said<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): { readonly [N in Name]?: Value } {
  const found: { [N in Name]?: Value } = {}
  if (value !== undefined) found[name] = value
  return found
}

/** Undefined for the address that stands for none. */
function addressText(bytes: Uint8Array | undefined): string | undefined {
  if (bytes === undefined || bytes.every((byte) => byte === 0)) return undefined
  const type = datatype(bytes.length === 4 ? 'ipv4_addr' : 'ipv6_addr')
  return String(type.read(bytes, 0, bytes.length, 'big'))
}

function readOptions(attributes: readonly Attribute[]): Options | undefined {
  const types = new Set(attributes.map(({ type }) => type))
  const inner = attributes.map(({ value }) => readAttributes(value)).filter((each) => each !== undefined)
  if (types.size !== 1 || inner.length < attributes.length) return undefined
  const all = inner.flat()
  if (types.has(TunnelOptions.geneve)) return readGeneve(all)
  const numbers = new Map(all.map((attribute) => [attribute.type, attributeNumber(attribute)]))
  if (types.has(TunnelOptions.vxlan)) {
    const gbp = numbers.get(VxlanOptions.gbp)
    return gbp === undefined ? undefined : { type: 'vxlan', tunnel: { gbp } }
  }
  return types.has(TunnelOptions.erspan) ? readErspan(numbers) : undefined
}

function readErspan(numbers: ReadonlyMap<number, number>): Options | undefined {
  const [version, index, hwid, direction] = [
    numbers.get(ErspanOptions.version),
    numbers.get(ErspanOptions.index),
    numbers.get(ErspanOptions.hwid),
    numbers.get(ErspanOptions.direction),
  ]
  if (version === 1 && index !== undefined) return { type: 'erspan', tunnel: { version, index } }
  if (version !== 2 || hwid === undefined || direction === undefined) return undefined
  return { type: 'erspan', tunnel: { version, direction: direction === 0 ? 'ingress' : 'egress', hwid } }
}

/** The kernel lists all options in one nest: each begins with its class. */
function readGeneve(attributes: readonly Attribute[]): Options | undefined {
  const options: GeneveOption[] = []
  for (let at = 0; at < attributes.length; at += 3) {
    const [first, second, third] = attributes.slice(at, at + 3)
    if (first?.type !== GeneveOptions.class || second?.type !== GeneveOptions.type) return undefined
    if (third?.type !== GeneveOptions.data) return undefined
    const data = `0x${Buffer.from(third.value).toString('hex')}`
    options.push({ class: attributeNumber(first), 'opt-type': attributeNumber(second), data })
  }
  return { type: 'geneve', tunnel: options }
}
