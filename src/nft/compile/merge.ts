import { CmpOps } from '../kernel/constants.js'
import type { RuleExpression } from './kernel-expression.js'
import { register } from './registers.js'

/** A comparison of header bytes with constants: a payload expression at `index`, its cmp behind it. */
export interface MergeCandidate {
  readonly index: number
  readonly base: number
  readonly offset: number
  readonly value: Uint8Array
  readonly protocolKey: boolean
}

interface Merged extends MergeCandidate {
  readonly absorbed: boolean
}

const REGISTER_BYTES = 16
const FAST_PATH_BYTES = 4
const LINK_BASE = 0

/**
 * Merges equality tests of adjacent header fields into one load and one comparison, as nft does after evaluation
 * (`payload_do_merge`, src/rule.c): where the kernel's fast path for up to four bytes is kept, or there is none.
 *
 * nft 1.0.6 also merges tests with `!=` (of which it then tests only whether not all are equal), flag tests, and across
 * counters; those change what a rule means and are not merged here.
 */
export function mergePayloads(out: RuleExpression[], candidates: MergeCandidate[]): void {
  if (!hasNeighbours(candidates)) {
    candidates.length = 0
    return
  }
  const sorted = [...candidates].sort((a, b) => a.base - b.base || a.offset - b.offset)
  candidates.length = 0
  const dropped = new Set<number>()
  let last: Merged | undefined
  for (const candidate of sorted) {
    if (last === undefined || !canMerge(last, candidate)) {
      if (last?.absorbed) write(out, last)
      last = { ...candidate, absorbed: false }
      continue
    }
    // A test of what protocol follows keeps its place: what stands between may depend on it.
    const [kept, gone] = candidate.protocolKey ? [candidate, last] : [last, candidate]
    dropped.add(gone.index)
    last = {
      index: kept.index,
      base: last.base,
      offset: last.offset,
      value: join(last.value, candidate.value),
      protocolKey: last.protocolKey || candidate.protocolKey,
      absorbed: true,
    }
  }
  if (last?.absorbed) write(out, last)
  remove(out, dropped)
}

/** Most rules have none: that is found out without building anything. */
function hasNeighbours(candidates: readonly MergeCandidate[]): boolean {
  for (let second = 1; second < candidates.length; second++) {
    const one = candidates[second]
    for (let first = 0; first < second; first++) {
      const other = candidates[first]
      if (one !== undefined && other !== undefined && (canMerge(one, other) || canMerge(other, one)))
        return true
    }
  }
  return false
}

function canMerge(first: MergeCandidate, second: MergeCandidate): boolean {
  if (first.base !== second.base || first.offset + first.value.length !== second.offset) return false
  const total = first.value.length + second.value.length
  if (total > REGISTER_BYTES) return false
  return (
    total <= FAST_PATH_BYTES ||
    first.base === LINK_BASE ||
    first.value.length > FAST_PATH_BYTES ||
    second.value.length > FAST_PATH_BYTES
  )
}

function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  const joined = new Uint8Array(first.length + second.length)
  joined.set(first)
  joined.set(second, first.length)
  return joined
}

function write(out: RuleExpression[], merged: Merged): void {
  const place = register(0)
  const { base, offset, value } = merged
  out[merged.index] = { name: 'payload', data: { dreg: place, base, offset, len: value.length } }
  out[merged.index + 1] = { name: 'cmp', data: { sreg: place, op: CmpOps.eq, data: { value } } }
}

function remove(out: RuleExpression[], dropped: ReadonlySet<number>): void {
  if (dropped.size === 0) return
  const kept = out.filter((_, index) => !dropped.has(index) && !dropped.has(index - 1))
  out.splice(0, out.length, ...kept)
}
