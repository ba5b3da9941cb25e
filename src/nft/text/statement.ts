/** Statements: what a rule tests and does. A printer for each key of libnftables' JSON. */
import { elementText } from './element.js'
import { expressionText, mapDataText } from './expression.js'
import { logText } from './log.js'
import { matchText } from './match.js'
import { dupText, forwardText, natText, tproxyText } from './nat.js'
import { child, isNode, json, list, type Node, onlyEntry, quoted, unknownText, words } from './node.js'
import { opaqueText } from './opaque.js'
import { counterText, quotaText, rateText } from './rate.js'
import { rejectText } from './reject.js'
import { stylesOf } from './style.js'
import { isVerdict, verdictText } from './verdict.js'
import { xtText } from './xt.js'

type Printer = (value: unknown, family: string) => string

/** An object of the table by its name, or by what a map gives: `counter name "c"`. */
function named(title: string, inRule: (value: unknown) => string): Printer {
  return (value) => {
    if (typeof value === 'string') return `${title} name ${quoted(value)}`
    if (isNode(value) && isNode(value.map)) return `${title} name ${referenceText(value)}`
    return inRule(value)
  }
}

/** A map that gives names of objects. */
function referenceText(value: unknown): string {
  return expressionText(value, [{ quoted: true }])
}

/** An object of connection tracking by its name: `ct helper set "h"`. */
function setObject(title: string): Printer {
  return (value) => `${title} set ${typeof value === 'string' ? quoted(value) : referenceText(value)}`
}

/** A statement whose value is an object of options. */
function options(print: (value: Node, family: string) => string): Printer {
  return (value, family) => print(isNode(value) ? value : {}, family)
}

const printers: { readonly [key: string]: Printer | undefined } = {
  match: options(matchText),
  counter: named('counter', counterText),
  limit: named('limit', (value) => `limit ${rateText(isNode(value) ? value : {})}`),
  quota: named('quota', (value) => `quota ${quotaText(isNode(value) ? value : {})}`),
  synproxy: named('synproxy', (value) =>
    words('synproxy', synproxyText(isNode(value) ? value : {}).join(' ')),
  ),
  // In a rule's comparison, `tunnel` is an expression.
  tunnel: named('tunnel', (value) => expressionText({ tunnel: value })),
  log: logText,
  reject: rejectText,
  snat: (value) => natText('snat', value),
  dnat: (value) => natText('dnat', value),
  masquerade: (value) => natText('masquerade', value),
  redirect: (value) => natText('redirect', value),
  tproxy: tproxyText,
  dup: options(dupText),
  fwd: options(forwardText),
  queue: options(queueText),
  notrack: () => 'notrack',
  last: (value) => words('last', isNode(value) && value.used !== undefined && `used ${String(value.used)}`),
  vmap: options(({ key, data }) =>
    words(expressionText(key, stylesOf(key)), 'vmap', mapDataText(data, stylesOf(key), [])),
  ),
  mangle: options(mangleText),
  reset: resetText,
  set: options(setText),
  map: options(setText),
  meter: options(meterText),
  flow: options(({ op = 'add', flowtable }) => `flow ${String(op)} ${String(flowtable)}`),
  'ct helper': setObject('ct helper'),
  'ct timeout': setObject('ct timeout'),
  'ct expectation': setObject('ct expectation'),
  secmark: setObject('meta secmark'),
  'ct count': options(({ val, inv }) => words('ct count', inv === true && 'over', String(val))),
  xt: xtText,
  opaque: opaqueText,
}

/** A statement as nft writes it. */
export function statementText(value: unknown, family = 'inet'): string {
  if (isVerdict(value)) return verdictText(value)
  const [key = '', argument] = onlyEntry(value) ?? []
  const print = Object.hasOwn(printers, key) ? printers[key] : undefined
  return print === undefined ? unknownText(value) : print(argument, family)
}

/** Whether a value is a statement of a kind that there is a printer for. */
export function isStatement(value: unknown): boolean {
  const entry = isNode(value) ? onlyEntry(value) : undefined
  return isVerdict(value) || (entry !== undefined && Object.hasOwn(printers, entry[0]))
}

/** The options of synproxy, one a line in an object. */
export function synproxyText({ mss, wscale, flags }: Node): string[] {
  return [
    words(mss !== undefined && `mss ${String(mss)}`),
    words(wscale !== undefined && `wscale ${String(wscale)}`),
    list(flags).join(' '),
  ].filter((line) => line !== '')
}

/** `ip ttl set 5` */
function mangleText({ key, value }: Node): string {
  const styles = stylesOf(key)
  // Names that are words of nft's syntax as well, `icmp`, are read there in quotation marks alone.
  const isName = typeof value === 'string' && styles[0]?.type === 'inet_proto'
  return `${expressionText(key)} set ${isName ? quoted(value) : expressionText(value, styles)}`
}

/** `reset tcp option sack-perm`; an option without a name by its kind. */
function resetText(value: unknown): string {
  const base = child(child(value, 'tcp option'), 'base')
  return base === undefined ? `reset ${expressionText(value)}` : `reset tcp option ${String(base)}`
}

/** `queue flags bypass to 1-5` */
function queueText({ num, flags }: Node): string {
  const flagged = list(flags).join(',')
  return words(
    'queue',
    flagged !== '' && `flags ${flagged}`,
    num !== undefined && `to ${expressionText(num)}`,
  )
}

/** `update @s { ip saddr timeout 10s limit rate 5/second }` */
function setText({ op, elem, data, set, map, stmt }: Node): string {
  const key = isNode(elem) && isNode(elem.elem) ? elem.elem.val : elem
  const to = data === undefined ? '' : ` : ${expressionText(data, stylesOf(data))}`
  const states = words(...list(stmt).map((each) => statementText(each)))
  const inside = words(elementText(elem, stylesOf(key)), states)
  return `${String(op)} ${String(set ?? map ?? json(set))} { ${inside}${to} }`
}

/** `meter m size 65535 { ip saddr limit rate 5/second }` */
function meterText({ name, size, key, stmt }: Node): string {
  const of = isNode(key) && isNode(key.elem) ? key.elem.val : key
  const states = list(stmt).map((each) => statementText(each))
  return words(
    'meter',
    String(name),
    size !== undefined && `size ${String(size)}`,
    `{ ${words(elementText(key, stylesOf(of)), ...states)} }`,
  )
}
