import { readInput } from '../../read-input.js'
import { located, Trail } from '../compile/index.js'
import { InvalidValue, typeNames } from '../datatype/index.js'
import type { ElementObject, Expression, MapObject, MapType, SetObject } from '../model/index.js'
import { type Prepared, prepare } from './prepared.js'

/**
 * Prepares elements of a set or map: a slot for each field of the key and, in a map of values, of the data, in this order.
 * `prepareElements({ set: { …, type: ['ipv4_addr', 'inet_service'] } }, ['client', 'port'])`. For elements with a verdict,
 * a timeout or a comment {@link prepare} an `{ element: … }`.
 * @param declaration the set or map as it is declared; its elements do not matter
 * @throws NfbridgeError NFB_INVALID_ARGUMENT when there are not as many names as fields, and for sets of single ranges
 */
export function prepareElements(given: SetObject | MapObject, givenNames: readonly string[]): Prepared {
  const declaration = readInput(given, 'nft.prepareElements', 'declaration')
  const names = readInput(givenNames, 'nft.prepareElements', 'names')
  return prepare(elementOf(declaration, names), { slots: names, declared: [declaration] })
}

function elementOf(declaration: SetObject | MapObject, names: readonly string[]): ElementObject {
  const trail = new Trail()
  try {
    const set = 'set' in declaration ? declaration.set : declaration.map
    const { family, table, name } = set
    const keys = typeNames(set.type).length
    const map = 'map' in set ? set.map : undefined
    if (map === 'verdict')
      throw new InvalidValue('a verdict is no slot: prepare({ element: { …, elem: [[slots, verdict]] } })')
    const data = map === undefined ? 0 : fieldCount(map)
    if (names.length !== keys + data)
      throw new InvalidValue(`${name} has ${keys + data} fields, for which ${names.length} names are given`)
    const key = joined(names.slice(0, keys))
    const elem = map === undefined ? [key] : [[key, joined(names.slice(keys))] as const]
    return { element: { family, table, name, elem } }
  } catch (error) {
    throw located(error, 'nft.prepareElements', trail)
  }
}

function fieldCount(map: MapType): number {
  return typeof map === 'string' ? 1 : typeNames(map).length
}

function joined(names: readonly string[]): Expression {
  const [only] = names
  if (names.length === 1 && only !== undefined) return { slot: only }
  return { concat: names.map((slot) => ({ slot })) }
}
