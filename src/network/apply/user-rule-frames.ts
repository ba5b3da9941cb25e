/** Rules of the users see what passes within a network: as long as one stands that can concern it, all networks are tracked. */
import type { NetworkRecord } from '../plan/records.js'
import { withChange } from '../plan/view.js'
import { concernsTrafficWithin } from '../rules/within-bridge.js'
import { hasBridgeNetfilter, requireBridgeNetfilter } from './bridge-netfilter.js'
import type { HostContext } from './host-context.js'
import { applySteps, inOperation } from './steps.js'
import { trackingSteps } from './tracking-steps.js'
import type { UserRule } from './user-rules.js'

/** Whether rules that stand, or come with the first network, can concern what passes within one of these networks. */
export async function concernNetworks(
  { kernel, settings }: HostContext,
  networks: Iterable<NetworkRecord>,
): Promise<boolean> {
  const bridges = untrackedBridges(networks)
  if (!settings.firewall || bridges.length === 0) return false
  const { forward, inbound } = await kernel.userRules.readChains()
  const concern = [...forward, ...inbound].some(({ expr }) => concernsTrafficWithin(expr, bridges))
  // Without br_netfilter no rule would judge what the bridge does not judge any more.
  return concern && (await hasBridgeNetfilter(kernel.namespace))
}

/** A rule that a call adds, and where the caller has it. */
export interface AddedRule {
  readonly rule: UserRule
  readonly path: string
}

/**
 * Runs a change of the users' rules: one that is added holds for what passes within networks as soon as it stands, and with the last of them
 * networks are tracked no longer.
 * @throws NfbridgeError NFB_NOT_SUPPORTED where the kernel has no br_netfilter, before anything is changed
 */
export async function withFramesFor(
  context: HostContext,
  added: AddedRule | undefined,
  operation: string,
  change: () => Promise<void>,
): Promise<void> {
  const bridges = untrackedBridges(context.registry.networks)
  if (added && concernsTrafficWithin(added.rule.expr, bridges)) {
    await requireBridgeNetfilter(context.kernel.namespace, {
      operation,
      path: added.path,
      instead: 'have the rule require an interface that is no bridge of ours',
    })
    await trackForUserRules(context, true, operation)
  }
  try {
    await change()
  } catch (error) {
    try {
      await followUserRules(context, operation)
    } catch {
      throw inOperation(error, operation, {
        remaining: ['networks that are tracked, for a rule that does not stand'],
      })
    }
    throw error
  }
  // What is tracked in vain costs time, and no more: the next look finds it.
  await followUserRules(context, operation).catch(() => undefined)
}

/** Has the networks tracked, or not any more, as the rules that stand need it. */
export async function followUserRules(context: HostContext, operation: string): Promise<void> {
  await trackForUserRules(context, await concernNetworks(context, context.registry.networks), operation)
}

/** The same, where it is known. */
async function trackForUserRules(context: HostContext, userRules: boolean, operation: string): Promise<void> {
  const { registry } = context
  if (registry.policy.userRules === userRules) return
  const policy = { ...registry.policy, userRules }
  await applySteps(
    trackingSteps(context, registry, withChange(registry, { policy })),
    operation,
    context.leave,
  )
  registry.apply({ policy })
}

function untrackedBridges(networks: Iterable<NetworkRecord>): string[] {
  return [...networks].flatMap(({ tracking, bridges }) => (tracking ? [] : bridges))
}
