/** Named objects of conntrack: helpers, timeout policies, expectations. */
import type { NftCtExpectRecord, NftCtHelperRecord, NftCtTimeoutRecord } from '../../native/records.js'
import { readNumber } from '../datatype/index.js'
import { familyNumbers } from '../kernel/constants.js'
import { type TimeoutState, timeoutStates } from '../kernel/ct-timeout.js'
import type { CtExpectation, CtHelper, CtTimeout } from '../model/index.js'

type Own<T> = T extends unknown ? Omit<T, 'family' | 'table' | 'name' | 'handle' | 'comment'> : never

const protocols = { 6: 'tcp', 17: 'udp', 33: 'dccp', 132: 'sctp', 136: 'udplite' } as const

function protocolOf(number: number | undefined): (typeof protocols)[keyof typeof protocols] | undefined {
  const pairs = Object.entries(protocols)
  return pairs.find(([each]) => Number(each) === number)?.[1]
}

const families = ['ip', 'ip6', 'inet'] as const

function networkOf(number: number | undefined): { readonly l3proto: (typeof families)[number] } | undefined {
  const l3proto = families.find((family) => familyNumbers[family] === number)
  return l3proto && { l3proto }
}

export function readCtHelper(record: NftCtHelperRecord): Own<CtHelper> | undefined {
  const protocol = protocolOf(record.l4proto)
  const network = networkOf(record.l3proto)
  const { name: type } = record
  if (type === undefined || !network || (protocol !== 'tcp' && protocol !== 'udp')) return undefined
  return { type, protocol, ...network }
}

export function readCtExpectation(record: NftCtExpectRecord): Own<CtExpectation> | undefined {
  const protocol = protocolOf(record.l4proto)
  const network = networkOf(record.l3proto)
  const { dport, timeout, size } = record
  if (!protocol || !network || dport === undefined || timeout === undefined || size === undefined)
    return undefined
  return { protocol, dport, timeout, size, ...network }
}

export function readCtTimeout(record: NftCtTimeoutRecord): Own<CtTimeout> | undefined {
  const protocol = protocolOf(record.l4proto)
  const network = networkOf(record.l3proto)
  if (!network || (protocol !== 'tcp' && protocol !== 'udp')) return undefined
  const values = record.data === undefined ? new Map<number, number>() : attributes(record.data)
  if (!values) return undefined
  if (protocol === 'tcp') return { protocol, ...network, ...policy(timeoutStates.tcp, values) }
  return { protocol, ...network, ...policy(timeoutStates.udp, values) }
}

/** Like nft: the states whose time is not the one that Linux has by default. */
function policy<Name extends string>(
  states: readonly TimeoutState<Name>[],
  values: ReadonlyMap<number, number>,
): { readonly policy?: { readonly [N in Name]?: number } } {
  const said: { [N in Name]?: number } = {}
  for (const [index, { name, seconds }] of states.entries()) {
    const value = values.get(index + 1)
    if (value !== undefined && value !== seconds) said[name] = value
  }
  return Object.keys(said).length > 0 ? { policy: said } : {}
}

/** Netlink attributes of four bytes, by their types; undefined when there are others. */
function attributes(bytes: Uint8Array): ReadonlyMap<number, number> | undefined {
  const values = new Map<number, number>()
  for (let at = 0; at < bytes.length; at += 8) {
    if (at + 8 > bytes.length || readNumber(bytes, at, 2, 'host') !== 8) return undefined
    values.set(Number(readNumber(bytes, at + 2, 2, 'host')), Number(readNumber(bytes, at + 4, 4, 'big')))
  }
  return values
}
