import { InvalidValue, quote } from '../datatype/index.js'
import { CHAIN_BASE, ChainFlags, hookNumbers, UserdataTypes } from '../kernel/constants.js'
import { priorities } from '../kernel/priorities.js'
import type { Chain, ChainCounters, ChainFlag, Family, Priority } from '../model/index.js'
import { count } from './counter.js'
import type { ChainRecord, Draft, Removal } from './message.js'
import { checkName, familyNumber } from './names.js'
import type { BatchContext } from './rule-context.js'
import { unknownAttributes, unknownFlags, withUnknownUserdata } from './unknown.js'
import { commentData } from './userdata.js'

/** A priority as the kernel's number. @throws InvalidValue */
export function priorityNumber(family: Family, priority: Priority): number {
  if (typeof priority === 'number') {
    if (!Number.isInteger(priority) || (priority | 0) !== priority)
      throw new InvalidValue(`${quote(priority)} is no priority: an integer of 32 bits is expected`)
    return priority
  }
  const [, name = '', sign, offset = '0'] = /^([a-z]+)(?: ([+-]) (\d+))?$/.exec(priority) ?? []
  const base = Object.entries(priorities[family]).find(([known]) => known === name)?.[1]
  if (base === undefined) {
    const names = Object.keys(priorities[family]).join(', ')
    throw new InvalidValue(
      `${quote(priority)} is no priority of family ${family}: a number, or one of ${names}`,
    )
  }
  return sign === '-' ? base - Number(offset) : base + Number(offset)
}

/** Adds a chain; the trail stands at it. */
export function addChain(batch: BatchContext, chain: Chain, flags: number): void {
  const record: Draft<ChainRecord> = {
    family: familyNumber(chain.family),
    table: checkName(chain.table, 'table'),
    name: checkName(chain.name, 'chain'),
    ...unknownAttributes(chain.unknown, 'attributes', batch.trail),
  }
  if (chain.hook !== undefined || chain.type !== undefined || chain.prio !== undefined) {
    record.type = chainType(batch, chain)
    record.hook = {
      ...hookOf(batch, chain),
      ...unknownAttributes(chain.unknown, 'hook', batch.trail),
    }
  } else {
    const property = propertiesOfBaseChains.find((name) => chain[name] !== undefined)
    if (property !== undefined)
      throw new InvalidValue(`${property} belongs to base chains: type, hook and prio are missing`)
  }
  if (chain.policy !== undefined) record.policy = policyNumber(batch, chain.policy)
  const isBase = record.hook !== undefined
  const bits = flagBits(batch, chain.flags) | unknownFlags(chain.unknown)
  if (bits !== 0) record.flags = bits | (isBase ? CHAIN_BASE : 0)
  if ((bits & ChainFlags.binding) !== 0) {
    if (isBase) throw new InvalidValue('a base chain belongs to no rule: it has no flag binding')
    // The kernel names it; this transaction knows it by a number.
    delete record.name
    record.id = batch.scope.bindChain(chain.family, chain.table, chain.name)
  }
  if (chain.counters !== undefined) record.counters = counters(batch, chain.counters)
  batch.trail.enter('comment')
  const comment = commentData(UserdataTypes.chainComment, chain.comment)
  batch.trail.leave()
  const userdata = withUnknownUserdata(comment, chain.unknown, batch.trail)
  if (userdata !== undefined) record.userdata = userdata
  batch.sink.add('nftNewChain', flags, record)
}

const propertiesOfBaseChains = ['policy', 'dev', 'counters'] as const

function flagBits({ trail }: BatchContext, flags: readonly ChainFlag[] = []): number {
  trail.enter('flags')
  let bits = 0
  for (const flag of flags) {
    if (!Object.hasOwn(ChainFlags, flag)) throw new InvalidValue(`${quote(flag)} is no flag of a chain`)
    bits |= ChainFlags[flag]
  }
  trail.leave()
  return bits
}

