/** Statements that apply a named object: by its name, or by a map that gives one (`counter name ip saddr map @names`). */
import { InvalidValue, quote } from '../datatype/index.js'
import { ObjectTypes } from '../kernel/constants.js'
import type { MapExpression, ObjectReference, StatefulKind } from '../model/index.js'
import { isObject } from './constant.js'
import { loadOperand } from './load.js'
import { resolveSet } from './lookup.js'
import { checkName } from './names.js'
import { register } from './registers.js'
import type { RuleContext } from './rule-context.js'
import { resolve } from './selector.js'

/** Whether a statement names an object, and does not have what it says in itself. */
export function isReference(value: unknown): value is ObjectReference {
  return typeof value === 'string' || (isObject(value) && 'map' in value)
}

/** Applies the object; the trail stands at the reference. */
export function compileReference(context: RuleContext, kind: StatefulKind, reference: ObjectReference): void {
  if (typeof reference === 'string')
    context.out.push({
      name: 'objref',
      data: { immType: ObjectTypes[kind], immName: checkName(reference, kind) },
    })
  else if (isReference(reference)) applyMapped(context, kind, reference.map)
  else throw new InvalidValue(`the name of a ${kind} is expected, not ${quote(reference)}`)
}

function applyMapped(context: RuleContext, kind: StatefulKind, map: MapExpression['map']): void {
  const { trail, out } = context
  trail.enter('map')
  trail.enter('key')
  const key = resolve(context, map.key)
  trail.leave()
  trail.enter('data')
  const { set, operand } = resolveSet(context, key, map.data, kind)
  trail.leave()
  trail.leave()
  loadOperand(out, 0, operand, set.interval)
  const { set: setName, setId } = set.handle
  out.push({
    name: 'objref',
    data: { setSreg: register(0), setName, ...(setId === undefined ? {} : { setId }) },
  })
}
