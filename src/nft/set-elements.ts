/** Elements of one set or map: found by their keys, or all of them in a stream. */

import { NfbridgeError } from '../errors.js'
import { checkObject } from '../input.js'
import type { SocketHandle } from '../native/addon.js'
import type { NftElementRecord, NftSetRecord } from '../native/records.js'
import { atOnce, inSlices } from '../native/slices.js'
import { compareBytes, elementRecords, located, SetScope, successor, Trail } from './compile/index.js'
import { type Datatype, type Interfaces, interfaceIndexType } from './datatype/index.js'
import { readElementsOf, readSet } from './decompile/index.js'
import { familyOf } from './family.js'
import { ElementFlags, SetFlags } from './kernel/constants.js'
import { readGeneration } from './list.js'
import type { Element, Expression, Family, MapElement, SetElement } from './model/index.js'
import { dumpInParts, elementsOf, getOne, setOf } from './requests.js'

/** What names a set or map. */
export interface SetName {
  readonly family: Family
  readonly table: string
  readonly name: string
}

/** How {@link Nft.elements} goes about it. */
export interface ElementsOptions {
  /**
   * What to do when the ruleset changed while the elements were read, so that some may be missing or there twice:
   * `throw` NFB_DUMP_INCONSISTENT at the end (the default), or `ignore` it.
   */
  readonly onChange?: 'throw' | 'ignore'
}

/** The kernel's record of a set, and what it says of the elements in the model's words. */
interface Known {
  readonly record: NftSetRecord
  readonly types: Omit<Element, 'family' | 'table' | 'name' | 'elem'>
  /** The type iface_index with the names of the namespace, where the set has it. */
  readonly interfaces: Datatype | undefined
  /** Ranges whose ends are elements of their own. */
  readonly hasEnds: boolean
}

type ReadInterfaces = (() => Promise<Interfaces>) | undefined

async function know(
  socket: SocketHandle,
  set: SetName,
  operation: string,
  readInterfaces: ReadInterfaces,
): Promise<Known> {
  checkObject(set, ['family', 'table', 'name'], operation, 'set')
  const { family, table, name } = set
  const named = { family: familyOf(family, operation, 'set.family'), table, name }
  const record = await getOne(socket, 'nftGetSet', named, setOf, operation)
  if (record === undefined)
    throw new NfbridgeError({
      code: 'NFB_MISSING',
      operation,
      message: `there is no set or map ${name} in table ${table} of family ${family}`,
    })
  const known = atOnce(readSet({ record, elements: [] }))
  if (known === undefined) throw notUnderstood(name, operation)
  const { type, flags, keyLen, keyOrder } = 'set' in known ? known.set : known.map
  const map = 'map' in known ? known.map.map : undefined
  const namesInterfaces = [type, map].flat().includes('iface_index')
  return {
    record,
    types: {
      type,
      ...(map !== undefined && { map }),
      ...(flags !== undefined && { flags }),
      ...(keyLen !== undefined && { keyLen }),
      ...(keyOrder !== undefined && { keyOrder }),
    },
    interfaces: namesInterfaces && readInterfaces ? interfaceIndexType(await readInterfaces()) : undefined,
    hasEnds: ((record.flags ?? 0) & SetFlags.interval) !== 0 && typeof type === 'string',
  }
}

function notUnderstood(name: string, operation: string): NfbridgeError {
  return new NfbridgeError({
    code: 'NFB_NOT_SUPPORTED',
    operation,
    message: `the set or map ${name} has more than the model can say: list() gives it as the kernel has it`,
  })
}

/**
 * The element that a key is in: the kernel looks it up.
 * @returns undefined when there is none
 */
export async function findElement(
  socket: SocketHandle,
  set: SetName,
  key: Expression,
  readInterfaces?: ReadInterfaces,
): Promise<SetElement | MapElement | undefined> {
  const operation = 'nft.element'
  const { record, types, hasEnds, interfaces } = await know(socket, set, operation, readInterfaces)
  const { family, table, name } = set
  const asked = keyRecord({ family, table, name, elem: [key], ...types }, interfaces, operation)
  const question = { family: familyOf(family, operation, 'set.family'), table, set: name }
  const ask: Ask = async (element) => {
    const one = { ...question, elements: [element] }
    const found = await getOne(socket, 'nftGetElement', one, elementsOf, operation)
    return found?.elements?.[0]
  }
  const found = await (hasEnds ? findRange(socket, asked, ask) : ask(asked).then((one) => one && [one]))
  if (found === undefined) return undefined
  const elements = await inSlices(readElementsOf({ record, elements: found }, interfaces))
  if (elements === undefined) throw notUnderstood(name, operation)
  return elements[0]
}

