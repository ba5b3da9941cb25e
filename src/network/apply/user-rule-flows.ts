/** Connections that a rule of the users allowed, and nothing else: they end with it. */
import type { Cidr } from '../../address/index.js'
import type { ConntrackEntry } from '../../conntrack/index.js'
import { Evaluator, evaluateConnection, type NamespaceState, StateReader } from '../../explain/index.js'
import { inSlices, picked } from '../../native/slices.js'
import type { Rule } from '../../nft/index.js'
import type { NetworkView } from '../plan/view.js'
import { USER_CHAINS, type UserChain } from '../rules/names.js'
import type { HostContext } from './host-context.js'
import { inOperation } from './steps.js'
import type { UserRule } from './user-rules.js'

/**
 * Runs a change of a user chain. Connections of containers that the rules let begin before and do not let begin any more are
 * forgotten: their next packet meets the rules as a new connection's. All others go on.
 */
export async function endingRevoked(
  context: HostContext,
  chain: UserChain,
  operation: string,
  change: () => Promise<void>,
): Promise<void> {
  const before = await context.kernel.userRules.read()
  await change()
  // Where no chain stands there is no network, and no connection of a container.
  if (!before) return
  try {
    await forgetRevoked(context, chain, before[chain])
  } catch (error) {
    throw inOperation(error, operation, {
      remaining: ['tracked connections that the rules, which are changed, do not allow any more'],
    })
  }
}

async function forgetRevoked(
  { kernel, registry }: HostContext,
  chain: UserChain,
  before: readonly UserRule[],
): Promise<void> {
  const pools = poolsOf(registry)
  const tracked = await inSlices(
    picked(await kernel.listFlows(), (entry) => (concerns(entry, pools) ? entry : undefined)),
  )
  if (tracked.length === 0) return
  using reader = await StateReader.open('the host', kernel.namespace)
  const now = await reader.read()
  const then = withRules(now, kernel.table, chain, before)
  const ends = (entry: ConntrackEntry): boolean =>
    evaluateConnection(now, entry).allowed === false && evaluateConnection(then, entry).allowed !== false
  const revoked = await inSlices(picked(tracked, (entry) => (ends(entry) ? entry : undefined)))
  await kernel.deleteFlows(revoked)
}

function poolsOf({ networks }: NetworkView): Cidr[] {
  return [...networks].flatMap(({ pools }) => pools.map(({ subnet }) => subnet))
}

/** Whether a container has to do with it: as it asked or was asked, or behind a translation. */
function concerns({ original, reply }: ConntrackEntry, pools: readonly Cidr[]): boolean {
  const ends = [original.source, original.destination, reply.source, reply.destination]
  return ends.some((address) => pools.some((pool) => pool.contains(address)))
}

/** The state as it was before the rules of one chain were changed. */
function withRules(
  state: NamespaceState,
  name: string,
  chain: UserChain,
  rules: readonly UserRule[],
): NamespaceState {
  const table = { family: 'inet', table: name } as const
  const chainName = USER_CHAINS[chain]
  const { catalog, environment } = state.evaluator
  const former = rules.map(({ expr }): Rule => ({ ...table, chain: chainName, expr }))
  return { ...state, evaluator: new Evaluator(catalog.withRules(table, chainName, former), environment) }
}
