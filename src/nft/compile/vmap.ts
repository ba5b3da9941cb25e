import { VERDICT_REGISTER } from '../kernel/constants.js'
import type { VmapStatement } from '../model/index.js'
import { setReference } from './constant.js'
import { keyOperand } from './key.js'
import { emitLookup, resolveSet } from './lookup.js'
import type { RuleContext } from './rule-context.js'

/** `key vmap @map`, `key vmap { a : accept, … }`; the trail stands at its object. */
export function compileVmap(context: RuleContext, vmap: VmapStatement['vmap']): void {
  const { trail } = context
  trail.enter('key')
  const key = keyOperand(context, vmap.key, setReference(vmap.data))
  trail.leave()
  trail.enter('data')
  const { set, operand } = resolveSet(context, key, vmap.data, 'verdict')
  trail.leave()
  emitLookup(context, operand, set, 0, { dreg: VERDICT_REGISTER })
}
