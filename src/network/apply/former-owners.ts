/** What is left of those who had addresses before: of a process that was killed, another program, another host. */
import type { IPAddress } from '../../address/index.js'
import { CHOSEN_LINK_LOCAL, placedAddresses } from '../plan/address-ends.js'
import { elementsOf, everything } from '../plan/elements.js'
import { flowsOf, flowsWithin } from '../plan/flows.js'
import type { ContainerRecord, NetworkRecord } from '../plan/records.js'
import type { NetworkView } from '../plan/view.js'
import type { HostContext } from './host-context.js'
import type { Step } from './steps.js'

/**
 * The step after which of the networks' pools only addresses of containers that stand, of the host, and what is never handed out have connections:
 * one walk through the kernel's table, here and not when an address is handed out. On bridges that are not ours there are others, who keep theirs.
 */
export function formerOwnersStep(
  { kernel, ends }: HostContext,
  networks: readonly NetworkRecord[],
  after: NetworkView,
  gone: readonly ContainerRecord[] = [],
): Step {
  return {
    leaves: 'tracked connections of containers that are gone',
    apply: async () => {
      const standing = addressesOf([...after.containers])
      const ofHost = (await kernel.listAddresses()).map(({ address }) => address.address)
      const pools = networks.filter(({ adopted }) => !adopted).flatMap((network) => network.pools)
      const others = pools.flatMap(({ gateway, router, exclude }) => [
        ...exclude,
        ...[gateway, router].filter((address) => address !== undefined),
      ])
      const subnets = [...pools.map(({ subnet }) => subnet), CHOSEN_LINK_LOCAL]
      await kernel.forgetFlows([
        ...flowsOf(addressesOf(gone)),
        ...flowsWithin(subnets, [...standing, ...ofHost, ...others]),
      ])
      ends.lookedThrough(networks)
      ends.begin(standing)
    },
    undo: async () => {
      for (const { name } of networks) ends.forgetNetwork(name)
    },
  }
}

/** The step after which the rules remember no question over a link that is not there: they keep what they remember when they are made again. */
export function formerQuestionsStep({ kernel }: HostContext, after: NetworkView): Step {
  return {
    leaves: 'questions over links that are gone',
    apply: () => kernel.questions.forgetAllBut([...elementsOf(after, everything(after)).values()]),
    undo: async () => undefined,
  }
}

function addressesOf(containers: readonly ContainerRecord[]): IPAddress[] {
  return containers.flatMap(placedAddresses).map(({ address }) => address)
}
