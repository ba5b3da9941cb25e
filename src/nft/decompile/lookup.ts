/** Lookups in sets, maps and verdict maps. */
import type { ExprLookupRecord } from '../../native/records.js'
import { LOOKUP_INVERTED } from '../kernel/constants.js'
import { namedConstants } from './key.js'
import { type Operand, operand, use } from './operand.js'
import type { Fact } from './protocols.js'
import { verdictRegister } from './registers.js'
import type { RuleState } from './rule-state.js'
import { isAnonymous } from './set-catalog.js'

/** False when it is not understood. */
export function readLookup(state: RuleState, { set, sreg, dreg, flags = 0 }: ExprLookupRecord): boolean {
  const record = set === undefined ? undefined : state.sets.find(set)
  if (!record || set === undefined || sreg === undefined || record.keyLen === undefined) return false
  if ((flags & ~LOOKUP_INVERTED) !== 0) return false
  const loaded = state.registers.span(sreg, record.keyLen)
  // An anonymous set has its types of the key.
  const key =
    loaded && operand(isAnonymous(record) ? loaded : namedConstants(loaded, record), state.protocols)
  if (!key) return false
  if (dreg === undefined) {
    const reference = state.sets.reference(set, key.parts)
    if (reference === undefined) return false
    const op = (flags & LOOKUP_INVERTED) !== 0 ? '!=' : '=='
    use(key.parts, state.protocols)
    const fact = op === '==' && typeof reference === 'object' ? icmpFact(state, key, set) : undefined
    state.match({ match: { op, left: key.expression, right: reference } }, loaded, fact, key.parts[0]?.tunnel)
    return true
  }
  if (dreg === verdictRegister) {
    const data = state.sets.verdicts(set, key.parts)
    if (data === undefined) return false
    use(key.parts, state.protocols)
    state.say({ vmap: { key: key.expression, data } }, loaded)
    return true
  }
  const data = state.sets.values(set, key.parts)
  if (data === undefined) return false
  const sources = [...loaded.flatMap((each) => each.sources), state.index]
  const expression = { map: { key: key.expression, data } }
  return state.registers.load(dreg, {
    value: { kind: 'mapped', key, expression, set },
    length: record.dataLen ?? 0,
    sources,
  })
}

/** `icmp type { echo-request, echo-reply }` establishes what the fields behind it are. */
function icmpFact(state: RuleState, { expression }: Operand, set: string): Fact | undefined {
  if (typeof expression !== 'object' || !('payload' in expression) || !('protocol' in expression.payload))
    return undefined
  const { protocol, field } = expression.payload
  if ((protocol !== 'icmp' && protocol !== 'icmpv6') || field !== 'type') return undefined
  const types = state.sets.bytesOf(set)
  return types.length > 0 ? { layer: 'icmp', types } : undefined
}
