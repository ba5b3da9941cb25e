/** Targets that translate: nf_nat_ipv4_multi_range_compat, nf_nat_range and nf_nat_range2 of linux/netfilter/nf_nat.h. */
import { InvalidValue } from '../datatype/index.js'
import type { Expression, NatFlag, NatTarget, Statement, XtNat, XtNatFlag, XtRange } from '../model/index.js'
import { addressBytes, addressText } from './address.js'
import { options, type XtCodec, type XtExtension, type XtFamily } from './codec.js'
import { bitsOf, namesOf } from './flags.js'
import { be16, raw, structure, u32 } from './layout.js'
import { checkRange } from './range.js'

/** One range of IPv4, which is all that any kernel takes. */
const multiInfo = structure(20, {
  count: u32(0),
  flags: u32(4),
  low: raw(8, 4),
  high: raw(12, 4),
  portLow: be16(16),
  portHigh: be16(18),
})
const rangeFields = {
  flags: u32(0),
  low: raw(4, 16),
  high: raw(20, 16),
  portLow: be16(36),
  portHigh: be16(38),
}
const rangeInfo = structure(40, rangeFields)
/** With a base port, from which ports are shifted: the options do not say it. */
const range2Info = structure(44, rangeFields)

const Flags = { addresses: 1, ports: 2, netmap: 64 } as const
const names: { readonly [F in XtNatFlag]: number } = { random: 4, persistent: 8, 'random-fully': 16 }

interface Values {
  readonly flags: number
  readonly low: Uint8Array
  readonly high: Uint8Array
  readonly portLow: number
  readonly portHigh: number
}

function read(
  { flags, low, high, portLow, portHigh }: Values,
  family: XtFamily,
  always: number,
): XtNat | undefined {
  if ((flags & always) !== always) return undefined
  const own = namesOf(names, flags & ~(Flags.addresses | Flags.ports | always))
  if (!own) return undefined
  return {
    ...((flags & Flags.addresses) !== 0 && {
      address: [addressText(low, family), addressText(high, family)] as const,
    }),
    ...((flags & Flags.ports) !== 0 && { port: [portLow, portHigh] as const }),
    ...(own.length > 0 && { flags: own }),
  }
}

function write({ address, port, flags = [] }: XtNat, family: XtFamily, always: number): Values {
  if (port !== undefined) checkRange(port)
  const [low, high] = address ?? []
  if ((low === undefined) !== (high === undefined))
    throw new InvalidValue('an address has a lowest and a highest')
  const bytes = (text: string | undefined): Uint8Array =>
    text === undefined ? new Uint8Array(16) : addressBytes(text, family)
  return {
    flags: (address ? Flags.addresses : 0) | (port ? Flags.ports : 0) | bitsOf(names, flags) | always,
    low: bytes(low),
    high: bytes(high),
    portLow: port?.[0] ?? 0,
    portHigh: port?.[1] ?? 0,
  }
}

/** @param always flags that the target has in any case */
function multi(rev: number, always: number): XtCodec<XtNat> {
  return {
    rev,
    family: 'ip',
    size: multiInfo.size,
    read: (bytes, family) => {
      const values = multiInfo.read(bytes)
      return values.count === 1 ? read(values, family, always) : undefined
    },
    write: (options, family) => multiInfo.write({ count: 1, ...write(options, family, always) }),
  }
}

function single(rev: number, info: typeof rangeInfo, always: number, family?: XtFamily): XtCodec<XtNat> {
  return {
    rev,
    ...(family && { family }),
    size: info.size,
    read: (bytes, of) => read(info.read(bytes), of, always),
    write: (options, of) => info.write(write(options, of, always)),
  }
}

const portsText = ([low, high]: XtRange): string => (low === high ? String(low) : `${low}-${high}`)

/** `1.2.3.4-1.2.3.6:5-9`, as iptables writes where to. */
function targetText({ address, port }: XtNat, family: XtFamily): string {
  const [low, high] = address ?? []
  const ports = port && portsText(port)
  if (low === undefined || high === undefined) return ports === undefined ? '' : `:${ports}`
  const written = (each: string): string => (family === 'ip6' && ports !== undefined ? `[${each}]` : each)
  const addresses = low === high ? written(low) : `${written(low)}-${written(high)}`
  return ports === undefined ? addresses : `${addresses}:${ports}`
}

const flagsText = ({ flags = [] }: XtNat): string => flags.map((flag) => `--${flag}`).join(' ')

const flagsOf: { readonly [F in XtNatFlag]: Exclude<NatFlag, 'netmap'> } = {
  random: 'random',
  persistent: 'persistent',
  'random-fully': 'fully-random',
}

const rangeOf = <Value extends string | number>([low, high]: readonly [Value, Value]): Expression =>
  low === high ? low : { range: [low, high] }

function portTarget({ port, flags }: XtNat): {
  readonly port?: Expression
  readonly flags?: readonly Exclude<NatFlag, 'netmap'>[]
} {
  return {
    ...(port && { port: rangeOf(port) }),
    ...(flags && { flags: flags.map((flag) => flagsOf[flag]) }),
  }
}

function natTarget(options: XtNat, family: XtFamily): NatTarget {
  return { family, ...(options.address && { addr: rangeOf(options.address) }), ...portTarget(options) }
}

function translating(
  codecs: readonly XtCodec<XtNat>[],
  name: string,
  meaning: (options: XtNat, family: XtFamily) => Statement | undefined,
): XtExtension<XtNat> {
  return {
    codecs,
    text: (given, family) => {
      const target = name === 'to-ports' ? given.port && portsText(given.port) : targetText(given, family)
      return options(target === undefined || target === '' ? '' : `--${name} ${target}`, flagsText(given))
    },
    meaning: (given, family) => {
      const statement = meaning(given, family)
      return statement && [statement]
    },
  }
}

export const dnat: XtExtension<XtNat> = translating(
  [multi(0, 0), single(1, rangeInfo, 0, 'ip6'), single(2, range2Info, 0)],
  'to-destination',
  (given, family) => ({ dnat: natTarget(given, family) }),
)
export const snat: XtExtension<XtNat> = translating(
  [multi(0, 0), single(1, rangeInfo, 0)],
  'to-source',
  (given, family) => ({ snat: natTarget(given, family) }),
)
export const masquerade: XtExtension<XtNat> = translating(
  [multi(0, 0), single(0, rangeInfo, 0, 'ip6')],
  'to-ports',
  (given) => ({ masquerade: given.port || given.flags ? portTarget(given) : null }),
)
export const redirect: XtExtension<XtNat> = translating(
  [multi(0, 0), single(0, rangeInfo, 0, 'ip6')],
  'to-ports',
  (given) => ({ redirect: given.port || given.flags ? portTarget(given) : null }),
)
/** Which of the packet's addresses is translated depends on the hook, which nft says in the statement. */
export const netmap: XtExtension<XtNat> = translating(
  [multi(0, 0), single(0, rangeInfo, Flags.netmap, 'ip6')],
  'to',
  () => undefined,
)
