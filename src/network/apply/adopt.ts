import { planDetach } from '../plan/detach.js'
import { elementsOf, everything } from '../plan/elements.js'
import { revokedFlows } from '../plan/flows.js'
import type { ContainerRecord } from '../plan/records.js'
import { withChange } from '../plan/view.js'
import type { HostContext } from './host-context.js'
import { bridgeStep, localnetStep } from './network-steps.js'
import type { Remembered } from './persistence.js'
import { applySteps } from './steps.js'

const OPERATION = 'BridgeHost.open'

/**
 * Takes over what an earlier process left, killed or closed: the memory is the state directory, the judge is the kernel.
 * What runs is not touched; rules and elements are replaced by one transaction, which no packet sees half of.
 * @returns the containers whose interface is gone, with their namespace: they are forgotten, with all that names them
 */
export async function adopt(context: HostContext, remembered: Remembered): Promise<ContainerRecord[]> {
  const { registry, settings, kernel, forwarding } = context
  if (remembered.networks.length === 0) return []
  registry.apply({
    networks: new Map(remembered.networks.map((network) => [network.name, network])),
    containers: new Map(remembered.containers.map((container) => [container.id, container])),
  })
  for (const network of remembered.networks) registry.restorePool(network, remembered.pools.get(network.name))

  const links = await kernel.listLinks()
  const present = new Set(links.map(({ name }) => name))
  const gone = remembered.containers.filter(({ hostInterface }) => !present.has(hostInterface))
  const { change } = planDetach(registry, gone)
  const after = withChange(registry, change)
  const goal = elementsOf(after, everything(after))

  // A killed call may have made an interface that it did not live to tell of.
  const groups = new Set(remembered.networks.map(({ group }) => group))
  for (const { name, group } of links) {
    if (name === undefined || !groups.has(group) || registry.hasHostInterface(name)) continue
    await kernel.deleteLink(name)
  }

  const bridges = remembered.networks.filter(({ name }) => !present.has(name))
  const revoked = [...elementsOf(registry, everything(registry))].filter(([text]) => !goal.has(text))
  await applySteps(
    [
      context.remember(change),
      ...(settings.firewall
        ? [
            {
              leaves: 'tables nfbridge',
              apply: () => kernel.commitRuleset('replace', [...goal.values()]),
              undo: async () => undefined,
            },
            {
              leaves: 'tracked connections of containers that are gone',
              apply: () => kernel.forgetFlows(revokedFlows(revoked.map(([, element]) => element))),
              undo: async () => undefined,
            },
          ]
        : []),
      ...bridges.map((network) => bridgeStep(context, network)),
      ...(settings.firewall ? bridges.map((network) => localnetStep(context, network)) : []),
      ...(settings.ipForward ? [forwarding.step()] : []),
    ],
    OPERATION,
  )
  registry.apply(change)
  return gone
}
