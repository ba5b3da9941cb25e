/** `snat`, `dnat`, `masquerade`, `redirect`. */
import { datatype, InvalidValue, keyLayout, quote } from '../datatype/index.js'
import { familyNumbers, NatFlags, NatTypes, payloadBases } from '../kernel/constants.js'
import type { Expression, MapExpression, NatFlag, NatTarget, PortTarget } from '../model/index.js'
import { isMap, mapTypes, prepareArgument, prepareMap, registerBehind } from './argument.js'
import { isObject } from './constant.js'
import { isPrefix, isRange } from './interval.js'
import type { NatData, PortData } from './kernel-expression.js'
import type { Draft } from './message.js'
import type { Operand } from './operand.js'
import { register, slots } from './registers.js'
import type { RuleContext } from './rule-context.js'

const flagBits: ReadonlyMap<string, number> = new Map(Object.entries(NatFlags))

function natFlags(
  context: RuleContext,
  flags: NatFlag | readonly NatFlag[] | undefined,
  netmap: boolean,
): number {
  if (flags === undefined) return 0
  context.trail.enter('flags')
  let bits = 0
  for (const flag of [flags].flat()) {
    const bit = (flag === 'netmap' && netmap) || portFlags.has(flag) ? flagBits.get(flag) : undefined
    if (bit === undefined)
      throw new InvalidValue(
        `${quote(flag)} is no flag of translation: random, fully-random, persistent${netmap ? ' or netmap' : ''}`,
      )
    bits |= bit
  }
  context.trail.leave()
  return bits
}

const portFlags: ReadonlySet<string> = new Set(['random', 'fully-random', 'persistent'])

/** `netmap` exchanges the network of an address: it needs one, or a map that gives networks. */
function netmapFlag(context: RuleContext, { flags, type_flags, addr }: NatTarget): number {
  const types = type_flags === undefined ? [] : [type_flags].flat()
  const named = flags === undefined ? [] : [flags].flat()
  if (!types.includes('prefix') && !named.includes('netmap')) return 0
  context.trail.enter('addr')
  if (addr === undefined || !(isPrefix(addr) || isMap(addr)))
    throw new InvalidValue('netmap needs a network: { prefix: { addr, len } }, or a map that gives networks')
  context.trail.leave()
  return NatFlags.netmap
}

/** The family of the addresses: said, the table's, or that of the packets as matched before. */
function natFamily(context: RuleContext, target: NatTarget): 'ip' | 'ip6' | 'inet' {
  const { family } = context
  if (family !== 'ip' && family !== 'ip6' && family !== 'inet')
    throw new InvalidValue(`a table of family ${family} has no address translation`)
  if (family !== 'inet') {
    if (target.family !== undefined && target.family !== family)
      throw new InvalidValue(`the table is of family ${family}, the target of ${target.family}`)
    return family
  }
  if (target.addr === undefined) return 'inet'
  const { network } = context.protocols
  const known = target.family ?? (network === 'ip' || network === 'ip6' ? network : undefined)
  if (known === undefined)
    throw new InvalidValue("the target needs family: 'ip' or 'ip6' in a table of family inet")
  return known
}

function requireTransport(context: RuleContext): void {
  if (context.protocols.transport === undefined)
    throw new InvalidValue(
      'a port is translated only after a match of the transport protocol (meta l4proto, tcp …)',
    )
}

/** The trail stands at the target. */
export function compileNat(context: RuleContext, type: keyof typeof NatTypes, target: NatTarget): void {
  if (target === null || typeof target !== 'object') throw new InvalidValue('{ addr, port, … } is expected')
  const { out, trail } = context
  const family = natFamily(context, target)
  const data: Draft<NatData> = {
    type: NatTypes[type],
    family: familyNumbers[family],
  }
  let flags = natFlags(context, target.flags, true) | netmapFlag(context, target)
  let loadAddress = (): number => 0
  if (target.addr !== undefined && family !== 'inet') {
    trail.enter('addr')
    const both = isMap(target.addr) && givesPort(context, target.addr.map)
    if (both && isMap(target.addr)) loadAddress = addressAndPort(context, family, target.addr.map, data)
    else loadAddress = address(context, family, target.addr, data)
    trail.leave()
    if (both && target.port !== undefined) throw new InvalidValue('the map gives the port already')
  }
  if (target.port !== undefined) {
    trail.enter('port')
    const loadPort = port(context, target.port, data)
    trail.leave()
    loadPort(loadAddress())
    flags |= NatFlags.protoSpecified
  } else loadAddress()
  if (flags !== 0) data.flags = flags
  out.push({ name: 'nat', data })
}

