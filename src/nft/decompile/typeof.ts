/** What nft 1.0.6 notes in the user data of sets that were declared with `typeof`: here, how long fields are. */
import { readNumber } from '../datatype/index.js'
import { readUserdata } from './userdata.js'

/** enum expr_types of nftables (include/expression.h) */
const PAYLOAD = 7
const CONCAT = 13
/** NFTNL_UDATA_SET_TYPEOF_EXPR, NFTNL_UDATA_SET_TYPEOF_DATA (libnftnl), and the length of a payload expression, in bits. */
const EXPRESSION = 0
const DATA = 1
const PAYLOAD_BITS = 4

type Values = ReadonlyMap<number, Uint8Array>

function number(bytes: Uint8Array | undefined): number | undefined {
  return bytes?.length === 4 ? Number(readNumber(bytes, 0, 4, 'host')) : undefined
}

/** The bytes of one expression: known of fields of the packet only, which are in the order of the network. */
function payloadLength(expression: Values | undefined): number | undefined {
  if (number(expression?.get(EXPRESSION)) !== PAYLOAD) return undefined
  const bits = number(readUserdata(expression?.get(DATA))?.get(PAYLOAD_BITS))
  return bits === undefined ? undefined : Math.ceil(bits / 8)
}

/** The lengths of the fields of a concatenation, as far as they are told. */
export function typeofLengths(typeOf: Uint8Array | undefined): readonly (number | undefined)[] | undefined {
  const expression = typeOf && readUserdata(typeOf)
  if (number(expression?.get(EXPRESSION)) !== CONCAT) return undefined
  const parts = readUserdata(expression?.get(DATA))
  return parts && [...parts.values()].map((part) => payloadLength(readUserdata(part)))
}
