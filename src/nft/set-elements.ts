/** Elements of one set or map: found by their keys, or all of them in a stream. */
import { NfbridgeError } from '../errors.js'
import { checkObject } from '../input.js'
import type { SocketHandle } from '../native/addon.js'
import type { NftElementRecord, NftSetRecord } from '../native/records.js'
import { atOnce, inSlices } from '../native/slices.js'
import { elementRecords, located, SetScope, Trail } from './compile/index.js'
import { type Datatype, type Interfaces, interfaceIndexType } from './datatype/index.js'
import { readElementsOf, readSet } from './decompile/index.js'
import { ElementFlags, familyNumbers, SetFlags } from './kernel/constants.js'
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
  const named = { family: familyNumbers[family], table, name }
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
  const ask = async (element: NftElementRecord): Promise<readonly NftElementRecord[]> => {
    const question = { family: familyNumbers[family], table, set: name, elements: [element] }
    const found = await getOne(socket, 'nftGetElement', question, elementsOf, operation)
    return found?.elements ?? []
  }
  const found = await ask(asked)
  if (found.length === 0) return undefined
  // A range without an end goes on to the last value.
  const end = hasEnds && asked.key ? await ask({ key: asked.key, flags: ElementFlags.intervalEnd }) : []
  const elements = await inSlices(readElementsOf({ record, elements: [...found, ...end] }, interfaces))
  if (elements === undefined) throw notUnderstood(name, operation)
  return elements[0]
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
    { family: familyNumbers[family], table, set: name },
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
