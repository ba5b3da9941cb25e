/** `ct`: the packet's connection. */
import { ctKeys, datatype, InvalidValue, quote } from '../datatype/index.js'
import { ctDirections } from '../kernel/constants.js'
import type { CtReference } from '../model/index.js'
import { noTransforms, type ValueOperand } from './operand.js'
import type { RuleContext } from './rule-context.js'

const ctByName = new Map<string, (typeof ctKeys)[number]>(ctKeys.map((key) => [key.name, key]))
const ctEither: ReadonlySet<string> = new Set(['l3proto', 'protocol', 'zone', 'packets', 'bytes', 'avgpkt'])
const ctDirected: ReadonlySet<string> = new Set([
  'saddr',
  'daddr',
  'ip saddr',
  'ip daddr',
  'ip6 saddr',
  'ip6 daddr',
  'proto-src',
  'proto-dst',
])

export function ctOperand(context: RuleContext, reference: CtReference): ValueOperand {
  const direction = reference.dir === undefined ? undefined : ctDirections[reference.dir]
  const name = ctName(context, reference)
  const key = ctByName.get(name)
  if (key === undefined) throw new InvalidValue(`${quote(reference.key)} is no key of ct`)
  if (ctDirected.has(name) && direction === undefined)
    throw new InvalidValue(`ct ${reference.key} needs dir: 'original' or 'reply'`)
  if (direction !== undefined && !ctDirected.has(name) && !ctEither.has(name))
    throw new InvalidValue(`ct ${reference.key} has no direction`)
  return {
    kind: 'value',
    source: { kind: 'ct', key: olderKey(context, reference) ?? key.number, direction },
    type: datatype(key.type),
    bits: key.length * 8,
    length: key.length,
    order: key.order,
    transforms: noTransforms,
  }
}

/** Where the table is of one family, `saddr` and `daddr` without a family are the older keys, as nft has it. */
function olderKey({ family }: RuleContext, reference: CtReference): number | undefined {
  if (reference.key !== 'saddr' && reference.key !== 'daddr') return undefined
  const isImplied = reference.family === undefined && (family === 'ip' || family === 'ip6')
  return isImplied ? ctByName.get(reference.key)?.number : undefined
}

/** `saddr` and `daddr` of either family by its own key, as nft has it. */
function ctName(context: RuleContext, reference: CtReference): string {
  if (reference.key !== 'saddr' && reference.key !== 'daddr') return reference.key
  const { network } = context.protocols
  const family = reference.family ?? (network === 'ip' || network === 'ip6' ? network : undefined)
  if (family === undefined) throw new InvalidValue(`ct ${reference.key} needs family: 'ip' or 'ip6' here`)
  return `${family} ${reference.key}`
}
