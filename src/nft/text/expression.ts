/** Expressions: what statements compare, look up and write. */
import { elementText } from './element.js'
import { isNode, json, list, type Node, unknownText, words } from './node.js'
import { selectorText } from './selector.js'
import { type Style, styleOf, stylesOf } from './style.js'
import { immediate, rangeEnd } from './value.js'
import { isVerdict, verdictText } from './verdict.js'

const noStyles: readonly Style[] = [{}]

/**
 * An expression as nft writes it.
 * @param styles how its constants are written: one style, or one for each field of a concatenation
 */
export function expressionText(value: unknown, styles: readonly Style[] = noStyles): string {
  const style = styles[0] ?? {}
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return immediate(value, style)
  if (Array.isArray(value)) return value.map((each) => expressionText(each, styles)).join(',')
  if (!isNode(value)) return json(value)
  const known = selectorText(value) ?? compoundText(value, styles) ?? binaryText(value)
  if (known !== undefined) return known
  return isVerdict(value) ? verdictText(value) : unknownText(value)
}

function compoundText(node: Node, styles: readonly Style[]): string | undefined {
  const { concat, set, map, prefix, range, elem, slot } = node
  // As nft writes a variable, which a slot is most like.
  if (typeof slot === 'string') return `$${slot}`
  if (Array.isArray(concat))
    return concat.map((each, index) => expressionText(each, [styles[index] ?? styleOf(each)])).join(' . ')
  if (Array.isArray(set)) return `{ ${set.map((each) => elementText(each, styles)).join(', ')} }`
  if (isNode(map)) return mapText(map, styles)
  if (isNode(prefix)) return `${expressionText(prefix.addr, styles)}/${String(prefix.len)}`
  if (Array.isArray(range)) return range.map((each) => rangeText(each, styles)).join('-')
  return elem === undefined ? undefined : elementText(node, styles)
}

function rangeText(value: unknown, styles: readonly Style[]): string {
  const style = styles[0] ?? {}
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? rangeEnd(value, style)
    : expressionText(value, styles)
}

/** `key map { … }`; what a literal map gives is written as `given` says. */
function mapText({ key, data }: Node, given: readonly Style[]): string {
  return words(expressionText(key, stylesOf(key)), 'map', mapDataText(data, stylesOf(key), given))
}

/** A named map, or a literal one. */
export function mapDataText(data: unknown, keys: readonly Style[], given: readonly Style[]): string {
  if (isNode(data) && Array.isArray(data.set))
    return `{ ${data.set.map((each) => elementText(each, keys, given)).join(', ')} }`
  return expressionText(data)
}

/** How tightly an operator binds: lower is tighter. */
const precedence: { readonly [operator: string]: number } = { '<<': 1, '>>': 1, '&': 2, '^': 3, '|': 4 }

function operatorOf(value: unknown): string | undefined {
  return isNode(value) ? Object.keys(precedence).find((key) => Array.isArray(value[key])) : undefined
}

/** Whether an expression is a bit operation. */
export function isBinary(value: unknown): boolean {
  return operatorOf(value) !== undefined
}

function binaryText(node: Node): string | undefined {
  return binary(node, [styleOf(node)])
}

/** Several flags as one operand; a list with commas is for those that a value is compared with. */
function flagsText(flags: readonly unknown[], styles: readonly Style[]): string {
  const text = flags.map((flag) => expressionText(flag, styles)).join(' | ')
  return flags.length > 1 ? `(${text})` : text
}

/** `meta mark & 0xff | 0x10`, from left to right; in parentheses what binds less tightly. */
export function binary(node: unknown, styles: readonly Style[]): string | undefined {
  const operator = operatorOf(node)
  if (operator === undefined || !isNode(node)) return undefined
  const operands = list(node[operator])
  const shift = operator === '<<' || operator === '>>'
  const parts = operands.map((operand, index) => {
    const inner = operatorOf(operand)
    const style = shift && index > 0 ? noStyles : styles
    if (Array.isArray(operand)) return flagsText(operand, style)
    const text = inner === undefined ? expressionText(operand, style) : (binary(operand, styles) ?? '')
    const loose = inner !== undefined && (precedence[inner] ?? 0) > (precedence[operator] ?? 0)
    return loose ? `(${text})` : text
  })
  return parts.join(` ${operator} `)
}
