import type { ExprLimitRecord } from '../../native/records.js'
import { LIMIT_INVERTED, LimitTypes } from '../kernel/constants.js'
import type { LimitPeriod, LimitRate } from '../model/index.js'
import { scale } from './quota.js'

const periods: ReadonlyMap<bigint, LimitPeriod> = new Map([
  [1n, 'second'],
  [60n, 'minute'],
  [3600n, 'hour'],
  [86400n, 'day'],
  [604800n, 'week'],
])

/** A rate; undefined for one that the model cannot say. */
export function readRate(record: ExprLimitRecord): LimitRate | undefined {
  const { rate = 0n, unit = 0n, burst = 0, type, flags = 0 } = record
  const per = periods.get(unit)
  if (!per || (flags & ~LIMIT_INVERTED) !== 0 || rate > BigInt(Number.MAX_SAFE_INTEGER)) return undefined
  const inv = (flags & LIMIT_INVERTED) !== 0 ? { inv: true } : {}
  if (type === LimitTypes.packets) return { rate: Number(rate), burst, per, ...inv }
  if (type !== LimitTypes.bytes) return undefined
  const scaledRate = scale(Number(rate))
  const scaledBurst = scale(burst)
  return {
    rate: scaledRate.value,
    rate_unit: scaledRate.unit,
    burst: scaledBurst.value,
    burst_unit: scaledBurst.unit,
    per,
    ...inv,
  }
}
