import { InvalidValue, quote } from '../datatype/index.js'
import { isIptablesChain, unreadable } from '../iptables-tables.js'
import { UserdataTypes } from '../kernel/constants.js'
import type { Rule } from '../model/index.js'
import { compatOf } from './compat.js'
import type { RuleExpression } from './kernel-expression.js'
import { mergePayloads } from './merge.js'
import type { Draft, Removal, RuleRecord } from './message.js'
import { checkName, familyNumber } from './names.js'
import { type BatchContext, RuleContext } from './rule-context.js'
import { firstOwnRuleId } from './rule-order.js'
import { compileStatement } from './statement.js'
import { unknownAttributes, withUnknownUserdata } from './unknown.js'
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
    trail.enter(index)
    // Passed over, a hole (of `condition && match.…`) would be a rule without its condition.
    if (statement === undefined) throw new InvalidValue('a statement is expected, not undefined')
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
  }
  const bound = batch.scope.boundChain(rule.family, rule.table, rule.chain)
  if (bound === undefined) record.chain = checkName(rule.chain, 'chain')
  else record.chainId = bound
  if (rule.unknown !== undefined)
    Object.assign(record, unknownAttributes(rule.unknown, 'attributes', batch.trail))
  putPlace(batch, rule, placement, record)
  record.expressions = compileExpressions(batch, rule)
  if (batch.iptables !== 'ignore' && isIptablesChain(rule))
    requireReadable(batch, record.expressions, rule.family)
  const compat = compatOf(record.expressions, rule.family)
  if (compat !== undefined) record.compat = compat
  batch.trail.enter('comment')
  const comment = commentData(UserdataTypes.ruleComment, rule.comment)
  batch.trail.leave()
  const userdata = withUnknownUserdata(comment, rule.unknown, batch.trail)
  if (userdata !== undefined) record.userdata = userdata
  batch.sink.add('nftNewRule', placementFlags[placement] | flags, record)
}

/** One rule that iptables can't read makes `iptables -S` fail for its whole table, and with it who uses iptables. */
function requireReadable(
  { trail }: BatchContext,
  expressions: readonly RuleExpression[],
  family: Rule['family'],
): void {
  const name = unreadable(expressions, family)
  if (name === undefined) return
  trail.enter('expr')
  throw new InvalidValue(
    `iptables can't read the expression ${name} of this rule, and gives up the table or prints another rule: write it with iptablesRule(), in a table of your own, or commit with { iptables: 'ignore' }`,
  )
}

/** Says where the rule goes: by the handle, or the number in this transaction, of the one next to it. */
function putPlace(
  batch: BatchContext,
  rule: Rule,
  placement: RulePlacement,
  record: Draft<RuleRecord>,
): void {
  const { trail } = batch
  if (rule.id !== undefined) record.id = checkId(batch, 'id', rule.id)
  if (placement === 'replace') {
    if (rule.handle === undefined)
      throw new InvalidValue('the handle of the rule that is replaced is expected')
    record.handle = BigInt(rule.handle)
  } else if ([rule.handle, rule.index, rule.nextTo].filter((place) => place !== undefined).length > 1) {
    throw new InvalidValue('handle, index and nextTo each say a place: only one of them is expected')
  } else if (rule.handle !== undefined) {
    record.position = BigInt(rule.handle)
  } else if (rule.nextTo !== undefined) {
    record.positionId = checkId(batch, 'nextTo', rule.nextTo)
  }
  if (batch.listed === undefined) {
    if (rule.index !== undefined)
      throw new InvalidValue('the index of a rule needs a listing of its chain, which only commits make')
    return
  }
  trail.enter('index')
  const { next, id } = batch.listed.order.add(rule, placement)
  trail.leave()
  if (id !== undefined) record.id = id
  if (rule.index === undefined || next === undefined) return
  if (next.id === undefined) record.position = BigInt(next.handle)
  else record.positionId = next.id
}

function checkId(batch: BatchContext, property: 'id' | 'nextTo', id: number): number {
  batch.trail.enter(property)
  if (!Number.isInteger(id) || id < 1 || id >= firstOwnRuleId)
    throw new InvalidValue(`${quote(id)} is no number of a rule: an integer from 1 to 2^31 - 1 is expected`)
  batch.trail.leave()
  return id
}

/** Deletes a rule by its handle, or one of the same transaction by its number there. */
export function deleteRule(batch: BatchContext, rule: RuleReference, removal: Removal = 'Del'): void {
  if (rule.handle === undefined && rule.id === undefined)
    throw new InvalidValue('a rule is deleted by its handle; to empty a chain, flush it')
  batch.listed?.order.delete(rule)
  batch.sink.add(`nft${removal}Rule`, 0, {
    family: familyNumber(rule.family),
    table: checkName(rule.table, 'table'),
    chain: checkName(rule.chain, 'chain'),
    ...(rule.handle === undefined ? {} : { handle: BigInt(rule.handle) }),
    ...(rule.handle !== undefined || rule.id === undefined ? {} : { id: checkId(batch, 'id', rule.id) }),
  })
}

/** What names a rule: an added one has a handle, which `commit({ handles: true })` and listings tell. */
export type RuleReference = Pick<Rule, 'family' | 'table' | 'chain' | 'handle' | 'id'>
