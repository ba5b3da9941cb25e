/** `conntrack` and `state`: linux/netfilter/xt_conntrack.h, xt_state.h. */
import type {
  CtDirection,
  Statement,
  XtConntrack,
  XtCtState,
  XtCtStatus,
  XtRange,
  XtState,
} from '../model/index.js'
import { maskedBytes, maskedExpression, maskedText } from './address.js'
import {
  equals,
  match,
  option,
  options,
  type XtCodec,
  type XtExtension,
  type XtFamily,
  type XtTest,
} from './codec.js'
import { bitsOf, namesOf } from './flags.js'
import { be16, type Field, raw, structure, u16, u32 } from './layout.js'
import { checkRange, rangeExpression, rangeText } from './range.js'

/** XT_CONNTRACK_STATE_* */
const states: { readonly [S in XtCtState]: number } = {
  INVALID: 1,
  ESTABLISHED: 2,
  RELATED: 4,
  NEW: 8,
  SNAT: 0x40,
  DNAT: 0x80,
  UNTRACKED: 0x100,
}
/** IPS_*; no bit at all is `NONE`. */
const statuses: { readonly [S in Exclude<XtCtStatus, 'NONE'>]: number } = {
  EXPECTED: 1,
  SEEN_REPLY: 2,
  ASSURED: 4,
  CONFIRMED: 8,
}
const Flags = { state: 1, proto: 2, status: 0x40, expires: 0x80, direction: 0x1000, alias: 0x2000 } as const

const sides = ['origsrc', 'origdst', 'replsrc', 'repldst'] as const
type Side = (typeof sides)[number]
/** XT_CONNTRACK_ORIGSRC and those that follow; XT_CONNTRACK_ORIGSRC_PORT and those that follow. */
const addressFlag = (index: number): number => 4 << index
const portFlag = (index: number): number => 0x100 << index

/** Revision 2 has one port in the order of packets, revision 3 a range in that of the host. */
function infoOf(
  port: (at: number) => Field<number>,
  size: number,
  high: (at: number) => Field<number>,
  highAt: number,
) {
  return structure(size, {
    addresses: raw(0, 128),
    expiresMin: u32(128),
    expiresMax: u32(132),
    proto: u16(136),
    port0: port(138),
    port1: port(140),
    port2: port(142),
    port3: port(144),
    match: u16(146),
    invert: u16(148),
    state: u16(150),
    status: u16(152),
    high0: high(highAt),
    high1: high(highAt + 2),
    high2: high(highAt + 4),
    high3: high(highAt + 6),
  })
}
type Info = ReturnType<typeof infoOf>

/** What revision 2 does not have. */
const nothing = (): Field<number> => ({ read: () => 0, write: () => {} })

function codec(rev: 2 | 3, info: Info): XtCodec<XtConntrack> {
  return {
    rev,
    size: info.size,
    read: (bytes, family) => {
      const values = info.read(bytes)
      const { match: matched, invert, addresses } = values
      const inverted = (flag: number): { readonly inv?: true } => ((invert & flag) !== 0 ? { inv: true } : {})
      const has = (flag: number): boolean => (matched & flag) !== 0
      const lows = [values.port0, values.port1, values.port2, values.port3]
      const highs = [values.high0, values.high1, values.high2, values.high3]
      const ctstate = namesOf(states, values.state)
      const ctstatus = statusNames(values.status)
      if (!ctstate || !ctstatus) return undefined
      const found: { -readonly [N in keyof XtConntrack]: XtConntrack[N] } = {}
      if (has(Flags.state)) found.ctstate = { value: ctstate, ...inverted(Flags.state) }
      if (has(Flags.proto)) found.ctproto = { value: values.proto, ...inverted(Flags.proto) }
      for (const [index, side] of sides.entries()) {
        const at = index * 32
        const value = maskedText(
          addresses.subarray(at, at + 16),
          addresses.subarray(at + 16, at + 32),
          family,
        )
        if (has(addressFlag(index))) found[`ct${side}`] = { value, ...inverted(addressFlag(index)) }
        const low = lows[index] ?? 0
        const range: XtRange = [low, rev === 2 ? low : (highs[index] ?? 0)]
        if (has(portFlag(index))) found[`ct${side}port`] = { value: range, ...inverted(portFlag(index)) }
      }
      if (has(Flags.status)) found.ctstatus = { value: ctstatus, ...inverted(Flags.status) }
      if (has(Flags.expires))
        found.ctexpire = { value: [values.expiresMin, values.expiresMax], ...inverted(Flags.expires) }
      if (has(Flags.direction)) found.ctdir = (invert & Flags.direction) !== 0 ? 'REPLY' : 'ORIGINAL'
      if (has(Flags.alias)) found.alias = true
      return found
    },
    write: (given, family) => {
      let matched = 0
      let invert = 0
      const use = (flag: number, inv: boolean | undefined): void => {
        matched |= flag
        if (inv) invert |= flag
      }
      const addresses = new Uint8Array(128)
      const ports: XtRange[] = sides.map(() => [0, 0])
      for (const [index, side] of sides.entries()) {
        const address = given[`ct${side}`]
        if (address !== undefined) {
          const bytes = maskedBytes(address.value, family)
          addresses.set(bytes.address, index * 32)
          addresses.set(bytes.mask, index * 32 + 16)
          use(addressFlag(index), address.inv)
        }
        const port = given[`ct${side}port`]
        if (port === undefined) continue
        ports[index] = checkRange(port.value)
        use(portFlag(index), port.inv)
      }
      if (given.ctstate) use(Flags.state, given.ctstate.inv)
      if (given.ctproto) use(Flags.proto, given.ctproto.inv)
      if (given.ctstatus) use(Flags.status, given.ctstatus.inv)
      if (given.ctexpire) use(Flags.expires, given.ctexpire.inv)
      if (given.ctdir !== undefined) use(Flags.direction, given.ctdir === 'REPLY')
      if (given.alias) matched |= Flags.alias
      const end = (index: number, which: 0 | 1): number => ports[index]?.[which] ?? 0
      return info.write({
        addresses,
        expiresMin: given.ctexpire?.value[0] ?? 0,
        expiresMax: given.ctexpire?.value[1] ?? 0,
        proto: given.ctproto?.value ?? 0,
        port0: end(0, 0),
        port1: end(1, 0),
        port2: end(2, 0),
        port3: end(3, 0),
        high0: end(0, 1),
        high1: end(1, 1),
        high2: end(2, 1),
        high3: end(3, 1),
        match: matched,
        invert,
        state: bitsOf(states, given.ctstate?.value ?? []),
        status: bitsOf(
          statuses,
          (given.ctstatus?.value ?? []).filter((name) => name !== 'NONE'),
        ),
      })
    },
  }
}

