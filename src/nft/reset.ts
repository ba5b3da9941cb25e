/** Counters, quotas and what else counts, read and set to zero in one go. */

import { release } from 'node:os'
import { NfbridgeError } from '../errors.js'
import { checkObject } from '../input.js'
import type { SocketHandle } from '../native/addon.js'
import type { MessageName, MessageRecords } from '../native/records.js'
import { inSlices } from '../native/slices.js'
import { familyOf } from './family.js'
import { ObjectTypes } from './kernel/constants.js'
import { listKernel } from './list.js'
import { assemble, type KernelRuleset } from './list-assemble.js'
import type { Family, ListedObject, StatefulKind } from './model/index.js'
import { dumpInParts, elementsOf, objectOf, type Pick, ruleOf } from './requests.js'
import type { SetName } from './set-elements.js'

/** What {@link Nft.reset} sets to zero. */
export type ResetTarget =
  /** Named counters and quotas (or those of one `kind`), in all tables or one. */
  | {
      readonly objects: { readonly kind?: StatefulKind; readonly family?: Family; readonly table?: string }
    }
  /** What the rules count by themselves, in all chains or one. Kernel 6.2. */
  | { readonly rules: { readonly family?: Family; readonly table?: string; readonly chain?: string } }
  /** What the elements of a set or map count. Kernel 6.5. */
  | { readonly elements: SetName }

const operation = 'nft.reset'

/**
 * Reads and resets, on a socket of its own. A dump that others disturb is not begun anew: what it reset is told, whatever
 * else happened.
 */
export async function reset(socket: SocketHandle, target: ResetTarget): Promise<readonly ListedObject[]> {
  checkObject(target, ['objects', 'rules', 'elements'], operation, 'target')
  if ('objects' in target) {
    checkObject(target.objects, ['kind', 'family', 'table'], operation, 'target.objects')
    const { kind, family, table } = target.objects
    const type = kind === undefined ? {} : { type: ObjectTypes[kind] }
    const objects = await dump(
      socket,
      'nftGetObjectReset',
      { ...inTable(family, table), ...type },
      objectOf,
      '',
    )
    return inSlices(assemble({ ...nothing, objects }, { ...scope(family, table) }))
  }
  if ('rules' in target) {
    checkObject(target.rules, ['family', 'table', 'chain'], operation, 'target.rules')
    const { family, table, chain } = target.rules
    // What the rules look up must be known to read them.
    const filter = { ...scope(family, table), kinds: ['rule'] } as const
    const { kernel } = await listKernel(socket, filter)
    const record = { ...inTable(family, table), ...(chain !== undefined && { chain }) }
    const rules = await dump(socket, 'nftGetRuleReset', record, ruleOf, '6.2')
    return inSlices(assemble({ ...kernel, rules }, { ...filter, ...(chain !== undefined && { chain }) }))
  }
  const { family, table, name } = checkObject(
    target.elements,
    ['family', 'table', 'name'],
    operation,
    'target.elements',
  )
  const filter = { family, table, set: name, kinds: ['set'], elements: false } as const
  const { kernel } = await listKernel(socket, filter)
  const record = { family: familyOf(family, operation, 'target.elements.family'), table, set: name }
  const elements = await dump(socket, 'nftGetElementReset', record, elementsOf, '6.5')
  return inSlices(assemble({ ...kernel, elements }, { family, table, set: name }))
}

const nothing: KernelRuleset = {
  tables: [],
  chains: [],
  sets: [],
  listsSets: false,
  elements: [],
  objects: [],
  flowtables: [],
  rules: [],
}

function scope(
  family: Family | undefined,
  table: string | undefined,
): { readonly family?: Family; readonly table?: string } {
  return { ...(family !== undefined && { family }), ...(table !== undefined && { table }) }
}

/** The kernel resets what its filter says: a table without its family would be every table. */
function inTable(
  family: Family | undefined,
  table: string | undefined,
): { readonly family?: number; readonly table?: string } {
  if (table !== undefined && family === undefined)
    throw new NfbridgeError({
      code: 'NFB_INVALID_ARGUMENT',
      operation,
      message: 'the family of the table is expected too',
      path: 'family',
    })
  return {
    ...(family !== undefined && { family: familyOf(family, operation, 'target.family') }),
    ...(table !== undefined && { table }),
  }
}

/** @param since the kernel version that can do it, if any kernel of today cannot */
async function dump<K extends MessageName, R>(
  socket: SocketHandle,
  name: K,
  record: MessageRecords[K],
  pick: Pick<R>,
  since: string,
): Promise<R[]> {
  const all: R[] = []
  try {
    for await (const part of dumpInParts(socket, name, record, pick, operation, 'ignore'))
      for (const one of part) all.push(one)
  } catch (error) {
    throw tooOld(error, since, release()) ?? error
  }
  return all
}

/** A kernel that does not know a message says EINVAL and nothing more. */
export function tooOld(error: unknown, since: string, kernel: string): NfbridgeError | undefined {
  if (since === '' || !(error instanceof NfbridgeError) || error.errno !== 'EINVAL') return undefined
  const [major = 0, minor = 0] = kernel.split('.').map((part) => Number.parseInt(part, 10))
  const [least = 0, leastMinor = 0] = since.split('.').map(Number)
  if (major > least || (major === least && minor >= leastMinor)) return undefined
  return new NfbridgeError({
    code: 'NFB_NOT_SUPPORTED',
    operation,
    message: `this kernel (${kernel}) cannot reset them, which came with ${since}`,
    errno: error.errno,
    cause: error,
  })
}
