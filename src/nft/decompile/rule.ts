/** A rule of the kernel as a rule of the model: the opposite of `../compile/`. */
import { NfbridgeError } from '../../errors.js'
import type { NftExpressionRecord, NftRuleRecord } from '../../native/records.js'
import { selects } from '../../native/select.js'
import { InvalidValue } from '../datatype/index.js'
import { UserdataTypes } from '../kernel/constants.js'
import type { Family, Rule, Statement } from '../model/index.js'
import { readDup } from './dup.js'
import { readDynset } from './dynset.js'
import {
  readConnlimit,
  readCounterExpression,
  readFlowOffload,
  readLastExpression,
  readLimit,
  readLog,
  readNotrack,
  readQuotaExpression,
  readSynproxy,
} from './effects.js'
import { readExthdr } from './extension.js'
import { readFwd } from './fwd.js'
import { readInner } from './inner.js'
import { readHash, readNumgen, readOsf, readRt, readSocket, readTunnel, readXfrm } from './knowledge.js'
import { readBitwise, readByteorder, readCt, readFib, readMeta, readPayload } from './load.js'
import { readLookup } from './lookup.js'
import { readCtWrite, readMetaWrite, readOptionWrite, readPayloadWrite } from './mangle.js'
import { readCmp, readRangeExpression } from './match.js'
import { readMasquerade, readNat, readRedirect } from './nat.js'
import { readObjref } from './object-reference.js'
import { OpaqueTracker } from './opaque.js'
import { readQueue } from './queue.js'
import { verdictRegister } from './registers.js'
import { readReject } from './reject.js'
import { RuleState } from './rule-state.js'
import type { SetCatalog } from './set-catalog.js'
import { readTproxy } from './tproxy.js'
import { splitUserdata, unknownParts } from './unknown.js'
import { readText } from './userdata.js'
import { readVerdict } from './verdict.js'
import { readExtension } from './xt.js'

/** The rule; undefined when it says which protocol its xtables extensions are for, which no kernel lists. */
export function decompileRule(record: NftRuleRecord, family: Family, sets: SetCatalog): Rule | undefined {
  const { table, chain, handle, compat, expressions = [] } = record
  const { values, userdata } = splitUserdata(record.userdata, [UserdataTypes.ruleComment])
  if (table === undefined || chain === undefined || compat) return undefined
  const comment = values.get(UserdataTypes.ruleComment)
  return {
    family,
    table,
    chain,
    ...(handle !== undefined && { handle: Number(handle) }),
    ...(comment && { comment: readText(comment) }),
    ...unknownParts({ userdata, attributes: record.opaque }),
    expr: decompileExpressions(expressions, family, sets),
  }
}

/** Statements for expressions; those that are not understood are kept as they are, next to what they use. */
export function decompileExpressions(
  expressions: readonly NftExpressionRecord[],
  family: Family,
  sets: SetCatalog,
): Statement[] {
  const state = new RuleState(family, expressions, sets)
  const opaque = new OpaqueTracker()
  for (const [index, expression] of expressions.entries()) {
    state.index = index
    if (opaque.isTainted(state, expression) || !understood(state, expression)) opaque.keep(state, expression)
  }
  return state.statements.finish()
}

/** Values that no type can read (an address of three bytes) are as little understood as unknown expressions. */
function understood(state: RuleState, expression: NftExpressionRecord): boolean {
  try {
    return read(state, expression)
  } catch (error) {
    if (error instanceof NfbridgeError || error instanceof InvalidValue) return false
    throw error
  }
}

