import { ObjectTypes, UserdataTypes } from '../kernel/constants.js'
import type { Counter } from '../model/index.js'
import { counterData } from './counter.js'
import type { Removal } from './message.js'
import { checkName, familyNumber } from './names.js'
import type { BatchContext } from './rule-context.js'
import { commentData } from './userdata.js'

/** What names a counter. */
export type CounterReference = Pick<Counter, 'family' | 'table' | 'name'>

/** Adds a named counter; the trail stands at it. */
export function addCounter(batch: BatchContext, counter: Counter, flags: number): void {
  batch.trail.enter('comment')
  const userdata = commentData(UserdataTypes.objectComment, counter.comment)
  batch.trail.leave()
  batch.sink.add('nftNewObject', flags, {
    family: familyNumber(counter.family),
    table: checkName(counter.table, 'table'),
    name: checkName(counter.name, 'counter'),
    type: ObjectTypes.counter,
    data: counterData(counter),
    ...(userdata === undefined ? {} : { userdata }),
  })
}

export function deleteCounter(
  batch: BatchContext,
  counter: CounterReference,
  removal: Removal = 'Del',
): void {
  batch.sink.add(`nft${removal}Object`, 0, {
    family: familyNumber(counter.family),
    table: checkName(counter.table, 'table'),
    name: checkName(counter.name, 'counter'),
    type: ObjectTypes.counter,
  })
}
