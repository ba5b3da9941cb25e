/** Elements that a rule puts into sets and maps. */
import type { ExprDynsetRecord, NftSetRecord } from '../../native/records.js'
import { paddedLength } from '../datatype/index.js'
import { DYNSET_EXPRESSIONS, DynsetOps } from '../kernel/constants.js'
import type { DynamicKey, SetOperation, StatefulStatement, Statement } from '../model/index.js'
import { type Argument, readLoaded, readSingle } from './argument.js'
import { seconds } from './elements.js'
import { namedConstants } from './key.js'
import { operand, use } from './operand.js'
import type { RuleState } from './rule-state.js'
import { isAnonymous } from './set-catalog.js'
import { readStateful } from './stateful.js'

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
  const key = loaded && operand(namedConstants(loaded, set), state.protocols)
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

function statesOf({ expr, expressions }: ExprDynsetRecord): StatefulStatement[] | undefined {
  const states: StatefulStatement[] = []
  for (const expression of expressions ?? (expr ? [expr] : [])) {
    const stateful = readStateful(expression)
    if (!stateful) return undefined
    states.push(stateful)
  }
  return states
}

/** What is put into a map: a value, or a concatenation. */
function readData(state: RuleState, register: number, set: string): Argument | undefined {
  const fields = state.sets.dataFields(set) ?? []
  const [field] = fields
  if (field === undefined) return undefined
  if (fields.length === 1) return readSingle(state, register, field)
  const length = fields.reduce((sum, each) => sum + paddedLength(each.length), 0)
  const loaded = state.registers.span(register, length)
  if (loaded?.length !== fields.length) return undefined
  const parts = loaded.flatMap((each, index) => {
    const encoding = fields[index]
    const part = encoding && readLoaded(state, each, encoding)
    return part ? [part] : []
  })
  if (parts.length !== fields.length) return undefined
  return {
    expression: { concat: parts.map(({ expression }) => expression) },
    from: loaded,
    parts: parts.flatMap((each) => each.parts),
  }
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