function statusNames(bits: number): XtCtStatus[] | undefined {
  return bits === 0 ? ['NONE'] : namesOf(statuses, bits)
}

export const conntrack: XtExtension<XtConntrack> = {
  codecs: [codec(3, infoOf(u16, 164, u16, 154)), codec(2, infoOf(be16, 156, nothing, 154))],
  text: (given) =>
    options(
      option(given.alias ? 'state' : 'ctstate', given.ctstate?.value.join(','), given.ctstate?.inv),
      option('ctproto', given.ctproto && String(given.ctproto.value), given.ctproto?.inv),
      ...sides.flatMap((side) => {
        const [address, port] = [given[`ct${side}`], given[`ct${side}port`]]
        return [
          option(`ct${side}`, address?.value, address?.inv),
          option(`ct${side}port`, port && rangeText(port.value), port?.inv),
        ]
      }),
      option('ctstatus', given.ctstatus?.value.join(','), given.ctstatus?.inv),
      option('ctexpire', given.ctexpire && rangeText(given.ctexpire.value), given.ctexpire?.inv),
      option('ctdir', given.ctdir),
    ),
  meaning: (given, family) => {
    if (given.ctexpire) return undefined
    const statements: Statement[] = []
    if (given.ctstate) {
      const tested = stateMeaning(given.ctstate)
      if (!tested) return undefined
      statements.push(...tested)
    }
    if (given.ctproto)
      statements.push(
        equals({ ct: { key: 'protocol', dir: 'original' } }, given.ctproto.value, given.ctproto.inv),
      )
    for (const side of sides) {
      const address = sideMeaning(side, family, given[`ct${side}`])
      const port = given[`ct${side}port`]
      if (!address) return undefined
      statements.push(...address)
      if (port)
        statements.push(
          equals({ ct: { key: portKey(side), dir: direction(side) } }, rangeExpression(port.value), port.inv),
        )
    }
    if (given.ctstatus) {
      const { value, inv } = given.ctstatus
      const bits = bitsOf(
        statuses,
        value.filter((name) => name !== 'NONE'),
      )
      // No bit of them: IPS_EXPECTED and the like are all that iptables asks about then.
      if (bits === 0) statements.push(equals({ ct: { key: 'status' } }, 0, inv))
      else statements.push(match({ ct: { key: 'status' } }, inv ? '!' : 'in', bits))
    }
    if (given.ctdir !== undefined)
      statements.push(equals({ ct: { key: 'direction' } }, given.ctdir.toLowerCase(), false))
    return statements
  },
}

/** States of nft; whether a connection is translated is a status there: to be one of both is no comparison. */
function stateMeaning({ value, inv }: XtTest<readonly XtCtState[]>): Statement[] | undefined {
  const names = value.filter((name) => name !== 'SNAT' && name !== 'DNAT')
  const nat = value.flatMap((name) => (name === 'SNAT' || name === 'DNAT' ? [name.toLowerCase()] : []))
  const op = inv ? '!' : 'in'
  const statements: Statement[] = []
  if (nat.length > 0) statements.push(match({ ct: { key: 'status' } }, op, nat))
  if (names.length > 0)
    statements.push(
      match(
        { ct: { key: 'state' } },
        op,
        names.map((name) => name.toLowerCase()),
      ),
    )
  return statements.length > 1 && !inv ? undefined : statements
}

const direction = (side: Side): CtDirection => (side.startsWith('orig') ? 'original' : 'reply')
const portKey = (side: Side): 'proto-src' | 'proto-dst' => (side.endsWith('src') ? 'proto-src' : 'proto-dst')

function sideMeaning(
  side: Side,
  family: XtFamily,
  test: XtTest<string> | undefined,
): Statement[] | undefined {
  if (!test) return []
  const value = maskedExpression(test.value)
  const key = side.endsWith('src') ? 'saddr' : 'daddr'
  return value === undefined
    ? undefined
    : [equals({ ct: { key: `${family} ${key}`, dir: direction(side) } }, value, test.inv)]
}

const stateInfo = structure(4, { state: u32(0) })

/** The match of earlier iptables, whose bits are the same. */
export const state: XtExtension<XtState> = {
  codecs: [
    {
      rev: 0,
      size: stateInfo.size,
      read: (bytes) => {
        const names = namesOf(states, stateInfo.read(bytes).state)
        return names && { state: names }
      },
      write: ({ state: names }) => stateInfo.write({ state: bitsOf(states, names) }),
    },
  ],
  text: ({ state: names }) => option('state', names.join(',')),
  meaning: ({ state: names }) => stateMeaning({ value: names }),
}
