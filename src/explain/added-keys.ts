/** Keys that rules put into sets from the packets of one explanation: no listing has them. */
import type { Value } from './constant.js'

/** A key, and whether it was put there whatever the answers to what is not known. */
export interface AddedKey {
  readonly values: readonly Value[]
  readonly isCertain: boolean
}

/** The keys that were added, by family, table and name of the set. */
export type AddedKeys = ReadonlyMap<string, readonly AddedKey[]>

/** Whether two keys are the same; undefined: it hangs on what is not known of one of them. */
export function isSameKey(one: readonly Value[], other: readonly Value[]): boolean | undefined {
  const answers = one.map((value, index) => isSameValue(value, other[index]))
  if (answers.includes(false)) return false
  return answers.includes(undefined) ? undefined : true
}

function isSameValue(one: Value, other: Value): boolean | undefined {
  if (one === undefined || other === undefined) return undefined
  // One and the same unknown port: that of a packet and of its answer.
  if (one === other) return true
  if (typeof one === 'string' || typeof other === 'string') return false
  const [first, second] = [boundsOf(one), boundsOf(other)]
  if (first.high < second.low || second.high < first.low) return false
  return typeof one === 'bigint' && typeof other === 'bigint' ? one === other : undefined
}

function boundsOf(value: Exclude<Value, string | undefined>): {
  readonly low: bigint
  readonly high: bigint
} {
  return typeof value === 'bigint' ? { low: value, high: value } : value
}

/** What several possible runs added: certain is what all of them did. */
export function mergedKeys(runs: readonly AddedKeys[]): AddedKeys {
  const [first, ...others] = runs
  if (first === undefined || others.length === 0) return first ?? new Map()
  const names = new Set(runs.flatMap((run) => [...run.keys()]))
  return new Map(
    [...names].map((name) => {
      const keys: AddedKey[] = []
      for (const key of runs.flatMap((run) => run.get(name) ?? [])) {
        if (keys.some(({ values }) => isSameKey(values, key.values) === true)) continue
        const isCertain = runs.every((run) =>
          run.get(name)?.some((each) => each.isCertain && isSameKey(each.values, key.values) === true),
        )
        keys.push({ values: key.values, isCertain })
      }
      return [name, keys]
    }),
  )
}
