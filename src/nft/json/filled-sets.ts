/** Sets that rules put elements into: nft's JSON prints them without the flag `dynamic`, and adds it when it reads them. */
import type { RulesetObject, Statement } from '../model/index.js'

/** The sets and maps of the same table that a rule's statements fill, each as {@link nameOf} says it. */
function filledBy(object: RulesetObject): string[] {
  if (!('rule' in object)) return []
  const { family, table, expr } = object.rule
  return expr.flatMap((statement) => {
    const reference = referenceOf(statement)
    return reference === undefined ? [] : [nameOf(family, table, reference.slice(1))]
  })
}

function referenceOf(statement: Statement): string | undefined {
  if ('set' in statement) return statement.set.set
  return 'map' in statement ? statement.map.map : undefined
}

function nameOf(family: string, table: string, name: string): string {
  return `${family} ${table} ${name}`
}

/** Gives the sets that rules among these objects fill the flag that the kernel wants of them. */
export function withDynamicFlags(
  objects: readonly RulesetObject[],
): (object: RulesetObject) => RulesetObject {
  const filled = new Set(objects.flatMap(filledBy))
  return (object) => {
    const set = 'set' in object ? object.set : 'map' in object ? object.map : undefined
    if (!set || !filled.has(nameOf(set.family, set.table, set.name)) || set.flags?.includes('dynamic'))
      return object
    const flags = [...(set.flags ?? []), 'dynamic'] as const
    if ('set' in object) return { set: { ...object.set, flags } }
    return 'map' in object ? { map: { ...object.map, flags } } : object
  }
}
