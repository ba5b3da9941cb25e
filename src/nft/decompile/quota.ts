import type { ExprQuotaRecord } from '../../native/records.js'
import { QUOTA_DEPLETED, QUOTA_INVERTED } from '../kernel/constants.js'
import type { QuotaStatement, QuotaUnit } from '../model/index.js'

/** A quota's numbers; undefined where it has more than the model can say. */
export function quotaNumbers(
  record: ExprQuotaRecord,
): { readonly bytes: number; readonly used: number; readonly inv: boolean } | undefined {
  const { bytes = 0n, consumed = 0n, flags = 0 } = record
  if ((flags & ~(QUOTA_INVERTED | QUOTA_DEPLETED)) !== 0) return undefined
  if (bytes > BigInt(Number.MAX_SAFE_INTEGER) || consumed > BigInt(Number.MAX_SAFE_INTEGER)) return undefined
  return { bytes: Number(bytes), used: Number(consumed), inv: (flags & QUOTA_INVERTED) !== 0 }
}

type OwnQuota = Exclude<QuotaStatement['quota'], string | { readonly map: unknown }>

/** A quota of a rule's or element's own. */
export function readQuota(record: ExprQuotaRecord): OwnQuota | undefined {
  const numbers = quotaNumbers(record)
  if (!numbers) return undefined
  const { value: val, unit: val_unit } = scale(numbers.bytes)
  const { value: used, unit: used_unit } = scale(numbers.used)
  return { val, val_unit, ...(used > 0 && { used, used_unit }), ...(numbers.inv && { inv: true }) }
}

/** A number of bytes in the largest unit that keeps it whole. */
export function scale(bytes: number): { value: number; unit: QuotaUnit } {
  if (bytes === 0 || bytes % 1024 !== 0) return { value: bytes, unit: 'bytes' }
  const kbytes = bytes / 1024
  return kbytes % 1024 === 0 ? { value: kbytes / 1024, unit: 'mbytes' } : { value: kbytes, unit: 'kbytes' }
}