/** Whether a map gives an address and a port: by its declared type, or as its elements are written. */
function givesPort(context: RuleContext, map: MapExpression['map']): boolean {
  if (typeof map.data === 'string') {
    const types = mapTypes(context, map)
    if (types === undefined)
      throw new InvalidValue(
        `what ${map.data} gives is not known here: say type: ['ipv4_addr', 'inet_service'] or type: 'ipv4_addr'`,
      )
    return types.length === 2
  }
  const first = map.data.set[0]
  const value = Array.isArray(first) ? first[1] : undefined
  return typeof value === 'object' && value !== null && 'concat' in value
}

const addressTypes = { ip: 'ipv4_addr', ip6: 'ipv6_addr' } as const

function addressAndPort(
  context: RuleContext,
  family: 'ip' | 'ip6',
  map: MapExpression['map'],
  data: Draft<NatData>,
): () => number {
  const layout = keyLayout([addressTypes[family], 'inet_service'])
  const ranges = givesRanges(context, map)
  const { key, load } = prepareMap(context, map, { ...layout, ranges })
  if (!readsTransport(key)) requireTransport(context)
  const length = family === 'ip' ? 4 : 16
  data.regAddrMin = register(0)
  data.regProtoMin = registerBehind(0, length)
  if (ranges) {
    const upper = slots(layout.length)
    data.regAddrMax = register(upper)
    data.regProtoMax = registerBehind(upper, length)
  }
  return () => {
    load(0)
    return 4
  }
}

/** Whether a map gives ranges or networks, of which the kernel needs both ends: a named one by its declaration. */
function givesRanges(context: RuleContext, { data }: MapExpression['map']): boolean {
  if (typeof data === 'string')
    return context.batch.scope.find(context.family, context.table, data.slice(1))?.ranges ?? false
  return data.set.some((element) => {
    const value = Array.isArray(element) ? element[1] : undefined
    if (!isObject(value)) return false
    if ('concat' in value && Array.isArray(value.concat))
      return value.concat.some((part: Expression) => isRange(part) || isPrefix(part))
    return 'range' in value || 'prefix' in value
  })
}

/** Whether a key has a field of the transport header: then there is one. */
function readsTransport(key: Operand): boolean {
  const parts = key.kind === 'value' ? [key] : key.parts
  return parts.some(({ source }) => source.kind === 'payload' && source.base === payloadBases.th)
}

/** Prepares the address; loading it tells the first slot that is free behind it. */
function address(
  context: RuleContext,
  family: 'ip' | 'ip6',
  expression: Expression,
  data: { regAddrMin?: number; regAddrMax?: number },
): () => number {
  if (isMap(expression) && givesRanges(context, expression.map)) {
    const layout = keyLayout(addressTypes[family])
    const { load } = prepareMap(context, expression.map, { ...layout, ranges: true })
    data.regAddrMin = register(0)
    data.regAddrMax = registerBehind(0, layout.length)
    return () => {
      load(0)
      return Math.max(4, slots(2 * layout.length))
    }
  }
  const load = prepareArgument(context, expression, datatype(addressTypes[family]))
  return () => {
    const { min, max } = load(0)
    data.regAddrMin = min
    if (max === undefined) return 4
    data.regAddrMax = max
    return 8
  }
}

function port(
  context: RuleContext,
  expression: Expression,
  data: { regProtoMin?: number; regProtoMax?: number },
): (slot: number) => void {
  const load = prepareArgument(context, expression, datatype('inet_service'))
  requireTransport(context)
  return (slot) => {
    const { min, max } = load(slot)
    data.regProtoMin = min
    if (max !== undefined) data.regProtoMax = max
  }
}

/** `masquerade`, `redirect`; the trail stands at the target. */
export function compilePortTarget(
  context: RuleContext,
  name: 'masq' | 'redir',
  target: PortTarget | null,
): void {
  const data: Draft<PortData> = {}
  let flags = natFlags(context, target?.flags, false)
  if (target?.port !== undefined) {
    context.trail.enter('port')
    port(context, target.port, data)(0)
    context.trail.leave()
    flags |= NatFlags.protoSpecified
  }
  if (flags !== 0) data.flags = flags
  context.out.push(name === 'masq' ? { name, data } : { name, data })
}
