/** Expressions that name something of the packet, its connection, its socket or the machine: `ip saddr`, `ct state`. */
import { expressionText } from './expression.js'
import { isNode, list, type Node, words } from './node.js'
import { stylesOf } from './style.js'

type Printer = (value: Node) => string

const text = (value: unknown): string | undefined => (value === undefined ? undefined : String(value))

/** Keys of `meta` that stand alone. */
const unqualified: ReadonlySet<unknown> = new Set([
  'iif',
  'oif',
  'iifname',
  'oifname',
  'iifgroup',
  'oifgroup',
])

const numberGenerator: Printer = ({ mode, mod, offset }) =>
  words('numgen', text(mode), `mod ${text(mod)}`, isOffset(offset) && `offset ${text(offset)}`)

const isOffset = (offset: unknown): boolean => offset !== undefined && offset !== 0

const printers: { readonly [key: string]: Printer | undefined } = {
  payload: ({ tunnel, protocol, field, base, offset, len }) =>
    base === undefined
      ? words(tunnel !== protocol && text(tunnel), text(protocol), text(field))
      : `@${text(base)},${text(offset)},${text(len)}`,
  meta: ({ key }) => (unqualified.has(key) ? String(key) : `meta ${text(key)}`),
  ct: ({ dir, family, key }) => words('ct', text(dir), text(family), text(key)),
  fib: ({ flags, result }) => words('fib', list(flags).map(String).join(' . '), text(result)),
  rt: ({ family, key }) => words('rt', text(family), text(key)),
  socket: ({ key, level }) => words('socket', text(key), level !== undefined && `level ${text(level)}`),
  osf: ({ ttl, key }) => words('osf', ttl !== undefined && `ttl ${text(ttl)}`, text(key)),
  numgen: numberGenerator,
  jhash: ({ expr, mod, seed, offset }) =>
    words(
      'jhash',
      expressionText(expr, stylesOf(expr)),
      `mod ${text(mod)}`,
      typeof seed === 'number' && `seed 0x${seed.toString(16)}`,
      isOffset(offset) && `offset ${text(offset)}`,
    ),
  symhash: ({ mod, offset }) =>
    words('symhash', `mod ${text(mod)}`, isOffset(offset) && `offset ${text(offset)}`),
  ipsec: ({ dir, spnum, family, key }) =>
    words('ipsec', text(dir), isOffset(spnum) && `spnum ${text(spnum)}`, text(family), text(key)),
  exthdr: ({ name, field }) =>
    field === undefined ? `exthdr ${text(name)}` : words(text(name), text(field)),
  'tcp option': optionText('tcp option'),
  'ip option': optionText('ip option'),
  'sctp chunk': optionText('sctp chunk'),
  'dccp option': ({ type }) => `dccp option ${text(type)}`,
  tunnel: ({ key }) => `tunnel ${text(key)}`,
}

function optionText(title: string): Printer {
  return ({ name, field, base, offset, len }) => {
    if (base === undefined) return words(title, text(name), text(field))
    const whole = offset === 0 && len === 8
    return whole ? `${title} ${text(base)}` : `${title} @${text(base)},${text(offset)},${text(len)}`
  }
}

/** The text of such an expression; `undefined` for others. */
export function selectorText(node: Node): string | undefined {
  for (const [key, value] of Object.entries(node)) {
    const print = Object.hasOwn(printers, key) ? printers[key] : undefined
    if (print !== undefined && isNode(value)) return print(value)
  }
  return undefined
}
