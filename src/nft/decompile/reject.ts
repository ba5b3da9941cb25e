import type { ExprRejectRecord } from '../../native/records.js'
import { datatype } from '../datatype/index.js'
import { RejectTypes } from '../kernel/constants.js'
import type { IcmpCode, Icmpv6Code, IcmpxCode, RejectStatement } from '../model/index.js'
import type { RuleState } from './rule-state.js'

const tcp = 6

/** False when it is not understood: an ICMP message without its family, a code without a name. */
export function readReject(state: RuleState, { type, icmpCode = 0 }: ExprRejectRecord): boolean {
  const reject = rejection(state, type, icmpCode)
  if (!reject) return false
  state.say({ reject })
  return true
}

function rejection(
  state: RuleState,
  type: number | undefined,
  code: number,
): RejectStatement['reject'] | undefined {
  const { protocols, family } = state
  switch (type) {
    case RejectTypes['tcp reset']:
      // In tables of one family the protocol follows from the statement; elsewhere nft, too, keeps the match.
      if (family === 'ip' || family === 'ip6') protocols.useTransport(tcp)
      return { type: 'tcp reset' }
    case RejectTypes.icmpx:
      return { type: 'icmpx', expr: named<IcmpxCode>('icmpx_code', code) }
    case RejectTypes.icmp: {
      const network = protocols.network
      if (network !== 'ip' && network !== 'ip6') return undefined
      protocols.useNetwork(network)
      return network === 'ip'
        ? { type: 'icmp', expr: named<IcmpCode>('icmp_code', code) }
        : { type: 'icmpv6', expr: named<Icmpv6Code>('icmpv6_code', code) }
    }
    default:
      return undefined
  }
}

/** The names of the type are those of the model. */
function named<Code extends string>(
  type: 'icmp_code' | 'icmpv6_code' | 'icmpx_code',
  code: number,
): Code | number {
  const text = datatype(type).read(Uint8Array.of(code), 0, 1, 'big')
  return typeof text === 'string' ? (text as Code) : code
}
