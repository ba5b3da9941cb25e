/** Named objects of a table: counters, quotas, limits, what belongs to connection tracking, flowtables. */
import { block } from './block.js'
import { duration } from './duration.js'
import { commentText, isNode, json, list, type Node, quoted, words } from './node.js'
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
  tunnel: (object) => [
    `id ${String(object.id)}`,
    property(object, 'src-ipv4', 'ip saddr'),
    property(object, 'dst-ipv4', 'ip daddr'),
    property(object, 'src-ipv6', 'ip6 saddr'),
    property(object, 'dst-ipv6', 'ip6 daddr'),
    property(object, 'sport'),
    property(object, 'dport'),
    property(object, 'tos'),
    property(object, 'ttl'),
    object.type !== undefined && block(String(object.type), tunnelLines(object.tunnel)),
    property(object, 'flowlabel', '# flowlabel'),
    list(object.flags).length > 0 && `# flags ${list(object.flags).join(',')}`,
  ],
  flowtable: (object) => [
    `hook ${String(object.hook)} priority ${priorityText(String(object.family), object.hook, object.prio)}`,
    devices(object.dev),
    list(object.flags).length > 0 && `flags ${list(object.flags).join(',')}`,
  ],
}

function property(object: Node, name: string, title = name): string | false {
  return object[name] !== undefined && `${title} ${String(object[name])}`
}

/** `gbp 200`; `class 0x10 opt-type 0x1 data "0x12345678"` of each option of geneve. */
function tunnelLines(options: unknown): string[] {
  if (isNode(options)) return Object.entries(options).map(([name, value]) => `${name} ${String(value)}`)
  return list(options).map((option) =>
    isNode(option)
      ? `class ${hex(option.class)} opt-type ${hex(option['opt-type'])} data ${quoted(option.data)}`
      : `# ${json(option)}`,
  )
}

function hex(value: unknown): string {
  return typeof value === 'number' ? `0x${value.toString(16)}` : String(value)
}

/** What nft has no words for: the lines of those are comments. */
export function isUnsayableObject(kind: string, { flags, flowlabel }: Node): boolean {
  return kind === 'tunnel' && (list(flags).length > 0 || flowlabel !== undefined)
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
  return [words(commentText(object.comment)), ...lines.map((line) => words(line))].filter(
    (line) => line !== '',
  )
}
