/** Elements of sets and maps with their attributes. */
import { duration } from './duration.js'
import { expressionText } from './expression.js'
import { commentText, isNode, words } from './node.js'
import { statementText } from './statement.js'
import type { Style } from './style.js'

/**
 * A key, or of a map a pair of a key and what it maps to.
 * @param given how a map's data is written; of a set, in which a list is one value of several flags, nothing
 */
export function elementText(value: unknown, keys: readonly Style[], given?: readonly Style[]): string {
  if (given !== undefined && Array.isArray(value) && value.length === 2)
    return `${keyText(value[0], keys)} : ${expressionText(value[1], given)}`
  return keyText(value, keys)
}

/** A key: `1.2.3.4 counter packets 3 bytes 4 timeout 10s expires 5s comment "…"`. */
function keyText(value: unknown, styles: readonly Style[]): string {
  const elem = isNode(value) ? value.elem : undefined
  if (!isNode(elem)) return valueText(value, styles)
  const { val, timeout, expires, comment, ...states } = elem
  return words(
    valueText(val, styles),
    ...Object.entries(states).map(([name, state]) => stateText(name, state)),
    typeof timeout === 'number' && `timeout ${duration(timeout)}`,
    typeof expires === 'number' && `expires ${duration(expires)}`,
    commentText(comment),
  )
}

function valueText(value: unknown, styles: readonly Style[]): string {
  if (Array.isArray(value)) return value.map((flag) => expressionText(flag, styles)).join(' | ')
  return expressionText(value, styles)
}

/** A counter, limit or quota that an element has for itself. */
function stateText(name: string, state: unknown): string {
  if (name === 'stmt' && Array.isArray(state)) return words(...state.map((each) => statementText(each)))
  return statementText({ [name]: state })
}

/** How many elements stand on a line, by the type of the key (nftables src/expression.c, `calculate_delim`). */
const fiveOnALine: ReadonlySet<unknown> = new Set([
  'nf_proto',
  'integer',
  'arp_op',
  'inet_proto',
  'inet_service',
  'tcp_flag',
  'dccp_pkttype',
  'mark',
  'iface_index',
  'classid',
  'uid',
  'gid',
  'ct_dir',
])
const twoOnALine: ReadonlySet<unknown> = new Set(['ipv4_addr', 'ct_state', 'ct_status', 'pkt_type'])

/** The elements of a named set, wrapped as nft wraps them. */
export function elementsText(elements: readonly string[], type: unknown): string {
  const perLine = fiveOnALine.has(type) ? 5 : twoOnALine.has(type) ? 2 : 1
  const lines: string[] = []
  for (let index = 0; index < elements.length; index += perLine)
    lines.push(elements.slice(index, index + perLine).join(', '))
  return `elements = { ${lines.join(',\n\t     ')} }`
}
