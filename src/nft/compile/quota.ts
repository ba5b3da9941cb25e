import { InvalidValue, quote } from '../datatype/index.js'
import { QUOTA_INVERTED } from '../kernel/constants.js'
import type { QuotaStatement, QuotaUnit } from '../model/index.js'
import { count } from './counter.js'
import type { QuotaData } from './kernel-expression.js'
import { compileReference, isReference } from './object-reference.js'
import type { RuleContext } from './rule-context.js'

const units: { readonly [U in QuotaUnit]: bigint } = { bytes: 1n, kbytes: 1024n, mbytes: 1024n * 1024n }

/** `quota 5 mbytes`, `quota name …`; the trail stands at its object. */
export function compileQuota(context: RuleContext, quota: QuotaStatement['quota']): void {
  if (isReference(quota)) compileReference(context, 'quota', quota)
  else context.out.push({ name: 'quota', data: ownQuota(quota) })
}

/** A quota of a rule's or element's own. */
export function ownQuota(quota: Exclude<QuotaStatement['quota'], string | { map: unknown }>): QuotaData {
  const bytes = count(quota.val) * unit(quota.val_unit)
  const used = quota.used === undefined ? 0n : count(quota.used) * unit(quota.used_unit)
  return quotaData(bytes, used, quota.inv ?? false)
}

export function quotaData(bytes: bigint, used: bigint, inv: boolean): QuotaData {
  return { bytes, consumed: used, flags: inv ? QUOTA_INVERTED : 0 }
}

function unit(name: QuotaUnit = 'bytes'): bigint {
  const factor: bigint | undefined = units[name]
  if (factor === undefined)
    throw new InvalidValue(`${quote(name)} is no unit of a quota: bytes, kbytes or mbytes is expected`)
  return factor
}
