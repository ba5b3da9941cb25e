/** Elements that a rule puts into sets and maps. */
import type { ExprDynsetRecord, NftSetRecord } from '../../native/records.js'
import { DYNSET_EXPRESSIONS, DynsetOps } from '../kernel/constants.js'
import type { DynamicKey, SetOperation, StatefulStatement, Statement } from '../model/index.js'
import { type Argument, readSingle } from './argument.js'
import { readValue } from './constants.js'
import { seconds } from './elements.js'
import { keyEncoding } from './encodings.js'
import { operand, use } from './operand.js'
import type { RuleState } from './rule-state.js'
import { isAnonymous } from './set-catalog.js'
import { readStateful } from './stateful.js'
import type { Loaded } from './value.js'

const operations: ReadonlyMap<number, SetOperation> = new Map(
  (Object.entries(DynsetOps) as [SetOperation, number][]).map(([name, number]) => [number, name]),
)

/** False when it is not understood. */
export function readDynset(state: RuleState, record: ExprDynsetRecord): boolean {
  const { setName, op, sregKey, sregData, timeout = 0n, flags = 0 } = record
  const set = setName === undefined ? undefined : state.sets.find(setName)
  const operation = operations.get(op ?? -1)
  if (!set || setName === undefined || !operation || sregKey === undefined || set.keyLen === undefined)
    return false
  // Else it is inverted: matches where there is no room.
  if ((flags & ~DYNSET_EXPRESSIONS) !== 0) return false
  const loaded = state.registers.span(sregKey, set.keyLen)
  const key = loaded && operand(named(loaded, set), state.protocols)
  const states = statesOf(record)
  if (!key || !states) return false
  const elem: DynamicKey =
    timeout === 0n ? key.expression : { elem: { val: key.expression, timeout: seconds(timeout) } }
  const data = sregData === undefined ? undefined : readData(state, sregData, setName)
  if (sregData !== undefined && !data) return false
  const said = statement({ set, setName, operation, elem, states, data })
  if (!said) return false
  use([...key.parts, ...(data?.parts ?? [])], state.protocols)
  state.say(said, [...loaded, ...(data?.from ?? [])])
  return true
}

/** Constants among the fields of a key, as the set's types have them. */
function named(loaded: readonly Loaded[], set: NftSetRecord): readonly Loaded[] {
  if (!loaded.some(({ value }) => value.kind === 'constant')) return loaded
  const fields = keyEncoding(set) ?? []
  return loaded.map((each, index) => {
    const field = fields[index]
    if (each.value.kind !== 'constant' || field?.length !== each.length) return each
    const expression = readValue(each.value.bytes, field)
    return { ...each, value: { kind: 'key', expression, type: field.type, order: field.order } }
  })
}

function statesOf({ expr, expressions }: ExprDynsetRecord): StatefulStatement[] | undefined {
  const states: StatefulStatement[] = []
  for (const expression of expressions ?? (expr ? [expr] : [])) {
    const stateful = readStateful(expression)
    if (!stateful) return undefined
    states.push(stateful)
  }
  return states
}

/** Rules put single values into maps. */
function readData(state: RuleState, register: number, set: string): Argument | undefined {
  const fields = state.sets.dataFields(set) ?? []
  const [field] = fields
  return fields.length === 1 && field ? readSingle(state, register, field) : undefined
}

interface Parts {
  readonly set: NftSetRecord
  readonly setName: string
  readonly operation: SetOperation
  readonly elem: DynamicKey
  readonly states: readonly StatefulStatement[]
  readonly data: Argument | undefined
}

function statement({ set, setName, operation, elem, states, data }: Parts): Statement | undefined {
  if (isAnonymous(set)) {
    const [stmt] = states
    const size = set.desc?.size
    // A meter's set has its name in spite of being anonymous.
    if (stmt === undefined || states.length > 1 || data || operation === 'delete') return undefined
    return { meter: { name: setName, key: elem, stmt, ...(size !== undefined && { size }) } }
  }
  const stmt = states.length > 0 ? { stmt: states } : {}
  return data
    ? { map: { op: operation, elem, data: data.expression, map: `@${setName}`, ...stmt } }
    : { set: { op: operation, elem, set: `@${setName}`, ...stmt } }
}
