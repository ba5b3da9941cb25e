import { CONNLIMIT_INVERTED } from '../kernel/constants.js'
import type { CtCountStatement } from '../model/index.js'
import type { ConnlimitData } from './kernel-expression.js'
import { checkInteger } from './number.js'

/** `ct count 5`, `ct count over 5`. */
export function connlimitData(limit: CtCountStatement['ct count']): ConnlimitData {
  return { count: checkInteger(limit.val, 'count', 0xffffffff), flags: limit.inv ? CONNLIMIT_INVERTED : 0 }
}
