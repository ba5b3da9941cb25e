/** Compiles and encodes once what is prepared, and finds the bytes of its slots. */

import { unwrap } from '../../native/failure.js'
import { addon } from '../../native/load.js'
import { Packer } from '../../native/pack.js'
import type { MessageName } from '../../native/records.js'
import { type BatchContext, compileOperation, type SetScope, type Trail } from '../compile/index.js'
import { type SlotProbe, slotPattern } from '../compile/slot.js'
import { InvalidValue } from '../datatype/index.js'
import type { ElementObject, RuleObject } from '../model/index.js'

/** What can be prepared. */
export type Preparable = RuleObject | ElementObject

/** An encoded message with holes. */
export interface Template {
  readonly message: MessageName
  /** Of a message of elements: what comes before the elements. */
  readonly head: Uint8Array
  readonly body: Uint8Array
  /** For each probe, in their order, where its value lies in the body. */
  readonly offsets: readonly (readonly number[])[]
}

/** An attribute's length is a u16: messages of elements are filled up to here. */
export const MAX_ELEMENTS_BYTES = 60_000

// linux/netlink.h, linux/netfilter/nf_tables.h
const MESSAGE_HEADER = 16 + 4
const ATTRIBUTE_HEADER = 4
const ATTRIBUTE_TYPE = 0x3fff
const NFTA_SET_ELEM_LIST_ELEMENTS = 3

/** @param object with probes for its slots. The trail stands at it. */
export function template(
  object: Preparable,
  probes: readonly SlotProbe[],
  scope: SetScope,
  trail: Trail,
): Template {
  const plain = compileOne(object, scope, trail)
  const start = 'element' in object ? elementsStart(plain) : 0
  const offsets = probes.map((probe) => {
    probe.inverted = true
    const other = compileOne(object, scope, trail)
    probe.inverted = false
    return findSlot(probe, plain, other)
  })
  if (start === 0) return { message: 'nftNewRule', head: new Uint8Array(0), body: plain, offsets }
  return {
    message: 'nftNewElement',
    head: plain.subarray(0, start),
    body: plain.subarray(start),
    offsets: offsets.map((places) => places.map((place) => place - start)),
  }
}

/** The one message that an object is. */
export function compileOne(object: Preparable, scope: SetScope, trail: Trail): Uint8Array {
  const packer = new Packer()
  const batch: BatchContext = { sink: packer, scope, trail, nextSetId: 0 }
  compileOperation(batch, { add: object }, { echo: false })
  if (packer.count !== 1)
    throw new InvalidValue('a literal set cannot be prepared, of which each rule has one: name a set instead')
  return encoded(packer)
}

/** The bytes of what was packed. */
export function encoded(packer: Packer): Uint8Array {
  return new Uint8Array(unwrap(addon.encode(packer.words()), 'nft.prepare'))
}

/**
 * Where a slot's value lies: there, and only there, the two encodings differ, by the two patterns that its probe wrote.
 * Whatever the compiler made of the value (a sum, a shift, a part of it) would be seen here, and is refused.
 */
function findSlot(probe: SlotProbe, plain: Uint8Array, other: Uint8Array): number[] {
  const { kind, slot } = probe
  if (kind === undefined) throw new InvalidValue(`no value can stand where the slot ${slot} is`)
  const refusal = new InvalidValue(`the slot ${slot} cannot stand here: its value is not kept as it is`)
  if (plain.length !== other.length) throw refusal
  const patterns = [slotPattern(kind.length, false), slotPattern(kind.length, true)] as const
  const places: number[] = []
  for (let at = 0; at < plain.length; ) {
    if (plain[at] === other[at]) {
      at++
      continue
    }
    if (!isAt(plain, at, patterns[0]) || !isAt(other, at, patterns[1])) throw refusal
    places.push(at)
    at += kind.length
  }
  if (places.length === 0) throw refusal
  return places
}

function isAt(bytes: Uint8Array, at: number, pattern: Uint8Array): boolean {
  return pattern.every((byte, index) => bytes[at + index] === byte)
}

/** Where the elements of a message begin, behind the header of their nest, which ends the message. */
function elementsStart(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let at = MESSAGE_HEADER; at + ATTRIBUTE_HEADER <= bytes.length; ) {
    const length = view.getUint16(at, true)
    const type = view.getUint16(at + 2, true) & ATTRIBUTE_TYPE
    const start = at + ATTRIBUTE_HEADER
    if (type === NFTA_SET_ELEM_LIST_ELEMENTS) {
      const isOne =
        start + ATTRIBUTE_HEADER <= bytes.length && view.getUint16(start, true) === bytes.length - start
      if (at + length === bytes.length && isOne) return start
      break
    }
    at += Math.max(ATTRIBUTE_HEADER, (length + 3) & ~3)
  }
  throw new InvalidValue('one element is prepared at a time, that is one value and no range')
}
