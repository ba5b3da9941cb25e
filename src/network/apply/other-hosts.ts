/** Other hosts in the same namespace, of other programs: what each must know of the others' bridges stands in its own table. */
import { Cidr } from '../../address/index.js'
import { NfbridgeError } from '../../errors.js'
import type {
  ConcatExpression,
  SetElement as ListedElement,
  Nft,
  PrefixExpression,
  Transaction,
} from '../../nft/index.js'
import { type KeyField, ofFamily, type SetElement, type SetName } from '../plan/elements.js'
import { eachFamily } from '../plan/endpoints.js'
import type { Family } from '../plan/records.js'
import { tableObjects } from '../rules/ruleset.js'
import { ANNOUNCED_SETS, elementObjects } from '../rules/sets.js'

/** A host of another program, or our own, as its table tells it. */
export interface StandingHost {
  /** The name of its tables. */
  readonly table: string
  /** Those of its bridges that every host knows, as elements of sets of the same names in each. */
  readonly bridges: readonly SetElement[]
  readonly pools: readonly Cidr[]
  /** The families that its networks have addresses of. */
  readonly families: readonly Family[]
}

/** Those of some elements that other hosts must know. */
export function sharedElements(elements: readonly SetElement[]): SetElement[] {
  return elements.filter(({ set }) => ANNOUNCED_SETS.has(set))
}

/** The hosts of other programs, by the comment of their tables: those that have rules of the same version. */
export async function readOtherHosts(nft: Nft, own: string): Promise<StandingHost[]> {
  const { nftables } = await nft.list({ family: 'inet', kinds: ['table'] })
  const [ours] = tableObjects(own)
  const hosts: StandingHost[] = []
  for (const object of nftables) {
    if (!('table' in object) || object.table.name === own) continue
    if (object.table.comment === ours?.table.comment) hosts.push(await readHost(nft, object.table.name))
  }
  return hosts
}

/** One host by the name of its tables, which are there. */
export async function readHost(nft: Nft, table: string): Promise<StandingHost> {
  const keys = async (set: SetName): Promise<readonly KeyField[]> =>
    (await listSet(nft, table, set)).map(keyOf).filter((key) => key !== undefined)
  const own = new Set(await keys('bridges'))
  const among = async (set: 'strict' | 'isolated'): Promise<SetElement[]> =>
    (await keys(set)).filter((bridge) => own.has(bridge)).map((bridge) => ({ set, key: [bridge] }))
  const pools = await Promise.all(
    eachFamily.map(async (family) =>
      (await keys(ofFamily('pools', family))).flatMap((key) =>
        typeof key === 'object' && 'prefix' in key ? Cidr.parse(`${key.prefix.addr}/${key.prefix.len}`) : [],
      ),
    ),
  )
  return {
    table,
    bridges: [
      ...[...own].map((bridge): SetElement => ({ set: 'host_bridges', key: [bridge] })),
      ...(await among('strict')),
      ...(await among('isolated')),
    ],
    pools: pools.flat(),
    families: eachFamily.filter((_, index) => pools[index]?.length),
  }
}

/**
 * Two hosts that choose at the same time may choose the same pool, which no route tells them before.
 * @throws NfbridgeError NFB_POOL_OVERLAP
 */
export function refuseTakenPools(hosts: readonly StandingHost[], added: readonly SetElement[]): void {
  const pools = added.filter(({ set }) => eachFamily.some((family) => set === ofFamily('pools', family)))
  for (const { key } of pools) {
    const [field] = key
    if (typeof field !== 'object' || !('prefix' in field)) continue
    const subnet = Cidr.parse(`${field.prefix.addr}/${field.prefix.len}`)
    const holder = hosts.find((host) => host.pools.some((pool) => pool.overlaps(subnet)))
    if (!holder) continue
    throw new NfbridgeError({
      code: 'NFB_POOL_OVERLAP',
      operation: 'BridgeHost.createNetwork',
      message: `${subnet} overlaps a pool of the host "${holder.table}" in this namespace`,
      path: 'subnet',
    })
  }
}

/**
 * A bridge is of one host: the rules of two would drop what the other one's let pass.
 * @throws NfbridgeError NFB_NAME_TAKEN
 */
export function refuseTakenBridges(hosts: readonly StandingHost[], added: readonly SetElement[]): void {
  for (const { set, key } of added) {
    if (set !== 'bridges') continue
    const holder = hosts.find(({ bridges }) =>
      bridges.some((theirs) => theirs.set === 'host_bridges' && theirs.key[0] === key[0]),
    )
    if (!holder) continue
    throw new NfbridgeError({
      code: 'NFB_NAME_TAKEN',
      operation: 'BridgeHost.createNetwork',
      message: `the bridge "${String(key[0])}" is of a network of the host "${holder.table}" in this namespace; choose another name`,
      path: 'name',
    })
  }
}

/** Tells other hosts of bridges that come, or that go; no error where they know it already. */
export function announceBridges(
  transaction: Transaction,
  hosts: readonly StandingHost[],
  direction: 'add' | 'delete',
  bridges: readonly SetElement[],
): void {
  for (const { table } of hosts) {
    for (const object of elementObjects(table, bridges)) {
      transaction.add(object)
      if (direction === 'delete') transaction.delete(object)
    }
  }
}

/** What others left to a host, key by key. */
export async function readInherited(nft: Nft, table: string): Promise<(readonly unknown[])[]> {
  return (await listSet(nft, table, 'inherited')).flatMap((each) => (isConcat(each) ? [each.concat] : []))
}

/** Its elements; none where somebody removed it. */
async function listSet(nft: Nft, table: string, set: SetName): Promise<readonly ListedElement[]> {
  try {
    const { nftables } = await nft.list({ family: 'inet', table, set, kinds: ['set'] })
    return nftables.flatMap((object) => ('set' in object ? (object.set.elem ?? []) : []))
  } catch (error) {
    if (error instanceof NfbridgeError && error.code === 'NFB_MISSING') return []
    throw error
  }
}

function keyOf(element: ListedElement): KeyField | undefined {
  if (typeof element === 'string') return element
  if (!isPrefix(element)) return undefined
  const { addr, len } = element.prefix
  return typeof addr === 'string' ? { prefix: { addr, len } } : undefined
}

function isPrefix(element: ListedElement): element is PrefixExpression {
  return typeof element === 'object' && !Array.isArray(element) && 'prefix' in element
}

function isConcat(element: ListedElement): element is ConcatExpression {
  return typeof element === 'object' && !Array.isArray(element) && 'concat' in element
}
