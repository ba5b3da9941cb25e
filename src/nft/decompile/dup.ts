import type { ExprDupRecord } from '../../native/records.js'
import { datatype } from '../datatype/index.js'
import { readSingle } from './argument.js'
import type { Encoding } from './constants.js'
import { use } from './operand.js'
import type { RuleState } from './rule-state.js'

export const interfaceEncoding: Encoding = {
  type: datatype('iface_index'),
  order: 'host',
  length: 4,
  shift: 0,
}

export const addressEncodings: { readonly [F in 'ip' | 'ip6']: Encoding } = {
  ip: { type: datatype('ipv4_addr'), order: 'big', length: 4, shift: 0 },
  ip6: { type: datatype('ipv6_addr'), order: 'big', length: 16, shift: 0 },
}

/** False when it is not understood. */
export function readDup(state: RuleState, { sregAddr, sregDev }: ExprDupRecord): boolean {
  const { family } = state
  const dev = sregDev === undefined ? undefined : readSingle(state, sregDev, interfaceEncoding)
  if (family === 'netdev') {
    if (!dev || sregAddr !== undefined) return false
    use(dev.parts, state.protocols)
    state.say({ dup: { addr: dev.expression } }, dev.from)
    return true
  }
  if ((family !== 'ip' && family !== 'ip6') || (sregDev !== undefined && !dev)) return false
  const addr = readSingle(state, sregAddr, addressEncodings[family])
  if (!addr) return false
  use([...addr.parts, ...(dev?.parts ?? [])], state.protocols)
  state.say({ dup: { addr: addr.expression, ...(dev && { dev: dev.expression }) } }, [
    ...addr.from,
    ...(dev?.from ?? []),
  ])
  return true
}
