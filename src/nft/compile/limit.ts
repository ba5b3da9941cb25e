import { InvalidValue, quote } from '../datatype/index.js'
import { LIMIT_INVERTED, LimitTypes } from '../kernel/constants.js'
import type { LimitPeriod, LimitRate, LimitStatement, LimitUnit } from '../model/index.js'
import type { LimitData } from './kernel-expression.js'
import type { Draft } from './message.js'
import { compileReference, isReference } from './object-reference.js'
import type { RuleContext } from './rule-context.js'

const periods: { readonly [P in LimitPeriod]: bigint } = {
  second: 1n,
  minute: 60n,
  hour: 3600n,
  day: 86_400n,
  week: 604_800n,
}
const units: { readonly [U in LimitUnit]: number } = {
  packets: 1,
  bytes: 1,
  kbytes: 1024,
  mbytes: 1024 * 1024,
}

/** nft's default when none is said: five packets, or no bytes. */
const DEFAULT_PACKET_BURST = 5

/** `limit rate …`, `limit name …`; the trail stands at its object. */
export function compileLimit(context: RuleContext, limit: LimitStatement['limit']): void {
  if (isReference(limit)) compileReference(context, 'limit', limit)
  else context.out.push({ name: 'limit', data: limitData(limit) })
}

/** A rate, as rules, named limits and elements of sets have it. */
export function limitData(limit: LimitRate): LimitData {
  const unit = limit.rate_unit ?? 'packets'
  const period: bigint | undefined = periods[limit.per ?? 'second']
  const factor: number | undefined = units[unit]
  if (period === undefined) throw new InvalidValue(`${quote(limit.per)} is no period of a limit`)
  if (factor === undefined) throw new InvalidValue(`${quote(unit)} is no unit of a limit`)
  if (!Number.isInteger(limit.rate) || limit.rate < 1)
    throw new InvalidValue(`${quote(limit.rate)} is no rate: an integer from 1 is expected`)
  const packets = unit === 'packets'
  const burstFactor: number | undefined = packets ? 1 : units[limit.burst_unit ?? 'bytes']
  const burst = (limit.burst ?? (packets ? DEFAULT_PACKET_BURST : 0)) * (burstFactor ?? 1)
  if (!Number.isInteger(burst) || burst < 0 || burst > 0xffffffff)
    throw new InvalidValue(`${quote(limit.burst)} is no burst`)
  const data: Draft<LimitData> = {
    rate: BigInt(limit.rate) * BigInt(factor),
    unit: period,
    type: packets ? LimitTypes.packets : LimitTypes.bytes,
    flags: limit.inv ? LIMIT_INVERTED : 0,
  }
  if (burst > 0) data.burst = burst
  return data
}
