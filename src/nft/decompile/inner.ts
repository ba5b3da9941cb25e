/** `inner`: what is loaded from the packet that a tunnel carries, or from the header of the tunnel. */
import type { ExprInnerRecord } from '../../native/records.js'
import { selects } from '../../native/select.js'
import { tunnels } from '../datatype/index.js'
import { baseOf, load, metaValue } from './load.js'
import type { RuleState } from './rule-state.js'

/** False when it is not understood. */
export function readInner(state: RuleState, { type, flags, hdrsize, expr }: ExprInnerRecord): boolean {
  const tunnel = Object.values(tunnels).find(
    (each) => each.type === type && each.flags === flags && each.headerSize === hdrsize,
  )
  if (tunnel === undefined || expr === undefined || expr.opaque) return false
  if (selects(expr, 'name', 'payload')) {
    const { dreg, base, offset, len, sreg, opaque } = expr.data ?? {}
    const name = baseOf(base)
    if (name === undefined || sreg !== undefined || opaque || offset === undefined || !len) return false
    return load(state, dreg, { kind: 'payload', base: name, offset, tunnel }, len)
  }
  if (!selects(expr, 'name', 'meta')) return false
  const { dreg, key, sreg, opaque } = expr.data ?? {}
  const known = metaValue(state, key)
  if (known === undefined || sreg !== undefined || opaque) return false
  return load(state, dreg, { ...known.value, tunnel }, known.length)
}