type Ask = (element: NftElementRecord) => Promise<NftElementRecord | undefined>

/** How often a range is looked up while somebody changes the ruleset. */
const attempts = 8

/** The beginning of the range that has a key and, unless it goes on to the last value, its end: of one moment. */
async function findRange(
  socket: SocketHandle,
  asked: NftElementRecord,
  ask: Ask,
): Promise<readonly NftElementRecord[] | undefined> {
  for (let attempt = 1; ; attempt++) {
    const before = await readGeneration(socket)
    const start = await ask(asked)
    const end = start && (await findEnd(asked, start, ask))
    if (attempt < attempts && (await readGeneration(socket)) !== before) continue
    return start && (end === undefined ? [start] : [start, end])
  }
}

/**
 * The kernel finds the next end behind a value, except at a value where one range ends and another begins: there it gives
 * the end of the range before, or none.
 */
async function findEnd(
  asked: NftElementRecord,
  start: NftElementRecord,
  ask: Ask,
): Promise<NftElementRecord | undefined> {
  const [key, first] = [asked.key?.value, start.key?.value]
  // What no range has matches all else.
  if (key === undefined || first === undefined) return undefined
  const endBehind = (value: Uint8Array) => ask({ key: { value }, flags: ElementFlags.intervalEnd })
  const found = await endBehind(key)
  const end = found?.key?.value
  if (end === undefined || compareBytes(end, first) > 0) return found
  // It is the end of the range before, which ends where this one begins, at the key that is asked for.
  const next = successor(key)
  if (next === undefined) return undefined
  const behind = await ask({ key: { value: next } })
  const isWithin = behind?.key !== undefined && compareBytes(behind.key.value ?? next, first) === 0
  return isWithin ? endBehind(next) : { key: { value: next }, flags: ElementFlags.intervalEnd }
}

/** The key as the kernel has it. */
function keyRecord(element: Element, interfaces: Datatype | undefined, operation: string): NftElementRecord {
  const trail = new Trail()
  try {
    const [first] = elementRecords({ scope: new SetScope(), trail, interfaces }, element, true)
    const { key, keyEnd, flags } = first ?? {}
    return { ...(key && { key }), ...(keyEnd && { keyEnd }), ...(flags !== undefined && { flags }) }
  } catch (error) {
    throw located(error, operation, trail)
  }
}

/** The elements, as the kernel tells them; at the most some hundred kilobytes of them are held at a time. */
export async function* streamElements(
  socket: SocketHandle,
  set: SetName,
  options: ElementsOptions,
  readInterfaces?: ReadInterfaces,
): AsyncGenerator<SetElement | MapElement, void, undefined> {
  const operation = 'nft.elements'
  const { onChange = 'throw' } = checkObject(options, ['onChange'], operation, '')
  const before = await readGeneration(socket)
  const { record, hasEnds, interfaces } = await know(socket, set, operation, readInterfaces)
  const { family, table, name } = set
  const parts = dumpInParts(
    socket,
    'nftGetElement',
    { family: familyOf(family, operation, 'set.family'), table, set: name },
    elementsOf,
    operation,
    onChange,
  )
  const read = async (
    elements: readonly NftElementRecord[],
  ): Promise<readonly (SetElement | MapElement)[]> => {
    const known = await inSlices(readElementsOf({ record, elements }, interfaces))
    if (known === undefined) throw notUnderstood(name, operation)
    return known
  }
  // Where ranges begin and end is told by elements of their own, which may be far from each other.
  const all: NftElementRecord[] = []
  for await (const part of parts)
    for (const { elements = [] } of part) {
      if (hasEnds) for (const element of elements) all.push(element)
      else yield* await read(elements)
    }
  if (hasEnds) yield* await read(all)
  // The kernel does not say so by itself for elements.
  if (onChange === 'throw' && (await readGeneration(socket)) !== before)
    throw new NfbridgeError({
      code: 'NFB_DUMP_INCONSISTENT',
      operation,
      message:
        'the ruleset changed while the elements were read: some may be missing or there twice; try again',
    })
}
