/** Named sets and maps. */
import { duration } from './duration.js'
import { elementsText, elementText } from './element.js'
import { commentText, isUnsayable, list, type Node } from './node.js'
import { statementText } from './statement.js'
import { stylesOfType } from './style.js'

/** The lines of a set or map: its type, its properties, its elements. */
export function setLines(set: Node): string[] {
  const lines = [`type ${typeText(set)}`]
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
  if (said.length > 0) lines.push(elementsText(said, set.type))
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
  const keys = stylesOfType(set.type)
  const given = isMap ? stylesOfType(set.map) : undefined
  return elements.map((element) => elementText(element, keys, given))
}

/** `ipv4_addr . inet_service : verdict`, `ipv4_addr : interval ipv4_addr` */
function typeText({ type, map, ranges }: Node): string {
  const key = list(type).join(' . ')
  return map === undefined ? key : `${key} : ${ranges === true ? 'interval ' : ''}${list(map).join(' . ')}`
}

const flagOrder = ['constant', 'dynamic', 'interval', 'timeout']

function orderedFlags(flags: readonly unknown[]): unknown[] {
  const known = flagOrder.filter((flag) => flags.includes(flag))
  return [...known, ...flags.filter((flag) => !flagOrder.includes(String(flag)))]
}
