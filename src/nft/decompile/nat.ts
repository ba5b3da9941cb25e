/** Address translation: nat, masq and redir. */

import type { ExprMasqRecord, ExprNatRecord, ExprRedirRecord } from '../../native/records.js'
import { datatype } from '../datatype/index.js'
import { familyNumbers, NatFlags, NatTypes } from '../kernel/constants.js'
import type { Expression, NatFlag, NatTarget, PortTarget } from '../model/index.js'
import { type Encoding, readInterval, readRange, readValue } from './constants.js'
import { type Part, use } from './operand.js'
import { Registers } from './registers.js'
import type { RuleState } from './rule-state.js'
import type { Loaded } from './value.js'

/** What one or two registers say, and where from. */
interface Target {
  readonly expression: Expression
  readonly from: readonly Loaded[]
  /** The key of a map. */
  readonly parts: readonly Part[]
  /** The map gives the port as well. */
  readonly withPort?: boolean
}

const families: ReadonlyMap<number, 'ip' | 'ip6'> = new Map([
  [2, 'ip'],
  [10, 'ip6'],
])
/** NF_NAT_RANGE_MAP_IPS and NF_NAT_RANGE_PROTO_SPECIFIED, which the kernel sets by what it is given. */
const impliedFlags = 0x1 | NatFlags.protoSpecified
const flagNames: readonly Exclude<NatFlag, 'netmap'>[] = ['random', 'fully-random', 'persistent']

export function readNat(state: RuleState, record: ExprNatRecord): boolean {
  const { type, regAddrMin, regAddrMax, regProtoMin, regProtoMax } = record
  const family = families.get(record.family ?? -1)
  // A port alone is of both families.
  if (!family && (regAddrMin !== undefined || record.family !== familyNumbers.inet)) return false
  if (type !== NatTypes.snat && type !== NatTypes.dnat) return false
  const flags = readFlags(record.flags, true)
  const address =
    family && regAddrMin !== undefined ? readAddress(state, record, regAddrMin, family) : undefined
  if (!flags || (regAddrMin !== undefined && !address)) return false
  const hasPort = regProtoMin !== undefined && !address?.withPort
  const port = hasPort ? readPort(state, regProtoMin, regProtoMax) : undefined
  if (hasPort && !port) return false
  if (regAddrMin === undefined && regAddrMax !== undefined) return false
  const target: NatTarget = {
    // With an address and a port of one map nft says the family in tables of that family too.
    ...(family && (state.family !== family || address?.withPort) && { family }),
    ...(address && { addr: address.expression }),
    ...(port && { port: port.expression }),
    ...said(flags),
    ...(flags.includes('netmap') && { type_flags: 'prefix' as const }),
  }
  use(address?.parts ?? [], state.protocols)
  usePort(port?.parts ?? [], state.protocols)
  const from = [...(address?.from ?? []), ...(port?.from ?? [])]
  state.say(type === NatTypes.snat ? { snat: target } : { dnat: target }, from)
  return true
}

export function readMasquerade(state: RuleState, record: ExprMasqRecord): boolean {
  const port = readPortTarget(state, record)
  if (!port) return false
  state.say({ masquerade: port.target }, port.from)
  return true
}

export function readRedirect(state: RuleState, record: ExprRedirRecord): boolean {
  const port = readPortTarget(state, record)
  if (!port) return false
  state.say({ redirect: port.target }, port.from)
  return true
}

function readPortTarget(
  state: RuleState,
  record: ExprMasqRecord | ExprRedirRecord,
): { readonly target: PortTarget | null; readonly from: readonly Loaded[] } | undefined {
  const flags = readFlags(record.flags, false)
  if (!flags) return undefined
  const { regProtoMin, regProtoMax } = record
  const port = regProtoMin === undefined ? undefined : readPort(state, regProtoMin, regProtoMax)
  if (regProtoMin !== undefined && !port) return undefined
  usePort(port?.parts ?? [], state.protocols)
  const named = flags.filter((flag) => flag !== 'netmap')
  const target = { ...(port && { port: port.expression }), ...said(named) }
  return { target: Object.keys(target).length > 0 ? target : null, from: port?.from ?? [] }
}

