/** Our side of the comparison. */
import { NfbridgeError } from '../../src/errors.js'
import type { MapObject, Nft, RulesetObject, SetObject } from '../../src/nft/index.js'

/** Commits all groups of objects in one transaction, without those that are refused; for these the error. */
export async function installOurs(
  handle: Nft,
  groups: readonly (readonly RulesetObject[])[],
  declared: readonly (SetObject | MapObject)[],
): Promise<ReadonlyMap<number, unknown>> {
  const refused = new Map<number, unknown>()
  for (;;) {
    const owners: number[] = []
    const transaction = handle.transaction()
    for (const object of declared) transaction.declare(object)
    for (const [index, objects] of groups.entries()) {
      if (refused.has(index)) continue
      for (const object of objects) {
        owners.push(index)
        transaction.add(object)
      }
    }
    try {
      await transaction.commit()
      return refused
    } catch (error) {
      const path = error instanceof NfbridgeError ? (error.path ?? '') : ''
      const owner = owners[Number(/^operations\[(\d+)\]/.exec(path)?.[1])]
      if (owner === undefined) throw error
      refused.set(owner, error)
    }
  }
}
