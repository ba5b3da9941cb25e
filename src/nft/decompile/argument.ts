/** What a statement takes from a register: a constant, what a map gives, or something of the packet. */
import type { Expression } from '../model/index.js'
import { type Encoding, readAlternatives } from './constants.js'
import { operand, type Part, partOf, widenedPart } from './operand.js'
import type { RuleState } from './rule-state.js'
import type { Loaded } from './value.js'

export interface Argument {
  readonly expression: Expression
  /** What put it there. */
  readonly from: readonly Loaded[]
  /** What of the packet it was made from. */
  readonly parts: readonly Part[]
}

/** A number of the packet in fewer bytes than the statement takes: `meta mark set ip dscp`. */
function readNarrow(
  state: RuleState,
  loaded: Loaded,
  { order, length, type }: Encoding,
): Argument | undefined {
  if (order !== 'host' || length !== 4 || type.text) return undefined
  const part = widenedPart(partOf(loaded.value, loaded.length, state.protocols), length)
  return part && { expression: part.expression, from: [loaded], parts: [part] }
}

/** The one value in a register; undefined when it is not of the length or order that the statement takes. */
export function readSingle(
  state: RuleState,
  register: number | undefined,
  encoding: Encoding,
): Argument | undefined {
  const loaded = register === undefined ? undefined : state.registers.at(register)
  return readLoaded(state, loaded, encoding)
}

/** As {@link readSingle}, of what a register has. */
export function readLoaded(
  state: RuleState,
  loaded: Loaded | undefined,
  encoding: Encoding,
): Argument | undefined {
  if (loaded !== undefined && loaded.length < encoding.length) return readNarrow(state, loaded, encoding)
  if (loaded?.length !== encoding.length) return undefined
  const { value } = loaded
  if (value.kind === 'constant')
    return { expression: readAlternatives(value.bytes, encoding), from: [loaded], parts: [] }
  if (value.kind === 'mapped') return { expression: value.expression, from: [loaded], parts: value.key.parts }
  const named = operand([loaded], state.protocols)
  const [part] = named?.parts ?? []
  if (!named || !part || part.shift !== 0) return undefined
  if (part.order !== encoding.order && encoding.length > 1) return undefined
  return { expression: named.expression, from: [loaded], parts: named.parts }
}
