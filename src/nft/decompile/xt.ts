/** Matches and targets of xtables, which need nothing from registers. */
import type { ExprMatchRecord, ExprTargetRecord } from '../../native/records.js'
import { readXt } from '../xt/index.js'
import type { RuleState } from './rule-state.js'

export function readExtension(
  state: RuleState,
  type: 'match' | 'target',
  { name, rev, info }: ExprMatchRecord | ExprTargetRecord,
): boolean {
  if (name === undefined || rev === undefined || info === undefined) return false
  state.say(readXt(type, { name, rev, info }, state.family))
  return true
}
