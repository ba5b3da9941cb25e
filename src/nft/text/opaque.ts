/** What the model has no words for. */
import { child, isNode, json, list, words } from './node.js'

/**
 * An opaque statement. nft has no way to say it, so that it is a comment to the end of the line, which no one can take
 * for a rule: `# opaque: [ meta { key: 5 } ]`.
 */
export function opaqueText(value: unknown): string {
  const expressions = list(child(value, 'expressions')).map((expression) =>
    words(String(child(expression, 'name')), json(child(expression, 'data') ?? {})),
  )
  const sets = list(child(value, 'sets')).length
  return words(`# opaque: ${expressions.join('; ')}`, sets > 0 && `(and ${sets} sets)`)
}

/** An object of the ruleset that the model does not have. */
export function opaqueObjectText(value: unknown): string {
  const record = child(value, 'record')
  return words('# opaque', `${String(child(value, 'message'))}:`, isNode(record) ? json(record) : undefined)
}
