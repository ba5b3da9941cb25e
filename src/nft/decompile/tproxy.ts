import type { ExprTproxyRecord } from '../../native/records.js'
import { datatype } from '../datatype/index.js'
import { familyNumbers } from '../kernel/constants.js'
import type { TproxyStatement } from '../model/index.js'
import { readSingle } from './argument.js'
import { addressEncodings } from './dup.js'
import { use } from './operand.js'
import type { RuleState } from './rule-state.js'

/** False when it is not understood. */
export function readTproxy(state: RuleState, record: ExprTproxyRecord): boolean {
  const { family: number = 0, regAddr, regPort } = record
  const family = number === familyNumbers.ip ? 'ip' : number === familyNumbers.ip6 ? 'ip6' : undefined
  if (family === undefined && (number !== 0 || regAddr !== undefined)) return false
  const addr =
    family && regAddr !== undefined ? readSingle(state, regAddr, addressEncodings[family]) : undefined
  const port =
    regPort === undefined
      ? undefined
      : readSingle(state, regPort, { type: datatype('inet_service'), order: 'big', length: 2, shift: 0 })
  if ((regAddr !== undefined && !addr) || (regPort !== undefined && !port)) return false
  // Like nft: the match of the transport protocol that a proxy needs stays, whatever the port is made from.
  use(addr?.parts ?? [], state.protocols)
  const tproxy: TproxyStatement['tproxy'] = {
    ...(family !== undefined && state.family !== family && { family }),
    ...(addr && { addr: addr.expression }),
    ...(port && { port: port.expression }),
  }
  state.say({ tproxy }, [...(addr?.from ?? []), ...(port?.from ?? [])])
  return true
}
