/** Statements and objects that count or limit. */
import { isNode, type Node, words } from './node.js'

/** `counter packets 5 bytes 6` */
export function counterText(value: unknown): string {
  return isNode(value) ? words('counter', countText(value)) : 'counter'
}

/** `packets 5 bytes 6` */
export function countText({ packets = 0, bytes = 0 }: Node): string {
  return `packets ${String(packets)} bytes ${String(bytes)}`
}

/** `rate over 5/second burst 10 packets` */
export function rateText({
  rate,
  rate_unit: unit = 'packets',
  per = 'second',
  burst,
  burst_unit: burstUnit,
  inv,
}: Node): string {
  const packets = unit === 'packets'
  const usual = packets ? 5 : 0
  return words(
    'rate',
    inv === true && 'over',
    packets ? `${String(rate)}/${String(per)}` : `${String(rate)} ${String(unit)}/${String(per)}`,
    burst !== undefined &&
      burst !== usual &&
      `burst ${String(burst)} ${packets ? 'packets' : String(burstUnit ?? 'bytes')}`,
  )
}

/** `over 5 mbytes used 10 kbytes`; a statement has units of its own, an object counts bytes. */
export function quotaText(value: Node): string {
  const { val, val_unit: unit, bytes, used, used_unit: usedUnit, inv } = value
  const limit = val === undefined ? inUnits(bytes) : `${String(val)} ${String(unit ?? 'bytes')}`
  const spent = val === undefined ? inUnits(used) : `${String(used)} ${String(usedUnit ?? 'bytes')}`
  return words(inv === true && 'over', limit, used !== undefined && used !== 0 && `used ${spent}`)
}

/** Bytes in the largest unit that divides them, as nft writes them. */
function inUnits(bytes: unknown): string {
  if (typeof bytes !== 'number' || bytes === 0) return `${String(bytes ?? 0)} bytes`
  if (bytes % 1048576 === 0) return `${bytes / 1048576} mbytes`
  return bytes % 1024 === 0 ? `${bytes / 1024} kbytes` : `${bytes} bytes`
}
