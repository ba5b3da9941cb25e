/** Operations of a transaction as commands of nft: `add rule inet t c tcp dport 80 accept`. */
import { chainLines } from './chain.js'
import { type Context, inFamily } from './context.js'
import { commentText, isNode, isUnsayable, json, list, type Node, onlyEntry, words } from './node.js'
import { isUnsayableObject, objectLines } from './object.js'
import { ruleText } from './rule.js'
import { elementTexts, setLines } from './set.js'

const verbs: ReadonlySet<string> = new Set([
  'add',
  'create',
  'insert',
  'replace',
  'delete',
  'destroy',
  'flush',
  'rename',
  'reset',
])

/** Whether a value is `{ add: … }` or the like. */
export function isOperation(value: unknown): boolean {
  const [verb, object] = onlyEntry(value) ?? []
  if (verb === undefined || !verbs.has(verb)) return false
  const [, inner] = onlyEntry(object) ?? []
  return (
    inner === null ||
    (isNode(inner) && (inner.family !== undefined || 'ruleset' in (isNode(object) ? object : {})))
  )
}

/** One command on one line; a comment where nft has no words for all of it. */
export function operationText(value: unknown, context: Context): string {
  const text = commandText(value, context)
  return isUnsayable(text) && !text.startsWith('# ') ? `# ${text}` : text
}

function commandText(value: unknown, context: Context): string {
  const [verb = '', object] = onlyEntry(value) ?? []
  const [kind = '', inner] = onlyEntry(object) ?? []
  if (kind === 'ruleset') return words(verb, 'ruleset', isNode(inner) && String(inner.family ?? ''))
  if (!isNode(inner)) return `# ${json(value)}`
  const within = inFamily(context, inner.family)
  const head = words(
    verb,
    kind,
    String(inner.family),
    kind === 'table' ? String(inner.name) : String(inner.table),
  )
  if (kind === 'rule') {
    const rule = ruleCommand(verb, inner, within)
    return rule.includes(' # opaque: ') ? `# ${head} ${rule}` : words(head, rule)
  }
  if (kind === 'element')
    return `${head} ${String(inner.name)} { ${elementTexts(inner, list(inner.elem)).join(', ')} }`
  const named = kind === 'table' ? head : `${head} ${String(inner.name)}`
  if (verb === 'rename') return words(named, String(inner.newname))
  if (verb !== 'add' && verb !== 'create') return named
  return words(isUnsayableObject(kind, inner) && '#', named, bodyText(kind, inner, within))
}

/** A rule's chain and place, and what it does. */
function ruleCommand(verb: string, rule: Node, context: Context): string {
  const place = words(
    rule.handle !== undefined && `handle ${String(rule.handle)}`,
    rule.index !== undefined && `index ${String(rule.index)}`,
  )
  const text =
    verb === 'delete' || verb === 'destroy' ? '' : ruleText({ ...rule, handle: undefined }, context)
  return words(String(rule.chain), place, text)
}

/** What is in the braces, on one line; nothing where there is nothing to say. */
function bodyText(kind: string, object: Node, context: Context): string {
  const lines = linesOf(kind, object, context).map((line) =>
    kind === 'tunnel' ? unfolded(line) : line.replaceAll(/,\n\t+ +/g, ', '),
  )
  return lines.length === 0
    ? ''
    : `{ ${lines.map((line) => (line.endsWith(';') ? line : `${line};`)).join(' ')} }`
}

/** A block on one line: `vxlan { gbp 200; }`. */
function unfolded(text: string): string {
  return text.replace('{\n\t', '{ ').replaceAll('\n\t', '; ').replace('\n}', '; }')
}

function linesOf(kind: string, object: Node, context: Context): string[] {
  if (kind === 'set' || kind === 'map') return setLines(object)
  if (kind === 'chain') return chainLines(object, [], context)
  if (kind === 'table')
    return [
      list(object.flags).length > 0 ? `flags ${list(object.flags).join(',')}` : '',
      commentText(object.comment) ?? '',
    ].filter((line) => line !== '')
  return objectLines(kind, object)
}
