import { readInput } from '../../read-input.js'
import type { Operation } from '../compile/index.js'
import { withProtocols } from '../implied-protocol.js'
import type {
  Expression,
  ListedObject,
  RulesetObject,
  SetElement,
  Statement,
  Verdict,
} from '../model/index.js'
import { contextOf, type TextOptions } from './context.js'
import { expressionText } from './expression.js'
import { isNode, onlyEntry } from './node.js'
import { isOperation, operationText } from './operation.js'
import { rulesetText } from './ruleset.js'
import { isStatement, statementText } from './statement.js'

/** What can be printed: a ruleset, a list of objects, statements or operations, or one of them. */
export type TextValue =
  | { readonly nftables: readonly (ListedObject | RulesetObject)[] }
  | { readonly operations: readonly Operation[] }
  | readonly (ListedObject | RulesetObject)[]
  | readonly Operation[]
  | readonly Statement[]
  | ListedObject
  | RulesetObject
  | Operation
  | Statement
  | SetElement
  | Expression
  | Verdict

/**
 * Prints a value in nft's syntax: a ruleset or objects as `nft list ruleset` lays them out, operations as commands,
 * a rule's statements on one line. What nft has no words for becomes a comment (`# …`). Never throws, so that a value
 * that is refused can be shown.
 */
export function toText(value: TextValue, options: TextOptions = {}): string {
  try {
    return textOf(readInput(value, 'toText', 'value'), readInput(options, 'toText', ''))
  } catch (error) {
    // A value that refers to itself, or has no text of its own. What is to be shown is the caller's error, not this one.
    return `# not nft's syntax: a value without a text (${error instanceof Error ? error.message : typeof error})`
  }
}

function textOf(value: TextValue, options: TextOptions): string {
  const context = contextOf(options)
  const given: unknown = value
  if (Array.isArray(given)) return listText(given, options)
  if (isNode(given)) {
    if (Array.isArray(given.nftables)) return listText(given.nftables, options)
    if (Array.isArray(given.operations)) return listText(given.operations, options)
  }
  if (isOperation(given)) return operationText(given, context)
  if (isObject(given)) return rulesetText([given], context)
  return isStatement(given) && !isSetExpression(given)
    ? statementText(given, context.family)
    : expressionText(given)
}

function listText(values: readonly unknown[], options: TextOptions): string {
  const context = contextOf(options)
  if (values.length > 0 && values.every(isOperation))
    return ended(values.map((value) => operationText(value, context)).join('\n'))
  if (values.length > 0 && values.every((value) => isStatement(value) && !isObject(value)))
    return withProtocols(values)
      .map((value) => statementText(value, context.family))
      .join(' ')
  if (values.some(isObject) || values.length === 0) return ended(rulesetText(values, context))
  return expressionText(values)
}

/** nft reads a comment in the last line only where that line ends. */
function ended(text: string): string {
  return text.slice(text.lastIndexOf('\n') + 1).includes('# ') ? `${text}\n` : text
}

/** An object of a ruleset has a family; a statement of the same name (`counter`, `set`) has none. */
function isObject(value: unknown): boolean {
  const [kind, inner] = onlyEntry(value) ?? []
  if (kind === 'metainfo') return true
  if (kind === 'opaque') return isNode(inner) && inner.message !== undefined
  return isNode(inner) && typeof inner.family === 'string' && typeof inner.name !== 'undefined'
    ? true
    : isNode(inner) && kind === 'rule'
}

/** `{ set: […] }` and `{ map: { key, data } }` are expressions, unless they say what to do. */
function isSetExpression(value: unknown): boolean {
  const [kind, inner] = onlyEntry(value) ?? []
  return (kind === 'set' || kind === 'map') && !(isNode(inner) && inner.op !== undefined)
}
