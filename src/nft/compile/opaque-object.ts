/** Objects that were listed without being understood go back as they were. */
import type { MessageName, NftElementListRecord, NftRuleRecord, NftSetRecord } from '../../native/records.js'
import { InvalidValue, quote } from '../datatype/index.js'
import { kernelRecord } from '../kernel/plain-record.js'
import type { OpaqueObject } from '../model/index.js'
import type { BatchContext } from './rule-context.js'

const NLM_F_CREATE = 0x400
const NLM_F_APPEND = 0x800

/** Messages that add an object. */
const messages = [
  'nftNewTable',
  'nftNewChain',
  'nftNewObject',
  'nftNewFlowtable',
] as const satisfies readonly MessageName[]

/** Adds the object; the trail stands at its `opaque`. */
export function addOpaqueObject(
  batch: BatchContext,
  { message, record }: OpaqueObject['opaque'],
  flags: number,
): void {
  const { sink, trail } = batch
  trail.enter('record')
  if (message === 'nftNewRule') {
    const { handle, position, ...rule } = kernelRecord<NftRuleRecord>(record)
    sink.add(message, flags | NLM_F_CREATE | NLM_F_APPEND, rule)
  } else if (message === 'nftNewSet') {
    // What the kernel tells about a set, it does not take back.
    const { handle, type, count, ...set } = kernelRecord<NftSetRecord>(record)
    sink.add(message, flags, { ...set, id: ++batch.nextSetId })
  } else if (message === 'nftNewElement') {
    sink.add(message, NLM_F_CREATE, kernelRecord<NftElementListRecord>(record))
  } else {
    const name = messages.find((each) => each === message)
    if (name === undefined) throw new InvalidValue(`${quote(message)} is no message that adds an object`)
    const { handle, use, ...rest } = kernelRecord<{ handle?: bigint; use?: number }>(record)
    sink.add(name, flags, rest)
  }
  trail.leave()
}
