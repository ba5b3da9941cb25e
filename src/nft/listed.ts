/** What must be listed before a transaction can be compiled: the kernel knows no index of a rule, no chain to rename by its name. */
import type { SocketHandle } from '../native/addon.js'
import type { ReplyMessage } from '../native/unpack.js'
import { chainKey, type Listed, type Operation, RuleOrder } from './compile/index.js'
import { familyNumbers } from './kernel/constants.js'
import { readGeneration } from './list.js'
import type { Family } from './model/index.js'
import { dumpAll, getOne } from './requests.js'

interface ChainName {
  readonly family: Family
  readonly table: string
  readonly chain: string
}

/** What is to be listed, by {@link chainKey}. */
export interface Needs {
  /** Chains whose handles are needed. */
  readonly handles: ReadonlyMap<string, ChainName>
  /** Chains the order of whose rules is needed. */
  readonly orders: ReadonlyMap<string, ChainName>
}

/** Undefined when nothing needs to be listed. */
export function needsOf(operations: readonly Operation[]): Needs | undefined {
  const handles = new Map<string, ChainName>()
  const orders = new Map<string, ChainName>()
  for (const operation of operations) {
    // What has no shape is left to the compiler, which refuses it with its path.
    const [verb, object] = onlyEntry(operation)
    const [kind, value] = onlyEntry(object)
    if (verb === 'rename' && kind === 'chain' && isObject(value) && value.handle === undefined)
      need(handles, value, value.name)
    else if (placing.has(verb) && kind === 'rule' && isObject(value) && value.index !== undefined)
      need(orders, value, value.chain)
  }
  return handles.size + orders.size === 0 ? undefined : { handles, orders }
}

const placing: ReadonlySet<string> = new Set(['add', 'insert', 'create'])

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null
}

const noEntry: readonly [name: string, value: unknown] = ['', undefined]

/** The first entry. Every operation is asked for two: not by Object.entries, which would make lists of them. */
function onlyEntry(value: unknown): readonly [name: string, value: unknown] {
  if (isObject(value)) for (const name in value) return [name, value[name]]
  return noEntry
}

function need(
  chains: Map<string, ChainName>,
  { family, table }: { readonly [name: string]: unknown },
  chain: unknown,
): void {
  if (!isFamily(family) || typeof table !== 'string' || typeof chain !== 'string') return
  const name = { family, table, chain }
  chains.set(chainKey(name), name)
}

function isFamily(value: unknown): value is Family {
  return typeof value === 'string' && Object.hasOwn(familyNumbers, value)
}

/** Lists it, and tells the generation before which none of it is older: a batch for that generation is safe. */
export async function listFor(
  socket: SocketHandle,
  needs: Needs,
  operation: string,
): Promise<{ readonly generation: number; readonly listed: Listed }> {
  const generation = await readGeneration(socket)
  const chainHandles = new Map<string, number>()
  for (const [key, { family, table, chain }] of needs.handles) {
    const record = { family: familyNumbers[family], table, name: chain }
    const handle = await getOne(socket, 'nftGetChain', record, handleOf, operation)
    if (handle !== undefined) chainHandles.set(key, handle)
  }
  const orders = new Map<string, readonly number[]>()
  for (const [key, { family, table, chain }] of needs.orders) {
    const record = { family: familyNumbers[family], table, chain }
    orders.set(key, await dumpAll(socket, 'nftGetRule', record, handleOf, operation))
  }
  return { generation, listed: { chainHandles, order: new RuleOrder(orders) } }
}

function handleOf(message: ReplyMessage): number | undefined {
  if (message.name !== 'nftNewRule' && message.name !== 'nftNewChain') return undefined
  const { handle } = message.record
  return handle === undefined ? undefined : Number(handle)
}
