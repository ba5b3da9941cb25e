/** What was added, as a listing says it: defaults are told, priorities are numbers, elements belong to their sets. */
import { priorityNumber } from '../../../src/nft/compile/chain.js'
import type { Element, Family, RulesetObject, Statement } from '../../../src/nft/index.js'

export function asListed(objects: readonly RulesetObject[]): RulesetObject[] {
  const elements = objects.flatMap((object) => ('element' in object ? [object.element] : []))
  return objects.filter((object) => !('element' in object)).map((object) => told(object, elements))
}

function told(object: RulesetObject, elements: readonly Element[]): RulesetObject {
  if ('chain' in object && object.chain.prio !== undefined) {
    const { chain } = object
    const prio = priorityNumber(chain.family, object.chain.prio)
    return { chain: { policy: 'accept', ...chain, prio } }
  }
  if ('counter' in object) return { counter: { packets: 0, bytes: 0, ...object.counter } }
  if ('rule' in object)
    return {
      rule: { ...object.rule, expr: object.rule.expr.map((one) => statement(one, object.rule.family)) },
    }
  if ('set' in object) return { set: { ...object.set, ...withAdded(object.set, elements) } }
  if ('map' in object) return { map: { ...object.map, ...withAdded(object.map, elements) } }
  return object
}

/** The elements that a set or map was declared with, and those that were added to it. */
function withAdded<E>(
  { name, elem = [] }: { readonly name: string; readonly elem?: readonly E[] },
  added: readonly Element[],
): { readonly elem?: readonly E[] } {
  // Elements that were added to a set or map are of its kind.
  const all = [
    ...elem,
    ...added.filter((one) => one.name === name).flatMap((one) => one.elem as readonly E[]),
  ]
  return all.length === 0 ? {} : { elem: all }
}

function statement(one: Statement, family: Family): Statement {
  if ('counter' in one && one.counter === null) return { counter: { packets: 0, bytes: 0 } }
  if ('reject' in one && one.reject === null && family === 'ip')
    return { reject: { type: 'icmp', expr: 'port-unreachable' } }
  return one
}
