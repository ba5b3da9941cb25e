/** Named objects: counters, quotas, limits and the like; the kernel has one message for all. */
import type { NftObjectRecord } from '../../native/records.js'
import { InvalidValue, quote } from '../datatype/index.js'
import { ObjectTypes, UserdataTypes } from '../kernel/constants.js'
import type { Family, StatefulKind, StatefulObject, WithUnknown } from '../model/index.js'
import { isObject } from './constant.js'
import { count, counterData } from './counter.js'
import { ctExpectationData } from './ct-expectation.js'
import { ctHelperData } from './ct-helper.js'
import { ctTimeoutData } from './ct-timeout.js'
import { limitData } from './limit.js'
import type { Removal } from './message.js'
import { checkName, familyNumber } from './names.js'
import { quotaData } from './quota.js'
import type { BatchContext } from './rule-context.js'
import { synproxyData } from './synproxy.js'
import type { Trail } from './trail.js'
import { tunnelData } from './tunnel.js'
import { unknownAttributes, withUnknownUserdata } from './unknown.js'
import { commentData } from './userdata.js'

/** What names an object of a kind. */
export interface ObjectName {
  readonly family: Family
  readonly table: string
  readonly name: string
}

/** A named object as far as it takes to find it: `{ quota: { family, table, name } }`. */
export type StatefulReference = {
  [K in StatefulKind]: { readonly [P in K]: ObjectName }
}[StatefulKind]

/** The kinds, by which an object is told from others. */
const kinds: ReadonlySet<string> = new Set(Object.keys(ObjectTypes))

function isKind(name: string): name is StatefulKind {
  return kinds.has(name)
}

/** Whether it is a named object, and not a table, chain, set or another thing. */
export function isStateful<T extends object>(object: T): object is Extract<T, StatefulReference> {
  return Object.keys(object).some(isKind)
}

/** Of which kind a named object is. */
export function kindOf(object: object): StatefulKind {
  const kind = Object.keys(object).find(isKind)
  if (kind === undefined) throw new InvalidValue(`${quote(object)} is no named object`)
  return kind
}

/** Adds a named object; the trail stands at its properties. */
export function addObject(batch: BatchContext, object: StatefulObject, flags: number): void {
  const { trail } = batch
  const kind = kindOf(object)
  const { family, table, name, comment, unknown } = propertiesOf(object)
  trail.enter('comment')
  const text = commentData(UserdataTypes.objectComment, comment)
  trail.leave()
  const userdata = withUnknownUserdata(text, unknown, trail)
  batch.sink.add('nftNewObject', flags, {
    family: familyNumber(family),
    table: checkName(table, 'table'),
    name: checkName(name, kind),
    ...objectData(object, trail),
    ...unknownAttributes(unknown, 'attributes', trail),
    ...(userdata === undefined ? {} : { userdata }),
  })
}

function propertiesOf(object: StatefulObject): ObjectName & WithUnknown & { readonly comment?: string } {
  const [properties] = Object.values(object).filter(isObject)
  if (properties === undefined) throw new InvalidValue(`${quote(object)} is no named object`)
  return properties
}

function objectData(object: StatefulObject, trail: Trail): NftObjectRecord {
  if ('counter' in object) return { type: ObjectTypes.counter, data: counterData(object.counter) }
  if ('quota' in object) {
    const { bytes, used = 0, inv = false } = object.quota
    return { type: ObjectTypes.quota, data: quotaData(count(bytes), count(used), inv) }
  }
  if ('limit' in object) return { type: ObjectTypes.limit, data: limitData(object.limit) }
  if ('ct helper' in object)
    return { type: ObjectTypes['ct helper'], data: ctHelperData(object['ct helper']) }
  if ('ct timeout' in object)
    return { type: ObjectTypes['ct timeout'], data: ctTimeoutData(object['ct timeout'], trail) }
  if ('ct expectation' in object)
    return { type: ObjectTypes['ct expectation'], data: ctExpectationData(object['ct expectation']) }
  if ('secmark' in object)
    return { type: ObjectTypes.secmark, data: { ctx: checkName(object.secmark.context, 'security context') } }
  if ('tunnel' in object) return { type: ObjectTypes.tunnel, data: tunnelData(object.tunnel, trail) }
  return { type: ObjectTypes.synproxy, data: synproxyData(object.synproxy) }
}

/** Deletes a named object, which no rule and no map may refer to. */
export function deleteObject(batch: BatchContext, object: StatefulReference, removal: Removal = 'Del'): void {
  const kind = kindOf(object)
  const [name] = Object.values(object).filter(isObject)
  if (name === undefined) throw new InvalidValue(`the ${kind} is expected`)
  batch.sink.add(`nft${removal}Object`, 0, {
    family: familyNumber(name.family),
    table: checkName(name.table, 'table'),
    name: checkName(name.name, kind),
    type: ObjectTypes[kind],
  })
}
