/** Which header fields the bytes of a payload expression are. */
import { type HeaderField, headers, transportHeaders, VLAN_HEADER_BYTES } from '../datatype/headers.js'
import { type Datatype, datatype, type Tunnel } from '../datatype/index.js'
import type { HeaderBase } from '../kernel/constants.js'
import type { PayloadExpression, PayloadProtocol, PayloadReference } from '../model/index.js'
import type { Protocols } from './protocols.js'

/** A field of a header, found in the packet. Offsets and lengths in bits. */
export interface FoundField {
  readonly header: PayloadProtocol
  readonly tunnel?: Tunnel | undefined
  readonly expression: PayloadExpression
  readonly type: Datatype
  readonly offset: number
  readonly bits: number
  /** It says of which one type the ICMP message is. */
  readonly impliesIcmpType: boolean
}

interface KnownField extends FoundField {
  readonly icmpTypes: readonly number[] | undefined
}

/** Fields that stand where others stand in messages of other types (RFC 792, RFC 4443, RFC 2710). */
const icmpTypesOf: { readonly [header: string]: { readonly [field: string]: readonly number[] } } = {
  icmp: { id: [0, 8], sequence: [0, 8], mtu: [3], gateway: [5] },
  icmpv6: {
    id: [128, 129],
    sequence: [128, 129],
    mtu: [2],
    'parameter-problem': [4],
    'max-delay': [130],
  },
}

const known = new Map<PayloadProtocol, readonly KnownField[]>()

function fieldsOf(header: PayloadProtocol): readonly KnownField[] {
  const cached = known.get(header)
  if (cached) return cached
  const listed = Object.entries<HeaderField>(headers[header].fields).filter(([, { unlisted }]) => !unlisted)
  const found = listed.map(([name, field]): KnownField => {
    const icmpTypes = icmpTypesOf[header]?.[name]
    return {
      header,
      expression: { payload: reference(header, name) },
      type: datatype(field.type),
      offset: field.offset,
      bits: field.bits,
      impliesIcmpType: icmpTypes?.length === 1,
      icmpTypes,
    }
  })
  known.set(header, found)
  return found
}

/** The table of headers is keyed by the model's own names: a name that it has is one of its header's fields. */
function reference(protocol: PayloadProtocol, field: string): PayloadReference {
  return { protocol, field } as PayloadReference
}

/** The headers that may stand there, as far as the rule has established what the packet is. */
function candidates(base: HeaderBase, protocols: Protocols): readonly PayloadProtocol[] {
  switch (base) {
    case 'tun': {
      const name = protocols.tunnel?.name
      return name === 'vxlan' || name === 'geneve' ? [name] : []
    }
    case 'll':
      if (protocols.link === undefined) return []
      return protocols.tags > 0 ? ['ether', 'vlan'] : ['ether']
    case 'nh':
      return protocols.network === undefined ? [] : [protocols.network]
    case 'th': {
      const header = protocols.transport === undefined ? 'th' : transportHeaders.get(protocols.transport)
      return header === undefined ? [] : [header]
    }
    case 'ih':
      return []
  }
}

/** The field of the last of several VLAN headers. */
function further(field: KnownField, tags: number): KnownField {
  return { ...field, offset: field.offset + (tags - 1) * VLAN_HEADER_BYTES * 8 }
}

/** Where in the packet, or in that which a tunnel carries, bytes are. */
export interface Place {
  readonly base: HeaderBase
  readonly tunnel?: Tunnel | undefined
}

/** The field that begins at a bit, chosen by a test on it. */
export function findField(
  { base, tunnel }: Place,
  protocols: Protocols,
  test: (field: FoundField) => boolean,
): FoundField | undefined {
  const found = findHere(base, protocols.inside(tunnel), test)
  if (tunnel === undefined || found === undefined) return found
  return { ...found, tunnel, expression: inTunnel(found.expression, tunnel) }
}

function inTunnel(expression: PayloadExpression, { name }: Tunnel): PayloadExpression {
  const { payload } = expression
  return 'base' in payload ? expression : { payload: { tunnel: name, ...payload } }
}

function findHere(
  base: HeaderBase,
  protocols: Protocols,
  test: (field: FoundField) => boolean,
): FoundField | undefined {
  for (const header of candidates(base, protocols))
    for (const known of fieldsOf(header)) {
      const field = header === 'vlan' && protocols.tags > 1 ? further(known, protocols.tags) : known
      if (!test(field)) continue
      const { icmpTypes } = field
      if (icmpTypes && !protocols.icmpTypes?.every((type) => icmpTypes.includes(type))) continue
      return field
    }
  return undefined
}
