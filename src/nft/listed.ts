/** What must be listed before a transaction can be compiled: the kernel knows no index of a rule, no chain to rename by its name. */
import type { Outcome, SocketHandle } from '../native/addon.js'
import { failed, unwrap } from '../native/failure.js'
import { MessageFlag, Packer } from '../native/pack.js'
import type { MessageName, MessageRecords } from '../native/records.js'
import { inSlices, picked } from '../native/slices.js'
import { type ReplyMessage, unpack } from '../native/unpack.js'
import { chainKey, type Listed, type Operation, RuleOrder } from './compile/index.js'
import { familyNumbers } from './kernel/constants.js'
import { readGeneration } from './list.js'
import type { Family } from './model/index.js'

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
    if ('rename' in operation) {
      const { family, table, name, handle } = operation.rename.chain
      const chain = { family, table, chain: name }
      if (handle === undefined) handles.set(chainKey(chain), chain)
      continue
    }
    const added =
      'add' in operation
        ? operation.add
        : 'insert' in operation
          ? operation.insert
          : 'create' in operation
            ? operation.create
            : undefined
    if (added !== undefined && 'rule' in added && added.rule.index !== undefined) {
      const { family, table, chain } = added.rule
      orders.set(chainKey(added.rule), { family, table, chain })
    }
  }
  return handles.size + orders.size === 0 ? undefined : { handles, orders }
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
    const outcome = await socket.request(
      message('nftGetChain', 0, { family: familyNumbers[family], table, name: chain }),
    )
    for (const handle of await handlesIn(outcome, operation)) chainHandles.set(key, handle)
  }
  const orders = new Map<string, readonly number[]>()
  for (const [key, { family, table, chain }] of needs.orders) {
    const outcome = await socket.dump(
      message('nftGetRule', MessageFlag.dump, { family: familyNumbers[family], table, chain }),
    )
    orders.set(key, await handlesIn(outcome, operation))
  }
  return { generation, listed: { chainHandles, order: new RuleOrder(orders) } }
}

function message<K extends MessageName>(name: K, flags: number, record: MessageRecords[K]): Uint32Array {
  const packer = new Packer()
  packer.add(name, flags, record)
  return packer.words()
}

const ENOENT = 2

/** The handles of what was listed; none when it is not there. */
async function handlesIn(outcome: Outcome<ArrayBuffer>, operation: string): Promise<number[]> {
  if (failed(outcome) && outcome[0]?.reason === 'kernel' && outcome[0].errno === ENOENT) return []
  return inSlices(picked(unpack(unwrap(outcome, operation)), handleOf))
}

function handleOf(message: ReplyMessage): number | undefined {
  if (message.name !== 'nftNewRule' && message.name !== 'nftNewChain') return undefined
  const { handle } = message.record
  return handle === undefined ? undefined : Number(handle)
}
