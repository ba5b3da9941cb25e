import { InvalidValue, quote } from '../datatype/index.js'
import type { Statement } from '../model/index.js'
import { compileCounter } from './counter.js'
import { connlimitData } from './ct-count.js'
import { compileDup } from './dup.js'
import { compileMapStatement, compileSetStatement } from './dynset.js'
import { compileFlow } from './flow.js'
import { compileFwd } from './fwd.js'
import { lastData } from './last.js'
import { compileLimit } from './limit.js'
import { compileLog } from './log.js'
import { compileMangle } from './mangle.js'
import { compileMatch } from './match.js'
import { mergePayloads } from './merge.js'
import { compileMeter } from './meter.js'
import { compileNat, compilePortTarget } from './nat.js'
import { compileReference } from './object-reference.js'
import { compileOpaque } from './opaque.js'
import { compileQueue } from './queue.js'
import { compileQuota } from './quota.js'
import { compileReject } from './reject.js'
import { compileReset } from './reset.js'
import type { RuleContext } from './rule-context.js'
import { compileSynproxy } from './synproxy.js'
import { compileTproxy } from './tproxy.js'
import { compileVerdict } from './verdict.js'
import { compileVmap } from './vmap.js'
import { compileXt } from './xt.js'

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
  else if ('mangle' in statement) compileMangle(context, statement.mangle)
  else if ('reset' in statement) compileReset(context, statement.reset)
  else if ('set' in statement) compileSetStatement(context, statement.set)
  else if ('map' in statement) compileMapStatement(context, statement.map)
  else if ('meter' in statement) compileMeter(context, statement.meter)
  else if ('quota' in statement) compileQuota(context, statement.quota)
  else if ('ct count' in statement)
    context.out.push({ name: 'connlimit', data: connlimitData(statement['ct count']) })
  else if ('last' in statement) context.out.push({ name: 'last', data: lastData(statement.last) })
  else if ('ct helper' in statement) compileReference(context, 'ct helper', statement['ct helper'])
  else if ('ct timeout' in statement) compileReference(context, 'ct timeout', statement['ct timeout'])
  else if ('ct expectation' in statement)
    compileReference(context, 'ct expectation', statement['ct expectation'])
  else if ('secmark' in statement) compileReference(context, 'secmark', statement.secmark)
  else if ('synproxy' in statement) compileSynproxy(context, statement.synproxy)
  else if ('tunnel' in statement) compileReference(context, 'tunnel', statement.tunnel)
  else if ('dup' in statement) compileDup(context, statement.dup)
  else if ('fwd' in statement) compileFwd(context, statement.fwd)
  else if ('queue' in statement) compileQueue(context, statement.queue)
  else if ('tproxy' in statement) compileTproxy(context, statement.tproxy)
  else if ('flow' in statement) compileFlow(context, statement.flow)
  else if ('xt' in statement) compileXt(context, statement)
  else if ('opaque' in statement) compileOpaque(context, statement.opaque)
  else if (!compileVerdict(context, statement))
    throw new InvalidValue(`${quote(name)} is no statement that is supported`)
  trail.leave()
}
