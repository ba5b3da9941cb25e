/** The small expressions that most statements are made of. */
import type { NftExpressionRecord } from '../../native/records.js'
import type { ByteOrder, Tunnel } from '../datatype/index.js'
import { BitwiseOps, ByteorderOps, CmpOps, VERDICT_REGISTER } from '../kernel/constants.js'
import { CommonExpressions } from './common-expressions.js'
import type { KernelData, RuleExpression } from './kernel-expression.js'
import { register } from './registers.js'
import type { RuleContext } from './rule-context.js'

const payloads = new CommonExpressions()
const metas = new CommonExpressions()
const bytes = new CommonExpressions()
const verdicts = new CommonExpressions()

export function loadPayload(
  out: RuleExpression[],
  slot: number,
  base: number,
  offset: number,
  len: number,
): void {
  // Offsets and lengths are below these for all headers that are known; others are just not remembered.
  const key = offset < 1024 && len < 64 ? ((slot * 8 + base) * 1024 + offset) * 64 + len : -1
  out.push(
    payloads.get(key) ??
      payloads.keep(key, { name: 'payload', data: { dreg: register(slot), base, offset, len } }),
  )
}

/** Bytes of the packet that a tunnel carries, or of the tunnel's header. */
export function loadInner(
  out: RuleExpression[],
  slot: number,
  { base, offset, length }: { readonly base: number; readonly offset: number; readonly length: number },
  tunnel: Tunnel,
): void {
  const data = { dreg: register(slot), base, offset, len: length }
  out.push(insideOf(tunnel, { name: 'payload', data }))
}

/** A load from the packet that a tunnel carries, instead of the packet itself. */
export function insideOf({ type, flags, headerSize }: Tunnel, load: NftExpressionRecord): RuleExpression {
  return { name: 'inner', data: { num: 0, type, flags, hdrsize: headerSize, expr: load } }
}

export function loadMeta(out: RuleExpression[], slot: number, key: number): void {
  const place = slot * 256 + key
  out.push(metas.get(place) ?? metas.keep(place, { name: 'meta', data: { dreg: register(slot), key } }))
}

export function compare(out: RuleExpression[], slot: number, op: number, value: Uint8Array): void {
  // Comparisons of one byte are with protocols, mostly.
  const key = value.length === 1 ? (slot * 8 + op) * 256 + (value[0] ?? 0) : -1
  out.push(
    bytes.get(key) ?? bytes.keep(key, { name: 'cmp', data: { sreg: register(slot), op, data: { value } } }),
  )
}

/** `meta key == value`, as dependencies are tested. */
export function requireMeta(context: RuleContext, key: number, value: Uint8Array): void {
  loadMeta(context.out, 0, key)
  compare(context.out, 0, CmpOps.eq, value)
}

/** A comparison of header bytes, which may be merged with its neighbours. */
export function requirePayload(
  context: RuleContext,
  base: number,
  offset: number,
  value: Uint8Array,
  protocolKey: boolean,
): void {
  context.candidates.push({ index: context.out.length, base, offset, value, protocolKey })
  loadPayload(context.out, 0, base, offset, value.length)
  compare(context.out, 0, CmpOps.eq, value)
}

export function mask(out: RuleExpression[], slot: number, bits: Uint8Array, xor: Uint8Array): void {
  const place = register(slot)
  out.push({
    name: 'bitwise',
    data: {
      sreg: place,
      dreg: place,
      op: BitwiseOps.bool,
      len: bits.length,
      mask: { value: bits },
      xor: { value: xor },
    },
  })
}

/** From the host's byte order to that of the network, in which ranges and order make sense. */
export function toNetworkOrder(out: RuleExpression[], slot: number, len: number): void {
  const place = register(slot)
  const size = len % 8 === 0 ? 8 : len % 4 === 0 ? 4 : 2
  out.push({ name: 'byteorder', data: { sreg: place, dreg: place, op: ByteorderOps.hton, len, size } })
}

/** To the other byte order, in words as the kernel shifts them: of four bytes at most, the most significant first. */
export function swapOrder(out: RuleExpression[], slot: number, len: number, to: ByteOrder): void {
  const place = register(slot)
  const op = to === 'host' ? ByteorderOps.ntoh : ByteorderOps.hton
  out.push({ name: 'byteorder', data: { sreg: place, dreg: place, op, len, size: len === 2 ? 2 : 4 } })
}

export function immediate(out: RuleExpression[], slot: number, value: Uint8Array): void {
  out.push({ name: 'immediate', data: { dreg: register(slot), data: { value } } })
}

export function immediateVerdict(out: RuleExpression[], data: KernelData): void {
  const plain = 'verdict' in data && data.verdict.chain === undefined && data.verdict.chainId === undefined
  const key = plain ? data.verdict.code + 16 : -1
  out.push(
    verdicts.get(key) ?? verdicts.keep(key, { name: 'immediate', data: { dreg: VERDICT_REGISTER, data } }),
  )
}
