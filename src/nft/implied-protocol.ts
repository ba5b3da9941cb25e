/** What nft wants to be said where this library finds it by itself: the protocol whose ports a translation maps. */

type Node = { readonly [key: string]: unknown }

const transports: ReadonlySet<unknown> = new Set(['tcp', 'udp', 'udplite', 'sctp', 'dccp'])
const translations = ['snat', 'dnat', 'masquerade', 'redirect']

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A rule's statements, with `meta l4proto tcp` before `redirect to :tcp dport map …` where nothing before says it. */
export function withProtocols(statements: readonly unknown[]): readonly unknown[] {
  const made: unknown[] = []
  for (const statement of statements) {
    const protocol = mappedProtocol(statement)
    if (protocol !== undefined && !made.some(tellsTransport))
      made.push({ match: { op: '==', left: { meta: { key: 'l4proto' } }, right: protocol } })
    made.push(statement)
  }
  return made
}

/** The protocol of the header by whose fields the port is found. */
function mappedProtocol(statement: unknown): unknown {
  if (!isNode(statement)) return undefined
  for (const name of translations) {
    const target = statement[name]
    const port = isNode(target) ? target.port : undefined
    if (isNode(port) && isNode(port.map)) return payloads(port.map.key).find((each) => transports.has(each))
  }
  return undefined
}

function tellsTransport(statement: unknown): boolean {
  const match = isNode(statement) ? (statement.match ?? statement.vmap) : undefined
  const left = isNode(match) ? (match.left ?? match.key) : undefined
  if (payloads(left).some((each) => transports.has(each))) return true
  if (!isNode(left)) return false
  if (isNode(left.meta)) return left.meta.key === 'l4proto'
  return isNode(left.payload) && (left.payload.field === 'protocol' || left.payload.field === 'nexthdr')
}

/** The headers of all fields that an expression is made of. */
function payloads(expression: unknown): unknown[] {
  if (Array.isArray(expression)) return expression.flatMap(payloads)
  if (!isNode(expression)) return []
  if (isNode(expression.payload)) return [expression.payload.protocol]
  return Object.values(expression).flatMap(payloads)
}