/** Zeros are said as well: without both numbers the kernel takes no counters. */
function counters(
  { trail }: BatchContext,
  { packets, bytes }: ChainCounters,
): NonNullable<ChainRecord['counters']> {
  trail.enter('counters')
  const record = { packets: count(packets), bytes: count(bytes) }
  trail.leave()
  return record
}

function chainType(batch: BatchContext, chain: Chain): string {
  batch.trail.enter('type')
  const { type } = chain
  if (type !== 'filter' && type !== 'nat' && type !== 'route')
    throw new InvalidValue(`a base chain has a type: filter, nat or route, not ${quote(type)}`)
  batch.trail.leave()
  return type
}

function hookOf(batch: BatchContext, chain: Chain): NonNullable<ChainRecord['hook']> {
  const { trail } = batch
  trail.enter('hook')
  const hooknum = chain.hook === undefined ? undefined : hookNumbers[chain.family][chain.hook]
  if (hooknum === undefined) {
    const hooks = Object.keys(hookNumbers[chain.family]).join(', ')
    throw new InvalidValue(
      `a base chain of family ${chain.family} has one of the hooks ${hooks}, not ${quote(chain.hook)}`,
    )
  }
  trail.leave()
  trail.enter('prio')
  if (chain.prio === undefined) throw new InvalidValue('a base chain has a priority')
  const priority = priorityNumber(chain.family, chain.prio)
  trail.leave()
  if (chain.dev === undefined) return { hooknum, priority }
  trail.enter('dev')
  const devices = [chain.dev].flat()
  for (const device of devices) checkDevice(device)
  trail.leave()
  const [only] = devices
  return devices.length === 1 && only !== undefined
    ? { hooknum, priority, dev: only }
    : { hooknum, priority, devs: devices }
}

/** Refuses what is no interface's name. */
export function checkDevice(name: string): void {
  if (typeof name !== 'string' || name === '' || name.length > 15)
    throw new InvalidValue(`${quote(name)} is no interface name`, 'NFB_INVALID_NAME')
}

function policyNumber(batch: BatchContext, policy: string): number {
  batch.trail.enter('policy')
  if (policy !== 'accept' && policy !== 'drop')
    throw new InvalidValue(`${quote(policy)} is no policy: accept or drop is expected`)
  batch.trail.leave()
  return policy === 'accept' ? 1 : 0
}

/** What names a chain. */
export type ChainReference = Pick<Chain, 'family' | 'table' | 'name'>

/** Deletes a chain, which must be empty and not referred to. */
export function deleteChain(batch: BatchContext, chain: ChainReference, removal: Removal = 'Del'): void {
  batch.sink.add(`nft${removal}Chain`, 0, {
    family: familyNumber(chain.family),
    table: checkName(chain.table, 'table'),
    name: checkName(chain.name, 'chain'),
  })
}

/** A chain, and the name that it shall have. */
export interface ChainRenaming extends ChainReference {
  readonly newname: string
  /** Spares looking the chain up: the kernel finds a chain that gets a new name by its handle only. */
  readonly handle?: number
}

/** Gives a chain another name; rules that jump to it go on doing so. */
export function renameChain(batch: BatchContext, chain: ChainRenaming, handle: number | undefined): void {
  if (handle === undefined) throw new InvalidValue('the handle of the chain is expected')
  checkName(chain.name, 'chain')
  const record = {
    family: familyNumber(chain.family),
    table: checkName(chain.table, 'table'),
    handle: BigInt(handle),
  }
  batch.trail.enter('newname')
  const name = checkName(chain.newname, 'chain')
  batch.trail.leave()
  batch.sink.add('nftNewChain', 0, { ...record, name })
}

/** Deletes the rules of a chain. */
export function flushChain(batch: BatchContext, chain: ChainReference): void {
  batch.sink.add('nftDelRule', 0, {
    family: familyNumber(chain.family),
    table: checkName(chain.table, 'table'),
    chain: checkName(chain.name, 'chain'),
  })
}
