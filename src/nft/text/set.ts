/** Named sets and maps. */
import { isTypeof, typeNames } from '../datatype/index.js'
import type { TypeofSpecification } from '../model/index.js'
import { duration } from './duration.js'
import { elementsText, elementText } from './element.js'
import { expressionText } from './expression.js'
import { child, commentText, isUnsayable, list, type Node } from './node.js'
import { statementText } from './statement.js'
import { type Style, stylesOfType } from './style.js'

/** The lines of a set or map: its type, its properties, its elements. */
export function setLines(set: Node): string[] {
  const lines = [typeText(set)]
  const flags = list(set.flags)
  if (!flags.includes('constant')) {
    if (set.policy === 'memory') lines.push('policy memory')
    if (set.size !== undefined) lines.push(`size ${String(set.size)}`)
  }
  // A lifetime says that there are some.
  const implied = set.timeout !== undefined && flags.every((flag) => flag === 'timeout')
  if (flags.length > 0 && !implied) lines.push(`flags ${orderedFlags(flags).join(',')}`)
  const states = list(set.stmt).map((state) => statementText(state))
  if (states.length > 0) lines.push(states.join(' '))
  if (set['auto-merge'] === true) lines.push('auto-merge')
  if (typeof set.timeout === 'number') lines.push(`timeout ${duration(set.timeout)}`)
  if (typeof set['gc-interval'] === 'number') lines.push(`gc-interval ${duration(set['gc-interval'])}`)
  const comment = commentText(set.comment)
  if (comment !== undefined) lines.push(comment)
  const elements = elementTexts(set, list(set.elem))
  const said = elements.filter((text) => !isUnsayable(text))
  if (said.length > 0) lines.push(elementsText(said, plainTypes(set.type)))
  return [...lines, ...elements.filter(isUnsayable).map((text) => `# element ${text}`)]
}

/**
 * The elements one by one, written in the way of the set's types.
 * @param isMap whether they are pairs; elements by themselves do not tell of what they are
 */
export function elementTexts(
  set: Node,
  elements: readonly unknown[],
  isMap: boolean = set.type === undefined || set.map !== undefined,
): string[] {
  const keys = stylesOfDeclared(set.type)
  const given = isMap ? stylesOfDeclared(set.map) : undefined
  return elements.map((element) => elementText(element, keys, given))
}

/** `type ipv4_addr . inet_service : verdict`, `type ipv4_addr : interval ipv4_addr`, `typeof ip saddr : meta mark` */
function typeText({ type, map, ranges }: Node): string {
  const expressions = expressionsOf(type)
  const interval = ranges === true ? 'interval ' : ''
  if (expressions === undefined) {
    const key = `type ${list(type).join(' . ')}`
    return map === undefined ? key : `${key} : ${interval}${list(plainTypes(map)).join(' . ')}`
  }
  const key = `typeof ${expressionsText(expressions)}`
  if (map === undefined) return key
  const given = expressionsOf(map)
  return `${key} : ${interval}${given ? expressionsText(given) : list(map).join(' . ')}`
}

/** The expressions that a type is declared by; undefined where it is declared by names. */
function expressionsOf(type: unknown): readonly unknown[] | undefined {
  const declared = child(type, 'typeof')
  if (declared === undefined) return undefined
  return list(child(declared, 'concat') ?? declared)
}

function expressionsText(expressions: readonly unknown[]): string {
  return expressions.map((each) => expressionText(each)).join(' . ')
}

/** The names of types, also of what is declared by expressions. */
function plainTypes(type: unknown): unknown {
  return isTypeof(type) ? namesOrNothing(type) : type
}

/** Printing does not fail: of what is no expression for a set nothing is known. */
function namesOrNothing(type: TypeofSpecification): unknown {
  try {
    const names = typeNames(type)
    return names.length === 1 ? names[0] : names
  } catch {
    return undefined
  }
}

function stylesOfDeclared(type: unknown): readonly Style[] {
  return stylesOfType(plainTypes(type))
}

const flagOrder = ['constant', 'dynamic', 'interval', 'timeout']

function orderedFlags(flags: readonly unknown[]): unknown[] {
  const known = flagOrder.filter((flag) => flags.includes(flag))
  return [...known, ...flags.filter((flag) => !flagOrder.includes(String(flag)))]
}
