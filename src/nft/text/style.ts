/** How constants of each data type are written: with quotation marks, in hexadecimal, as a time. */
import { ctKeys, headers, metaKeys } from '../datatype/index.js'
import { child, isNode } from './node.js'

/** How the values of one field are written. */
export interface Style {
  /** The data type, if it is known. */
  readonly type?: string
  /** Text in quotation marks. */
  readonly quoted?: true
  /** Numbers in hexadecimal with at least so many digits. */
  readonly hex?: number
  /** Seconds, as a time with units. */
  readonly duration?: true
  /** Values are sets of flags: `== syn` is something else than `syn`. */
  readonly bitmask?: true
}

const plain: Style = {}
const quotedStyle: Style = { quoted: true }

const styles: { readonly [type: string]: Style | undefined } = {
  string: quotedStyle,
  ifname: quotedStyle,
  iface_index: quotedStyle,
  devgroup: quotedStyle,
  realm: quotedStyle,
  mark: { hex: 8 },
  ether_type: { hex: 4 },
  dscp: { hex: 2 },
  ecn: { hex: 2 },
  tcp_flag: { hex: 2, bitmask: true },
  ct_state: { hex: 1, bitmask: true },
  ct_status: { hex: 1, bitmask: true },
  ct_event: { hex: 1, bitmask: true },
  ct_label: { bitmask: true },
  time: { duration: true },
  date: quotedStyle,
  day: quotedStyle,
  hour: quotedStyle,
  // Named objects, which maps give.
  counter: quotedStyle,
  quota: quotedStyle,
  limit: quotedStyle,
  'ct helper': quotedStyle,
  'ct timeout': quotedStyle,
  'ct expectation': quotedStyle,
  secmark: quotedStyle,
  synproxy: quotedStyle,
  tunnel: quotedStyle,
}

/** The style of a data type by its name. */
export function styleOfType(type: unknown): Style {
  if (typeof type !== 'string') return plain
  return { ...(Object.hasOwn(styles, type) ? styles[type] : plain), type }
}

/** The styles of a declared type: one, or one for each field of a concatenation. */
export function stylesOfType(type: unknown): readonly Style[] {
  return Array.isArray(type) ? type.map(styleOfType) : [styleOfType(type)]
}

/** Keys of `meta` and of others whose values nft writes in quotation marks though they are numbers in the kernel. */
const quotedKeys: ReadonlySet<unknown> = new Set(['time', 'day', 'hour'])

/** The styles of what an expression gives: one for each field of a concatenation. */
export function stylesOf(expression: unknown): readonly Style[] {
  const concat = child(expression, 'concat')
  if (Array.isArray(concat)) return concat.map(styleOf)
  return [styleOf(expression)]
}

/** The style of the values that an expression gives. */
export function styleOf(expression: unknown): Style {
  if (!isNode(expression)) return plain
  const { payload, meta, ct, fib, socket, rt, osf, map, exthdr } = expression
  if (isNode(payload)) return payloadStyle(payload)
  if (isNode(meta)) {
    if (quotedKeys.has(meta.key)) return quotedStyle
    return styleOfType(metaKeys.find(({ name }) => name === meta.key)?.type)
  }
  if (isNode(ct)) {
    if (ct.key === 'event') return styleOfType('ct_event')
    return styleOfType(ctKeys.find(({ name }) => name === ct.key)?.type)
  }
  if (isNode(fib)) return fib.result === 'type' ? styleOfType('fib_addrtype') : quotedStyle
  if (isNode(socket)) return socket.key === 'mark' ? styleOfType('mark') : plain
  if (isNode(rt)) return rt.key === 'classid' ? styleOfType('realm') : plain
  if (isNode(osf)) return quotedStyle
  if (isNode(exthdr) && exthdr.field === 'nexthdr') return styleOfType('inet_proto')
  if (isNode(map)) return plain
  for (const operator of ['&', '|', '^', '<<', '>>']) {
    const operands = expression[operator]
    if (Array.isArray(operands)) return styleOf(operands[0])
  }
  return plain
}

function payloadStyle({ protocol, field, base }: { readonly [key: string]: unknown }): Style {
  if (base !== undefined || (protocol === 'comp' && field === 'flags')) return { hex: 1 }
  if (typeof protocol !== 'string' || typeof field !== 'string') return plain
  const header: unknown = Object.entries(headers).find(([name]) => name === protocol)?.[1].fields
  return styleOfType(child(child(header, field), 'type'))
}
