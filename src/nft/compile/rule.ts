import { InvalidValue, quote } from '../datatype/index.js'
import { UserdataTypes } from '../kernel/constants.js'
import type { Rule } from '../model/index.js'
import type { RuleExpression } from './kernel-expression.js'
import { mergePayloads } from './merge.js'
import type { Draft, RuleRecord } from './message.js'
import { checkName, familyNumber } from './names.js'
import { type BatchContext, RuleContext } from './rule-context.js'
import { compileStatement } from './statement.js'
import { commentData } from './userdata.js'

/** The kernel's expressions of a rule; anonymous sets go to the sink in front of it. The trail stands at the rule. */
export function compileExpressions(batch: BatchContext, rule: Rule): RuleExpression[] {
  if (!Array.isArray(rule.expr))
    throw new InvalidValue(`expr is an array of statements, not ${quote(rule.expr)}`)
  const context = new RuleContext(batch, rule.family, rule.table)
  const { trail } = batch
  const { expr } = rule
  trail.enter('expr')
  for (let index = 0; index < expr.length; index++) {
    const statement = expr[index]
    if (statement === undefined) continue
    trail.enter(index)
    compileStatement(context, statement)
    trail.leave()
  }
  trail.leave()
  mergePayloads(context.out, context.candidates)
  return context.out
}

/** Where a rule goes, and how the header of its message says so. */
export type RulePlacement = 'add' | 'insert' | 'replace'

const NLM_F_REPLACE = 0x100
const NLM_F_CREATE = 0x400
const NLM_F_APPEND = 0x800
const placementFlags: { readonly [P in RulePlacement]: number } = {
  add: NLM_F_CREATE | NLM_F_APPEND,
  insert: NLM_F_CREATE,
  replace: NLM_F_REPLACE,
}

/** Adds, inserts or replaces a rule; the trail stands at it. */
export function addRule(batch: BatchContext, rule: Rule, placement: RulePlacement, flags: number): void {
  const record: Draft<RuleRecord> = {
    family: familyNumber(rule.family),
    table: checkName(rule.table, 'table'),
    chain: checkName(rule.chain, 'chain'),
  }
  if (rule.index !== undefined)
    throw new InvalidValue('a place by index is not supported yet: say the handle of the rule next to it')
  if (rule.handle !== undefined) {
    if (placement === 'replace') record.handle = BigInt(rule.handle)
    else record.position = BigInt(rule.handle)
  } else if (placement === 'replace') {
    throw new InvalidValue('the handle of the rule that is replaced is expected')
  }
  record.expressions = compileExpressions(batch, rule)
  batch.trail.enter('comment')
  const userdata = commentData(UserdataTypes.ruleComment, rule.comment)
  batch.trail.leave()
  if (userdata !== undefined) record.userdata = userdata
  batch.sink.add('nftNewRule', placementFlags[placement] | flags, record)
}

/** Deletes a rule by its handle. */
export function deleteRule(batch: BatchContext, rule: RuleReference): void {
  if (rule.handle === undefined)
    throw new InvalidValue('a rule is deleted by its handle; to empty a chain, flush it')
  batch.sink.add('nftDelRule', 0, {
    family: familyNumber(rule.family),
    table: checkName(rule.table, 'table'),
    chain: checkName(rule.chain, 'chain'),
    handle: BigInt(rule.handle),
  })
}

/** What names a rule: an added one has a handle, which `commit({ handles: true })` and listings tell. */
export type RuleReference = Pick<Rule, 'family' | 'table' | 'chain' | 'handle'>
