import type { CtExpectation } from '../model/index.js'
import { networkFamily, protocolNumber } from './ct-helper.js'
import { checkInteger } from './number.js'

/** `ct expectation e { protocol tcp; dport 9876; timeout 2m; size 12; }` */
export function ctExpectationData(expectation: CtExpectation): {
  l3proto?: number
  l4proto: number
  dport: number
  timeout: number
  size: number
} {
  const { protocol, dport, timeout, size, l3proto } = expectation
  return {
    ...networkFamily(l3proto),
    l4proto: protocolNumber(protocol, ['tcp', 'udp', 'dccp', 'sctp', 'udplite']),
    dport: checkInteger(dport, 'port', 0xffff),
    timeout: checkInteger(timeout, 'number of milliseconds', 0xffffffff),
    size: checkInteger(size, 'size', 0xff),
  }
}
