/** Named objects of a table: counters, quotas, limits, what belongs to connection tracking, flowtables. */
import { duration } from './duration.js'
import { isNode, list, type Node, quoted, words } from './node.js'
import { priorityText } from './priority.js'
import { countText, quotaText, rateText } from './rate.js'
import { synproxyText } from './statement.js'

type Lines = (object: Node) => readonly (string | undefined | false)[]

const protocolLine = ({ l3proto }: Node): string | false =>
  l3proto !== undefined && `l3proto ${String(l3proto)}`

/** The lines of each kind. The order is that of nft's listing. */
const printers: { readonly [kind: string]: Lines } = {
  counter: (object) => [countText(object)],
  quota: (object) => [quotaText(object)],
  limit: (object) => [rateText(object)],
  'ct helper': (object) => [
    `type ${quoted(object.type)} protocol ${String(object.protocol)}`,
    protocolLine(object),
  ],
  'ct timeout': (object) => [
    `protocol ${String(object.protocol)}`,
    protocolLine(object),
    policyText(object.policy),
  ],
  'ct expectation': (object) => [
    `protocol ${String(object.protocol)}`,
    `dport ${String(object.dport)}`,
    typeof object.timeout === 'number' && `timeout ${duration(object.timeout / 1000)}`,
    object.size !== undefined && `size ${String(object.size)}`,
    protocolLine(object),
  ],
  secmark: (object) => [quoted(object.context)],
  synproxy: synproxyText,
  flowtable: (object) => [
    `hook ${String(object.hook)} priority ${priorityText(String(object.family), object.hook, object.prio)}`,
    devices(object.dev),
    list(object.flags).length > 0 && `flags ${list(object.flags).join(',')}`,
  ],
}

/** `policy = { established : 120, close : 20 }` */
function policyText(policy: unknown): string | false {
  if (!isNode(policy) || Object.keys(policy).length === 0) return false
  return `policy = { ${Object.entries(policy)
    .map(([state, seconds]) => `${state} : ${String(seconds)}`)
    .join(', ')} }`
}

/** Flowtables write one interface as they write several. */
function devices(dev: unknown): string | false {
  const names = list(dev)
  return names.length > 0 && `devices = { ${names.join(', ')} }`
}

/** The kinds that this file prints. */
export function isObjectKind(kind: string): boolean {
  return Object.hasOwn(printers, kind)
}

/** The lines of a named object, its comment first. */
export function objectLines(kind: string, object: Node): string[] {
  const lines = Object.hasOwn(printers, kind) ? (printers[kind]?.(object) ?? []) : []
  return [
    words(object.comment !== undefined && `comment ${quoted(object.comment)}`),
    ...lines.map((line) => words(line)),
  ].filter((line) => line !== '')
}
