/** What a kernel has, or has a module of to load: found by making it, in a table that the same transaction deletes. */

import type { ErrorCode } from '../../errors.js'
import { NfbridgeError } from '../../errors.js'
import type { Nft, RulesetObject, TableObject } from '../../nft/index.js'
import type { HelperObject } from '../plan/helpers.js'
import { OFFLOAD } from '../rules/names.js'
import { offloadFlowtable } from '../rules/offload.js'

/** What is made in the table of the name given, and the codes by which the kernel says that it can't be. */
export interface KernelFeature {
  readonly objects: (table: string) => readonly RulesetObject[]
  readonly lacking: readonly ErrorCode[]
}

export const FLOWTABLES: KernelFeature = {
  objects: (table) => {
    const chain = { family: 'inet', table, name: OFFLOAD } as const
    const expr = [{ flow: { op: 'add', flowtable: `@${OFFLOAD}` } }] as const
    const rule = { family: 'inet', table, chain: OFFLOAD, expr } as const
    return [{ chain }, offloadFlowtable(table, []), { rule }]
  },
  lacking: ['NFB_NOT_SUPPORTED', 'NFB_MISSING'],
}

/** Elements that count the connections that meet them (nft_connlimit). */
export const CONNECTION_LIMITS: KernelFeature = {
  objects: (table) => {
    const set = { family: 'inet', table, name: 'limit', type: 'mark' } as const
    const elem = [{ elem: { val: 0, 'ct count': { val: 1, inv: true } } }] as const
    return [{ set }, { element: { ...set, elem } }]
  },
  lacking: ['NFB_NOT_SUPPORTED', 'NFB_MISSING'],
}

/** A helper of connection tracking, of which the kernel need not know. */
export type AnyHelper = Omit<HelperObject, 'type'> & { readonly type: string }

export function helperFeature(helper: AnyHelper): KernelFeature {
  return {
    objects: (table) => [{ 'ct helper': { family: 'inet', table, ...helper } }],
    lacking: ['NFB_MISSING'],
  }
}

/** @param name of the table: nobody else may have one of it */
export async function hasFeature(
  nft: Nft,
  name: string,
  { objects, lacking }: KernelFeature,
): Promise<boolean> {
  const table: TableObject = { table: { family: 'inet', name } }
  const transaction = nft.transaction().add(table)
  for (const object of objects(name)) transaction.add(object)
  try {
    await transaction.delete(table).commit()
    return true
  } catch (error) {
    if (error instanceof NfbridgeError && lacking.includes(error.code)) return false
    throw error
  }
}
