/** Named objects of tables. */
import type { NftObjectRecord } from '../../native/records.js'
import { selects } from '../../native/select.js'
import { ObjectTypes } from '../kernel/constants.js'
import type { StatefulObject } from '../model/index.js'
import { readCtExpectation, readCtHelper, readCtTimeout } from './ct-object.js'
import { readCounter } from './elements.js'
import { readRate } from './limit.js'
import { type NamedCommon, named } from './objects.js'
import { quotaNumbers } from './quota.js'
import { readSynproxyOptions } from './synproxy.js'
import { readTunnelHeader } from './tunnel.js'

/** Undefined for objects that the model does not have, and when one has more than the model can say. */
export function readObject(record: NftObjectRecord): StatefulObject | undefined {
  const base = named(record)
  return base && readKind(record, base)
}

function readKind(record: NftObjectRecord, base: NamedCommon): StatefulObject | undefined {
  if (selects(record, 'type', ObjectTypes.counter))
    return { counter: { ...base, ...readCounter(record.data ?? {}) } }
  if (selects(record, 'type', ObjectTypes.quota)) {
    const quota = quotaNumbers(record.data ?? {})
    return quota && { quota: { ...base, ...quota } }
  }
  if (selects(record, 'type', ObjectTypes.limit)) {
    const limit = readRate(record.data ?? {})
    if (!limit) return undefined
    const { burst, burst_unit, ...rate } = limit
    const some = burst ? { burst, ...(burst_unit && { burst_unit }) } : {}
    return { limit: { ...base, ...rate, ...some } }
  }
  if (selects(record, 'type', ObjectTypes['ct helper'])) {
    const helper = readCtHelper(record.data ?? {})
    return helper && { 'ct helper': { ...base, ...helper } }
  }
  if (selects(record, 'type', ObjectTypes['ct timeout'])) {
    const timeout = readCtTimeout(record.data ?? {})
    return timeout && { 'ct timeout': { ...base, ...timeout } }
  }
  if (selects(record, 'type', ObjectTypes['ct expectation'])) {
    const expectation = readCtExpectation(record.data ?? {})
    return expectation && { 'ct expectation': { ...base, ...expectation } }
  }
  if (selects(record, 'type', ObjectTypes.secmark)) {
    const context = record.data?.ctx
    return context === undefined ? undefined : { secmark: { ...base, context } }
  }
  if (selects(record, 'type', ObjectTypes.synproxy)) {
    const synproxy = readSynproxyOptions(record.data ?? {})
    return synproxy && { synproxy: { ...base, ...synproxy } }
  }
  if (selects(record, 'type', ObjectTypes.tunnel)) {
    const tunnel = readTunnelHeader(record.data ?? {})
    return tunnel && { tunnel: { ...base, ...tunnel } }
  }
  return undefined
}
