import type { ExprFwdRecord } from '../../native/records.js'
import { familyNumbers } from '../kernel/constants.js'
import { readSingle } from './argument.js'
import { addressEncodings, interfaceEncoding } from './dup.js'
import { use } from './operand.js'
import type { RuleState } from './rule-state.js'

/** False when it is not understood. */
export function readFwd(state: RuleState, { sregDev, sregAddr, nfproto }: ExprFwdRecord): boolean {
  const dev = readSingle(state, sregDev, interfaceEncoding)
  if (!dev) return false
  if (sregAddr === undefined) {
    use(dev.parts, state.protocols)
    state.say({ fwd: { dev: dev.expression } }, dev.from)
    return true
  }
  const family = nfproto === familyNumbers.ip ? 'ip' : nfproto === familyNumbers.ip6 ? 'ip6' : undefined
  const addr = family && readSingle(state, sregAddr, addressEncodings[family])
  if (!family || !addr) return false
  use([...dev.parts, ...addr.parts], state.protocols)
  state.say({ fwd: { dev: dev.expression, family, addr: addr.expression } }, [...dev.from, ...addr.from])
  return true
}
