import type { LastStatement } from '../model/index.js'
import type { LastData } from './kernel-expression.js'
import { checkInteger } from './number.js'

/** `last`: when a packet came last; with `used` as if it had been so many milliseconds ago. */
export function lastData(last: LastStatement['last']): LastData {
  if (last?.used === undefined) return {}
  return { set: 1, msecs: BigInt(checkInteger(last.used, 'time', Number.MAX_SAFE_INTEGER)) }
}
