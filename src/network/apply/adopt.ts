import { NfbridgeError } from '../../errors.js'
import type { Link } from '../../rtnl/index.js'
import { planDetach } from '../plan/detach.js'
import { elementsOf, everything } from '../plan/elements.js'
import { revokedFlows } from '../plan/flows.js'
import type { ContainerRecord, NetworkRecord } from '../plan/records.js'
import { withChange } from '../plan/view.js'
import { requireBridgeNetfilter } from './bridge-netfilter.js'
import { portOperations } from './container-links.js'
import type { HostContext } from './host-context.js'
import { bridgeStep, localnetStep } from './network-steps.js'
import type { Remembered } from './persistence.js'
import { applySteps, type Step } from './steps.js'

const OPERATION = 'BridgeHost.open'

/**
 * Takes over what an earlier process left, killed or closed: the memory is the state directory, the judge is the kernel.
 * What runs is not touched; rules and elements are replaced by one transaction, which no packet sees half of.
 * @returns the containers whose interface is gone, with their namespace: they are forgotten, with all that names them
 */
export async function adopt(context: HostContext, remembered: Remembered): Promise<ContainerRecord[]> {
  const { registry, settings, kernel, forwarding, persistence } = context
  if (remembered.networks.length === 0) {
    persistence.saveFirewall(settings.firewall)
    return []
  }
  checkSettings(context, remembered)
  if (settings.firewall) await requireBridgeNetfilter(kernel.namespace)
  registry.apply({
    networks: new Map(remembered.networks.map((network) => [network.name, network])),
    containers: new Map(remembered.containers.map((container) => [container.id, container])),
  })
  for (const network of remembered.networks) {
    registry.restorePool(network, remembered.pools.get(network.name))
    // It holds until the first change: killed after that, we take every address below the highest for used.
    persistence.savePool(network.name, undefined)
  }

  const links = await kernel.listLinks()
  const present = new Set(links.map(({ name }) => name))
  const gone = remembered.containers.filter(({ hostInterface }) => !present.has(hostInterface))
  const { change } = planDetach(registry, gone)
  for (const name of abandoned(context, remembered.networks, links)) await kernel.deleteLink(name)

  const missing = remembered.networks.filter(({ name }) => !present.has(name))
  await applySteps(
    [
      context.remember(change),
      ...(settings.firewall ? rulesSteps(context, gone) : []),
      ...missing.flatMap((network) => bridgeAgainSteps(context, network, gone)),
      forwarding.step(settings.ipForward),
    ],
    OPERATION,
  )
  registry.apply(change)
  return gone
}

/** With other rules than those that it was made with, a network could not be kept, nor removed. */
function checkSettings({ settings }: HostContext, { firewall }: Remembered): void {
  if (firewall === undefined || firewall === settings.firewall) return
  throw new NfbridgeError({
    code: 'NFB_SETTING_CONFLICT',
    operation: OPERATION,
    message: `the networks of the state directory were made with firewall: ${firewall}; open with that, and destroy them first`,
    path: 'firewall',
  })
}

/** Ports of our bridges that nobody remembers: a killed call made them, and did not live to tell. */
function abandoned(
  { registry }: HostContext,
  networks: readonly NetworkRecord[],
  links: readonly Link[],
): string[] {
  return networks.flatMap((network) => {
    const bridge = links.find(({ name, kind }) => name === network.name && kind === 'bridge')
    return links
      .filter(
        ({ group, master, kind }) =>
          bridge && master === bridge.index && group === network.group && kind === 'veth',
      )
      .flatMap(({ name }) => (registry.hasHostInterface(name) ? [] : [name]))
  })
}

function rulesSteps({ registry, kernel }: HostContext, gone: readonly ContainerRecord[]): Step[] {
  const after = withChange(registry, planDetach(registry, gone).change)
  const goal = elementsOf(after, everything(after))
  const revoked = [...elementsOf(registry, everything(registry))].filter(([text]) => !goal.has(text))
  return [
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
}

/** A bridge that somebody deleted is made again, and the interfaces that are still there become its ports. */
function bridgeAgainSteps(
  context: HostContext,
  network: NetworkRecord,
  gone: readonly ContainerRecord[],
): Step[] {
  const { kernel, registry, settings } = context
  const standing = registry.containersOf(network.name).filter((container) => !gone.includes(container))
  return [
    bridgeStep(context, network),
    ...(settings.firewall ? [localnetStep(context, network)] : []),
    {
      leaves: `ports of ${network.name}`,
      apply: async () => {
        await kernel.applyLinks(
          portOperations(await kernel.bridgeIndex(network.name), standing, settings.firewall),
        )
      },
      undo: async () => undefined,
    },
  ]
}
