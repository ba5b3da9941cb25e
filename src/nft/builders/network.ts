import type { PrefixExpression, RangeExpression } from '../model/index.js'

/** An address, a network or a range as one writes it: `'10.0.0.1'`, `'10.0.0.0/8'`, `'10.0.0.1-10.0.0.9'`. */
export function network(text: string): string | PrefixExpression | RangeExpression {
  const slash = text.indexOf('/')
  if (slash >= 0) return { prefix: { addr: text.slice(0, slash), len: Number(text.slice(slash + 1)) } }
  const dash = text.indexOf('-')
  return dash < 0 ? text : { range: [text.slice(0, dash), text.slice(dash + 1)] }
}
