import { InvalidValue, quote } from '../datatype/index.js'
import { familyNumbers } from '../kernel/constants.js'
import type { CtHelper, Family } from '../model/index.js'
import { checkName } from './names.js'

/** IPPROTO_* of the protocols that objects of conntrack know. */
const transportProtocols = { tcp: 6, udp: 17, dccp: 33, sctp: 132, udplite: 136 } as const

/** The number of a transport protocol, one of some. */
export function protocolNumber<P extends keyof typeof transportProtocols>(
  protocol: P,
  possible: readonly P[],
): number {
  if (!possible.includes(protocol))
    throw new InvalidValue(`${quote(protocol)} is no protocol of it: ${possible.join(', ')} is expected`)
  return transportProtocols[protocol]
}

/** The family that an object of conntrack is for; left out, the kernel takes the table's. */
export function networkFamily(l3proto: 'ip' | 'ip6' | 'inet' | undefined): { readonly l3proto?: number } {
  if (l3proto === undefined) return {}
  const family: Family = l3proto
  if (family !== 'ip' && family !== 'ip6' && family !== 'inet')
    throw new InvalidValue(`${quote(l3proto)} is no network protocol: ip, ip6 or inet is expected`)
  return { l3proto: familyNumbers[family] }
}

/** `ct helper h { type "ftp" protocol tcp; }` */
export function ctHelperData(helper: CtHelper): { name: string; l3proto?: number; l4proto: number } {
  return {
    name: checkName(helper.type, 'conntrack helper'),
    ...networkFamily(helper.l3proto),
    l4proto: protocolNumber(helper.protocol, ['tcp', 'udp']),
  }
}