function readAddress(
  state: RuleState,
  record: ExprNatRecord,
  register: number,
  family: 'ip' | 'ip6',
): Target | undefined {
  const encoding: Encoding = {
    type: datatype(family === 'ip' ? 'ipv4_addr' : 'ipv6_addr'),
    order: 'big',
    length: family === 'ip' ? 4 : 16,
    shift: 0,
  }
  const last = record.regAddrMax ?? register
  const mapped = readMapped(state, register)
  if (!mapped) return readConstants(state, register, last, encoding, readInterval)
  if (last !== register) return readMappedRange(state, record, register, mapped, encoding.length)
  const fields = state.sets.dataFields(mapped.set) ?? []
  if (fields[0]?.length !== encoding.length) return undefined
  if (record.regProtoMin === undefined) return fields.length === 1 ? mapped.target : undefined
  if (fields.length === 1) return mapped.target
  const distance = Registers.distance(register, record.regProtoMin)
  const isPort = fields.length === 2 && fields[1] && distance === fields[1].offset / 4
  if (!isPort || (record.regProtoMax ?? record.regProtoMin) !== record.regProtoMin) return undefined
  return { ...mapped.target, withPort: true }
}

/** A map of ranges gives the lowest of address and port, and behind them the highest. */
function readMappedRange(
  state: RuleState,
  record: ExprNatRecord,
  register: number,
  { target, set }: Mapped,
  length: number,
): Target | undefined {
  const { regAddrMax, regProtoMin, regProtoMax } = record
  const fields = state.sets.givesRanges(set) ? (state.sets.dataFields(set) ?? []) : []
  const [address, port] = fields
  const words = (to: number | undefined): number | undefined =>
    to === undefined ? undefined : Registers.distance(register, to)
  if (address?.length !== length || fields.length > 2) return undefined
  const half = (port === undefined ? length : port.offset + 4) / 4
  if (words(regAddrMax) !== half) return undefined
  if (port === undefined) return target
  const portWord = port.offset / 4
  if (words(regProtoMin) !== portWord || words(regProtoMax) !== half + portWord) return undefined
  return { ...target, withPort: true }
}

interface Mapped {
  readonly target: Target
  readonly set: string
}

function readPort(state: RuleState, register: number, last: number = register): Target | undefined {
  const mapped = last === register ? readMapped(state, register) : undefined
  if (mapped) {
    const fields = state.sets.dataFields(mapped.set) ?? []
    return fields.length === 1 && fields[0]?.length === 2 ? mapped.target : undefined
  }
  return readConstants(
    state,
    register,
    last,
    { type: datatype('inet_service'), order: 'big', length: 2, shift: 0 },
    readRange,
  )
}

function readMapped(state: RuleState, register: number): Mapped | undefined {
  const loaded = state.registers.at(register)
  if (loaded?.value.kind !== 'mapped') return undefined
  const { key, expression, set } = loaded.value
  return { target: { expression, from: [loaded], parts: key.parts }, set }
}

function readConstants(
  state: RuleState,
  first: number,
  last: number,
  encoding: Encoding,
  range: (first: Uint8Array, last: Uint8Array, encoding: Encoding) => Expression | undefined,
): Target | undefined {
  const lower = state.registers.at(first)
  const upper = state.registers.at(last)
  if (lower?.value.kind !== 'constant' || upper?.value.kind !== 'constant') return undefined
  if (lower.length !== encoding.length || upper.length !== encoding.length) return undefined
  if (first === last) return { expression: readValue(lower.value.bytes, encoding), from: [lower], parts: [] }
  const expression = range(lower.value.bytes, upper.value.bytes, encoding)
  return expression === undefined ? undefined : { expression, from: [lower, upper], parts: [] }
}

/** The flags that the model names; undefined when there are others. */
function readFlags(flags = 0, netmap: boolean): NatFlag[] | undefined {
  const names: NatFlag[] = flagNames.filter((name) => (flags & NatFlags[name]) !== 0)
  if (netmap && (flags & NatFlags.netmap) !== 0) names.push('netmap')
  const known = names.reduce((all, name) => all | NatFlags[name], impliedFlags)
  return (flags & ~known) === 0 ? names : undefined
}

/** One flag stands alone, several are a list, as in libnftables' JSON. */
function said<Flag extends NatFlag>(flags: readonly Flag[]): { readonly flags?: Flag | readonly Flag[] } {
  const [first] = flags
  if (first === undefined) return {}
  return { flags: flags.length === 1 ? first : flags }
}

const networks: ReadonlySet<string> = new Set(['ip', 'ip6', 'arp'])

/** As in nft's text: the match of the transport protocol that ports need stays, whatever the port is made from. */
function usePort(parts: readonly Part[], protocols: RuleState['protocols']): void {
  use(
    parts.filter(({ header }) => header === undefined || networks.has(header)),
    protocols,
  )
}
