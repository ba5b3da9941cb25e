/** The extensions that are understood, by what iptables calls them. A new one is one entry here, and its file. */
import { fromHexadecimal, hexadecimal, InvalidValue, quote } from '../datatype/index.js'
import type {
  Family,
  Statement,
  XtDecoded,
  XtMatches,
  XtRaw,
  XtStatement,
  XtTargets,
} from '../model/index.js'
import { addrtype } from './addrtype.js'
import type { XtCodec, XtExtension, XtFamily } from './codec.js'
import { comment } from './comment.js'
import { conntrack, state } from './conntrack.js'
import { ct, log, tcpmss } from './effects.js'
import { icmp, icmp6 } from './icmp.js'
import { iprange } from './iprange.js'
import { limit } from './limit.js'
import { mac } from './mac.js'
import { connmark, mark } from './mark.js'
import { connmarkTarget, markTarget } from './marking.js'
import { multiport } from './multiport.js'
import { dnat, masquerade, netmap, redirect, snat } from './nat.js'
import { pkttype } from './pkttype.js'
import { reject } from './reject.js'
import { tcp, udp } from './transport.js'

const matches: { readonly [N in keyof XtMatches]: XtExtension<XtMatches[N]> } = {
  addrtype,
  comment,
  connmark,
  conntrack,
  icmp,
  icmp6,
  iprange,
  limit,
  mac,
  mark,
  multiport,
  pkttype,
  state,
  tcp,
  udp,
}
const targets: { readonly [N in keyof XtTargets]: XtExtension<XtTargets[N]> } = {
  CONNMARK: connmarkTarget,
  CT: ct,
  DNAT: dnat,
  LOG: log,
  MARK: markTarget,
  MASQUERADE: masquerade,
  NETMAP: netmap,
  REDIRECT: redirect,
  REJECT: reject,
  SNAT: snat,
  TCPMSS: tcpmss,
}

/** What the kernel has of a match or target. */
export interface XtInfo {
  readonly name: string
  readonly rev: number
  readonly info: Uint8Array
}

type Type = XtRaw['type']

/** By their names. The tables above say that an extension and its options belong together; here that is forgotten. */
const extensions: { readonly [T in Type]: ReadonlyMap<string, XtExtension<unknown>> } = {
  match: new Map<string, XtExtension<unknown>>(Object.entries(matches)),
  target: new Map<string, XtExtension<unknown>>(Object.entries(targets)),
}

const isXtFamily = (family: Family): family is XtFamily => family === 'ip' || family === 'ip6'

/** What was read belongs to the name and the type. */
function decoded(type: Type, name: string, rev: number, options: unknown): XtDecoded {
  return { type, name, rev, options } as XtDecoded
}

/**
 * A match or target of the kernel. It is understood where it is one of those above and its options, written again, are the
 * same bytes; any other is kept as it is.
 */
export function readXt(type: Type, { name, rev, info }: XtInfo, family: Family): XtStatement {
  const raw = { type, name, rev, info: hexadecimal(info) }
  if (!isXtFamily(family)) return { xt: raw }
  for (const codec of extensions[type].get(name)?.codecs ?? []) {
    if (codec.rev !== rev || codec.size !== info.length || (codec.family ?? family) !== family) continue
    const options = codec.read(info, family)
    if (options !== undefined && isWhole(codec, options, info, family))
      return { xt: decoded(type, name, rev, options) }
  }
  return { xt: raw }
}

/** Whether the options say all of the bytes. Some bytes say what no options do: a range that ends before it begins. */
function isWhole(codec: XtCodec<unknown>, options: unknown, info: Uint8Array, family: XtFamily): boolean {
  try {
    return Buffer.compare(codec.write(options, family), info) === 0
  } catch (error) {
    if (error instanceof InvalidValue) return false
    throw error
  }
}

/** Whether its options are understood. */
export function isDecoded(xt: XtStatement['xt']): xt is XtDecoded {
  return 'options' in xt
}

/** What the kernel is told of a match or target. @throws InvalidValue */
export function writeXt({ xt }: XtStatement, family: Family): XtInfo {
  const { type, name, rev } = xt
  if (typeof name !== 'string' || (type !== 'match' && type !== 'target'))
    throw new InvalidValue(`{ type: 'match' or 'target', name } is expected, not ${quote(xt)}`)
  if (!isDecoded(xt)) {
    if (rev === undefined || xt.info === undefined)
      throw new InvalidValue(
        `the ${type} ${name} of xtables is named, but nothing says what it is told (rev, info)`,
      )
    return { name, rev, info: fromHexadecimal(xt.info) }
  }
  if (!isXtFamily(family))
    throw new InvalidValue(`a table of family ${family} has no options of ${name}: give rev and info`)
  const codecs = (extensions[type].get(name)?.codecs ?? []).filter(
    (each) => (each.family ?? family) === family,
  )
  const codec = codecs.find((each) => each.rev === rev)
  if (!codec) {
    const known = codecs.map((each) => each.rev).join(', ')
    throw new InvalidValue(
      `the ${type} ${name} of family ${family} has no revision ${quote(rev)} with options: ${known || 'none has'}`,
    )
  }
  return { name, rev: codec.rev, info: codec.write(xt.options, family) }
}

/** Its options as iptables prints them; undefined for those that are not understood. */
export function xtOptionsText({ xt }: XtStatement, family: Family): string | undefined {
  if (!isDecoded(xt)) return undefined
  return extensions[xt.type].get(xt.name)?.text(xt.options, isXtFamily(family) ? family : 'ip')
}

/** Targets that go on with the next rule, and change nothing that later rules or the packet's way hang on. */
const harmless: ReadonlySet<string> = new Set([
  'AUDIT',
  'CHECKSUM',
  'CLASSIFY',
  'CONNSECMARK',
  'DSCP',
  'ECN',
  'HL',
  'IDLETIMER',
  'LED',
  'NFLOG',
  'RATEEST',
  'SECMARK',
  'SET',
  'TCPOPTSTRIP',
  'TEE',
  'TOS',
  'TRACE',
  'TTL',
])

/** Statements of nft that decide the same; undefined where nobody here can tell what it decides. */
export function xtMeaning({ xt }: XtStatement, family: Family): readonly Statement[] | undefined {
  if (isDecoded(xt) && isXtFamily(family))
    return extensions[xt.type].get(xt.name)?.meaning(xt.options, family)
  return xt.type === 'target' && harmless.has(xt.name) ? [] : undefined
}
