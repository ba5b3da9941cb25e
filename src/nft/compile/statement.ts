import { InvalidValue, quote } from '../datatype/index.js'
import type { Statement } from '../model/index.js'
import { compileCounter } from './counter.js'
import { compileLimit } from './limit.js'
import { compileLog } from './log.js'
import { compileMatch } from './match.js'
import { mergePayloads } from './merge.js'
import { compileNat, compilePortTarget } from './nat.js'
import { compileOpaque } from './opaque.js'
import { compileReject } from './reject.js'
import type { RuleContext } from './rule-context.js'
import { compileVerdict } from './verdict.js'
import { compileVmap } from './vmap.js'

/** Compiles one statement; the trail stands at it. */
export function compileStatement(context: RuleContext, statement: Statement): void {
  if (typeof statement !== 'object' || statement === null)
    throw new InvalidValue(`a statement is expected, not ${quote(statement)}`)
  if ('match' in statement) {
    context.trail.enter('match')
    compileMatch(context, statement.match)
    context.trail.leave()
    return
  }
  compileAction(context, statement)
  // Comparisons are not merged across what may act on the packet; and the loads of an action are none.
  mergePayloads(context.out, context.candidates)
}

type Action = Exclude<Statement, { readonly match: unknown }>

function compileAction(context: RuleContext, statement: Action): void {
  const { trail } = context
  const [name] = Object.keys(statement)
  trail.enter(name ?? '')
  if ('vmap' in statement) compileVmap(context, statement.vmap)
  else if ('counter' in statement) compileCounter(context, statement.counter)
  else if ('limit' in statement) compileLimit(context, statement.limit)
  else if ('log' in statement) compileLog(context, statement.log)
  else if ('reject' in statement) compileReject(context, statement.reject)
  else if ('snat' in statement) compileNat(context, 'snat', statement.snat)
  else if ('dnat' in statement) compileNat(context, 'dnat', statement.dnat)
  else if ('masquerade' in statement) compilePortTarget(context, 'masq', statement.masquerade)
  else if ('redirect' in statement) compilePortTarget(context, 'redir', statement.redirect)
  else if ('notrack' in statement) context.out.push({ name: 'notrack', data: {} })
  else if ('opaque' in statement) compileOpaque(context, statement.opaque)
  else if (!compileVerdict(context, statement))
    throw new InvalidValue(`${quote(name)} is no statement that is supported`)
  trail.leave()
}
