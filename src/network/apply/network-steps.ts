import { elementsOf, everything } from '../plan/elements.js'
import { hostPolicy } from '../plan/policy.js'
import type { NetworkRecord } from '../plan/records.js'
import { type NetworkView, type ViewChange, withChange } from '../plan/view.js'
import { bridgeSteps } from './bridge-steps.js'
import { formerOwnersStep } from './former-owners.js'
import { Forwarding } from './forwarding.js'
import type { HostContext } from './host-context.js'
import type { Step } from './steps.js'
import { trackingSteps } from './tracking-steps.js'
import { concernNetworks } from './user-rule-frames.js'

/** What makes a network, in order; backward it is what removes it. And what becomes of what stands, in both directions. */
export interface NetworkTransition {
  readonly steps: readonly Step[]
  readonly made: ViewChange
  readonly removed: ViewChange
}

/**
 * The first network brings the tables with it, and the first one of a family its forwarding, after the rules that meet
 * what is then forwarded; the last ones take them away.
 */
export async function planNetworkSteps(
  context: HostContext,
  network: NetworkRecord,
): Promise<NetworkTransition> {
  const { registry, settings, forwarding, bridgeNetfilter } = context
  const without = withChange(registry, { networks: new Map([[network.name, undefined]]) })
  const others = Forwarding.families(without.networks)
  const families = Forwarding.families([...without.networks, network])
  const alone = [...without.networks].length === 0
  const userRules = await userRulesWith(context, network, without, alone)
  const maxConnections = settings.firewall ? await context.kernel.mostConnections() : undefined
  const removed: ViewChange = {
    networks: new Map([[network.name, undefined]]),
    policy: hostPolicy(settings.forwardPolicy, await forwarding.ours(others, settings.ipForward), {
      userRules: userRules.absent,
      maxConnections,
    }),
  }
  const made: ViewChange = {
    networks: new Map([[network.name, network]]),
    policy: hostPolicy(settings.forwardPolicy, await forwarding.ours(families, settings.ipForward), {
      userRules: userRules.present,
      maxConnections,
    }),
  }
  const absent = withChange(registry, removed)
  const present = withChange(registry, made)
  // The other networks are not tracked yet, or still are, when it comes or goes.
  const beside = withChange(present, { policy: { ...present.policy, userRules: userRules.absent } })
  const added = families.filter((family) => !others.includes(family))
  const steps = [
    context.remember(made, absent),
    ...(settings.firewall && alone
      ? [rulesetStep(context, present)]
      : context.elementSteps(absent, beside, { networks: [network.name], policy: true })),
    ...bridgeSteps(context, network, beside.policy),
    // From here on, what goes to its pools goes to its bridges.
    ...(settings.firewall ? [formerOwnersStep(context, [network], present)] : []),
    ...(added.length > 0 ? [forwarding.step(added, settings.ipForward)] : []),
    ...(alone ? [bridgeNetfilter.step(settings.bridgeNetfilter === 'off')] : []),
    ...trackingSteps(context, beside, present),
    ...(settings.firewall ? [context.offload.step(absent, present)] : []),
  ]
  return { steps, made, removed }
}

/** Whether rules of the users have networks tracked, with a network and without: a rule may concern its bridges alone. */
async function userRulesWith(
  context: HostContext,
  network: NetworkRecord,
  { networks }: NetworkView,
  alone: boolean,
): Promise<{ readonly present: boolean; readonly absent: boolean }> {
  const { registry } = context
  const { userRules: now } = registry.policy
  const stands = registry.network(network.name) !== undefined
  const present = stands ? now : await concernNetworks(context, [...networks, network])
  if (alone) return { present, absent: present }
  return { present, absent: stands ? await concernNetworks(context, networks) : now }
}

function rulesetStep({ kernel, settings }: HostContext, present: NetworkView): Step {
  return {
    leaves: `tables ${settings.name} of the families inet and bridge`,
    apply: () => kernel.commitRuleset('add', [...elementsOf(present, everything(present)).values()]),
    undo: () => kernel.commitRuleset('remove'),
  }
}
