import { IPv6Address } from '../../address/index.js'
import type { RtnlOperation } from '../../rtnl/index.js'
import type { Touched } from '../plan/elements.js'
import { linkLocalAddresses, poolEndpoints, toldAddresses } from '../plan/endpoints.js'
import { bandwidthSteps } from './bandwidth.js'
import {
  type BridgeOfPair,
  createPair,
  deletePairs,
  forgetNeighbours,
  pairError,
  undoPairs,
} from './container-links.js'
import type { HostContext } from './host-context.js'
import { hostsFileSteps } from './hosts-files.js'
import { configureInside } from './inside.js'
import { lastingInsideStep } from './lasting-inside.js'
import { portSteps } from './port-steps.js'
import { arrivingStations, type Places, type Station, type Transition } from './stations.js'
import { ignoreMissing, type Step, takeBack } from './steps.js'
import { trackingSteps } from './tracking-steps.js'

/**
 * The steps of a change of containers, forward from `absent` to `present`; leaving is the same, run backward. The rules
 * come before the interfaces, and go after them: an interface that exists is never without its sender check, and a packet
 * never meets a set that still lacks its links.
 */
export function transitionSteps(
  context: HostContext,
  transition: Transition,
  touched: Touched,
  places: Places,
): Step[] {
  const { absent, present, change } = transition
  const stations = arrivingStations(transition)
  return [
    ...portSteps(context.reservations, transition),
    ...(change.networks
      ? trackingSteps(context, absent, present, touched)
      : context.elementSteps(absent, present, touched)),
    ...(stations.length > 0
      ? [
          hostLinksStep(context, stations, places),
          insideStep(context, stations, places),
          lastingInsideStep(context, transition, places),
          carrierStep(context, stations, places),
          announceStep(context, stations, places),
        ]
      : []),
    ...bandwidthSteps(context.kernel, transition),
    ...hostsFileSteps(context, transition, touched, places),
    // Last, so that a process that is killed in between leaves what nobody remembers, and the next one removes.
    context.remember(change, absent),
  ]
}

function hostLinksStep(
  { kernel, settings }: HostContext,
  stations: readonly Station[],
  places: Places,
): Step {
  const leaves = `interfaces ${stations.map(({ endpoint }) => endpoint.hostInterface).join(', ')}`
  return {
    leaves,
    apply: async () => {
      const operations: RtnlOperation[] = []
      /** The station that each operation is for. */
      const owners: number[] = []
      const { firewall } = settings
      const ipv6 = await kernel.hasIPv6()
      for (const [index, station] of stations.entries()) {
        const place = places.get(station.container.id)
        if (!place) continue
        const bridge = await bridgeOfPair(kernel, station)
        const own = createPair(station, bridge, place.namespace, { firewall, ipv6 })
        operations.push(...own)
        owners.push(...own.map(() => index))
      }
      try {
        await kernel.applyLinks(operations)
      } catch (error) {
        await takeBack(pairError(error, stations, owners, places), leaves, () =>
          undoPairs(kernel, stations, owners, error),
        )
      }
    },
    undo: async () => {
      const neighbours = settings.firewall ? await forgetNeighbours(kernel, stations) : []
      await ignoreMissing(kernel.applyLinks([...neighbours, ...deletePairs(stations)]))
    },
  }
}

async function bridgeOfPair(
  kernel: HostContext['kernel'],
  { network, endpoint }: Station,
): Promise<BridgeOfPair> {
  if (!network.adopted) return { index: await kernel.bridgeIndex(endpoint.bridge), mtu: undefined }
  const link = await kernel.findLink(endpoint.bridge)
  return { index: link?.index ?? (await kernel.bridgeIndex(endpoint.bridge)), mtu: link?.mtu }
}

function insideStep({ kernel }: HostContext, stations: readonly Station[], places: Places): Step {
  return {
    leaves: 'addresses in the containers',
    apply: async () => {
      const settled = await Promise.allSettled(
        stations.map(async (station) => {
          const place = places.get(station.container.id)
          if (place) await configureInside(kernel, station, place)
        }),
      )
      // Only when none is under way any more may the interfaces be taken back.
      const failed = settled.find(({ status }) => status === 'rejected')
      if (failed?.status === 'rejected') throw failed.reason
    },
    // The interface takes its addresses and routes with it.
    undo: async () => undefined,
  }
}

/**
 * With a spanning tree a bridge of somebody else lets a new port neither send nor learn for twice its forward delay, half a minute
 * by default.
 */
async function awaitForwardingPorts(
  kernel: HostContext['kernel'],
  stations: readonly Station[],
): Promise<void> {
  for (const bridge of new Set(stations.map(({ endpoint }) => endpoint.bridge))) {
    const link = await kernel.findLink(bridge)
    if (!link?.bridge?.stp) continue
    const ports = stations.filter(({ endpoint }) => endpoint.bridge === bridge)
    await kernel.awaitForwarding(
      ports.map(({ endpoint }) => endpoint.hostIndex),
      STP_DELAYS * (link.bridge.forwardDelay ?? DEFAULT_FORWARD_DELAY),
    )
  }
}

/** Listening, learning, and one for the kernel's timers. */
const STP_DELAYS = 3
/** In centiseconds (BR_DEFAULT_FORWARD_DELAY). */
const DEFAULT_FORWARD_DELAY = 1500

/**
 * When it is done the containers' first packet gets through. The bridge comes last: its carrier follows from its ports'.
 * One that is not there in time is no failure: somebody set the interface down.
 */
function carrierStep({ kernel }: HostContext, stations: readonly Station[], places: Places): Step {
  return {
    leaves: 'nothing',
    apply: async () => {
      if (places.size === 0) return
      const bridges = new Set(stations.map(({ endpoint }) => endpoint.bridge))
      const indexes = await Promise.all([...bridges].map((bridge) => kernel.bridgeIndex(bridge)))
      const ports = stations.map(({ endpoint }) => endpoint.hostIndex)
      await kernel.awaitCarrier([...ports, ...indexes])
      const onAdopted = stations.filter(({ network }) => network.adopted)
      if (onAdopted.length > 0) await awaitForwardingPorts(kernel, onAdopted)
      await Promise.all(
        stations.map(async ({ container, endpoint }) => {
          const place = places.get(container.id)
          const own = [
            ...poolEndpoints(endpoint).map(({ address }) => address),
            ...linkLocalAddresses(endpoint),
          ]
          const sixth = own.filter((address) => address instanceof IPv6Address)
          if (sixth.length > 0 && place) await kernel.awaitLocal(place.namespace, sixth)
        }),
      )
    },
    undo: async () => undefined,
  }
}

/**
 * Neighbours that remember another owner's MAC for an address are told of the new one; who is not told waits up to a minute. Where the
 * network does not say otherwise, only if somebody may remember one: a thousand ports would each get a copy.
 */
function announceStep(
  { advertiser, registry }: HostContext,
  stations: readonly Station[],
  places: Places,
): Step {
  return {
    leaves: 'nothing',
    apply: async () => {
      if (places.size === 0) return
      await Promise.all(
        stations.map(({ network, endpoint }) => {
          const { advertise } = network
          const addresses = advertise ? toldAddresses(endpoint) : registry.remembered(endpoint)
          return advertiser.advertise(endpoint, addresses, advertise ?? ONCE)
        }),
      )
    },
    undo: async () => {
      for (const { endpoint } of stations) advertiser.stop(endpoint)
    },
  }
}

const ONCE = { count: 1, interval: 0 } as const
