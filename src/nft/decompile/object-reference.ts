/** Named objects that a rule applies, by name or by a map. */
import type { ExprObjrefRecord } from '../../native/records.js'
import { ObjectTypes } from '../kernel/constants.js'
import type { ObjectReference, StatefulKind, Statement } from '../model/index.js'
import { operand, use } from './operand.js'
import type { RuleState } from './rule-state.js'

const kinds: ReadonlyMap<number, StatefulKind> = new Map(
  (Object.entries(ObjectTypes) as [StatefulKind, number][]).map(([kind, number]) => [number, kind]),
)

/** The kind of objects that the kernel's number stands for; undefined for one that the model does not have. */
export function objectKind(number: number | undefined): StatefulKind | undefined {
  return kinds.get(number ?? 0)
}

/** False for objects that the model does not have. */
export function readObjref(state: RuleState, record: ExprObjrefRecord): boolean {
  const { immType, immName, setName } = record
  if (setName !== undefined) return readMapped(state, record, setName)
  const kind = objectKind(immType)
  if (kind === undefined || immName === undefined) return false
  state.say(statement(kind, immName))
  return true
}

function readMapped(state: RuleState, { setSreg }: ExprObjrefRecord, setName: string): boolean {
  const set = state.sets.find(setName)
  const kind = objectKind(set?.objType)
  if (kind === undefined || setSreg === undefined || set?.keyLen === undefined) return false
  const loaded = state.registers.span(setSreg, set.keyLen)
  const key = loaded && operand(loaded, state.protocols)
  const data = key && state.sets.values(setName, key.parts)
  if (!loaded || !key || data === undefined) return false
  use(key.parts, state.protocols)
  state.say(statement(kind, { map: { key: key.expression, data } }), loaded)
  return true
}

function statement(kind: StatefulKind, reference: ObjectReference): Statement {
  switch (kind) {
    case 'counter':
      return { counter: reference }
    case 'quota':
      return { quota: reference }
    case 'limit':
      return { limit: reference }
    case 'ct helper':
      return { 'ct helper': reference }
    case 'ct timeout':
      return { 'ct timeout': reference }
    case 'ct expectation':
      return { 'ct expectation': reference }
    case 'secmark':
      return { secmark: reference }
    case 'synproxy':
      return { synproxy: reference }
    case 'tunnel':
      return { tunnel: reference }
  }
}