function read(state: RuleState, expression: NftExpressionRecord): boolean {
  if (expression.opaque || (expression.data && 'opaque' in expression.data && expression.data.opaque))
    return false
  if (selects(expression, 'name', 'payload')) {
    const data = expression.data ?? {}
    return data.sreg === undefined ? readPayload(state, data) : readPayloadWrite(state, data)
  }
  if (selects(expression, 'name', 'meta')) {
    const data = expression.data ?? {}
    return data.sreg === undefined ? readMeta(state, data) : readMetaWrite(state, data)
  }
  if (selects(expression, 'name', 'cmp')) return readCmp(state, expression.data ?? {})
  if (selects(expression, 'name', 'lookup')) return readLookup(state, expression.data ?? {})
  if (selects(expression, 'name', 'immediate')) {
    const { dreg, data } = expression.data ?? {}
    if (dreg === verdictRegister) {
      const verdict = data?.verdict && readVerdict(data.verdict)
      if (verdict) state.say(verdict)
      return verdict !== undefined
    }
    if (dreg === undefined || !data?.value) return false
    const value = { kind: 'constant', bytes: data.value } as const
    return state.registers.load(dreg, { value, length: data.value.length, sources: [state.index] })
  }
  if (selects(expression, 'name', 'ct')) {
    const data = expression.data ?? {}
    return data.sreg === undefined ? readCt(state, data) : readCtWrite(state, data)
  }
  if (selects(expression, 'name', 'bitwise')) return readBitwise(state, expression.data ?? {})
  if (selects(expression, 'name', 'counter')) return readCounterExpression(state, expression.data ?? {})
  if (selects(expression, 'name', 'byteorder')) return readByteorder(state, expression.data ?? {})
  if (selects(expression, 'name', 'range')) return readRangeExpression(state, expression.data ?? {})
  if (selects(expression, 'name', 'fib')) return readFib(state, expression.data ?? {})
  if (selects(expression, 'name', 'exthdr')) {
    const { data = {} } = expression
    return data.sreg === undefined ? readExthdr(state, data) : readOptionWrite(state, data)
  }
  if (selects(expression, 'name', 'rt')) return readRt(state, expression.data ?? {})
  if (selects(expression, 'name', 'socket')) return readSocket(state, expression.data ?? {})
  if (selects(expression, 'name', 'osf')) return readOsf(state, expression.data ?? {})
  if (selects(expression, 'name', 'numgen')) return readNumgen(state, expression.data ?? {})
  if (selects(expression, 'name', 'hash')) return readHash(state, expression.data ?? {})
  if (selects(expression, 'name', 'xfrm')) return readXfrm(state, expression.data ?? {})
  if (selects(expression, 'name', 'inner')) return readInner(state, expression.data ?? {})
  if (selects(expression, 'name', 'tunnel')) return readTunnel(state, expression.data ?? {})
  if (selects(expression, 'name', 'limit')) return readLimit(state, expression.data ?? {})
  if (selects(expression, 'name', 'log')) return readLog(state, expression.data ?? {})
  if (selects(expression, 'name', 'reject')) return readReject(state, expression.data ?? {})
  if (selects(expression, 'name', 'nat')) return readNat(state, expression.data ?? {})
  if (selects(expression, 'name', 'masq')) return readMasquerade(state, expression.data ?? {})
  if (selects(expression, 'name', 'redir')) return readRedirect(state, expression.data ?? {})
  if (selects(expression, 'name', 'objref')) return readObjref(state, expression.data ?? {})
  if (selects(expression, 'name', 'notrack')) return readNotrack(state)
  if (selects(expression, 'name', 'dynset')) return readDynset(state, expression.data ?? {})
  if (selects(expression, 'name', 'quota')) return readQuotaExpression(state, expression.data ?? {})
  if (selects(expression, 'name', 'connlimit')) return readConnlimit(state, expression.data ?? {})
  if (selects(expression, 'name', 'last')) return readLastExpression(state, expression.data ?? {})
  if (selects(expression, 'name', 'queue')) return readQueue(state, expression.data ?? {})
  if (selects(expression, 'name', 'tproxy')) return readTproxy(state, expression.data ?? {})
  if (selects(expression, 'name', 'dup')) return readDup(state, expression.data ?? {})
  if (selects(expression, 'name', 'fwd')) return readFwd(state, expression.data ?? {})
  if (selects(expression, 'name', 'synproxy')) return readSynproxy(state, expression.data ?? {})
  if (selects(expression, 'name', 'match')) return readExtension(state, 'match', expression.data ?? {})
  if (selects(expression, 'name', 'target')) return readExtension(state, 'target', expression.data ?? {})
  if (selects(expression, 'name', 'flow_offload')) return readFlowOffload(state, expression.data ?? {})
  return false
}
