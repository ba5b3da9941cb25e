import { type IPAddress, IPv4Address, IPv6Address, type Protocol } from '../../address/index.js'
import { NfbridgeError } from '../../errors.js'
import type { PortReservations, ReservedPort } from '../../netns/index.js'
import { eachFamily, publishingEndpoint } from '../plan/endpoints.js'
import { type ContainerRecord, type Family, publishedFamilies } from '../plan/records.js'
import type { NetworkView } from '../plan/view.js'
import type { Transition } from './stations.js'
import { type Step, takeBack } from './steps.js'

/** A port of the host that a process outside of nfbridge holds. */
export class BusyPort extends Error {
  readonly protocol: Protocol
  readonly port: number

  constructor({ protocol, port }: Pick<ReservedPort, 'protocol' | 'port'>, cause: unknown) {
    super(`${port}/${protocol} is taken`, { cause })
    this.protocol = protocol
    this.port = port
  }

  /** As planning wants it: `tcp/49153`. */
  get text(): string {
    return `${this.protocol}/${this.port}`
  }
}

/** The step that keeps the published ports of a change from other processes, for as long as they are published. */
export function portSteps(reservations: PortReservations, { absent, present, change }: Transition): Step[] {
  const before = new Map<string, ReservedPort>()
  const after = new Map<string, ReservedPort>()
  for (const id of change.containers?.keys() ?? []) {
    for (const port of translatedPorts(absent, absent.container(id))) before.set(portKey(port), port)
    for (const port of translatedPorts(present, present.container(id))) after.set(portKey(port), port)
  }
  const taken = [...after].filter(([key]) => !before.has(key)).map(([, port]) => port)
  const released = [...before].filter(([key]) => !after.has(key)).map(([, port]) => port)
  if (taken.length + released.length === 0) return []
  const leaves = 'reservations of published ports'
  return [
    {
      leaves,
      apply: async () => {
        await reserve(reservations, taken)
        try {
          await reservations.release(released)
        } catch (error) {
          await takeBack(error, leaves, () => reservations.release(taken))
        }
      },
      undo: async () => {
        await reservations.release(taken)
        await reserve(reservations, released)
      },
    },
  ]
}

/** A published port that could not be kept from others when the host was opened: it is published, and somebody listens on it. */
export interface UnreservedPort extends ReservedPort {
  /** Who has it, or what else is in the way. */
  readonly reason: string
}

/** Reserves what stands, when the host is opened. @returns what could not be: a finding, and no failure */
export async function reserveStanding(
  reservations: PortReservations,
  view: NetworkView,
): Promise<UnreservedPort[]> {
  const ports = [...view.containers].flatMap((container) => translatedPorts(view, container))
  try {
    await reservations.reserve(ports)
    return []
  } catch (error) {
    if (!(error instanceof NfbridgeError)) throw error
  }
  const unreserved: UnreservedPort[] = []
  for (const port of ports) {
    try {
      await reservations.reserve([port])
    } catch (error) {
      if (!(error instanceof NfbridgeError)) throw error
      unreserved.push({ ...port, reason: error.reason })
    }
  }
  return unreserved
}

/** Ports of the host that lead to a container that runs: what nobody else may listen on. */
function translatedPorts(view: NetworkView, container: ContainerRecord | undefined): ReservedPort[] {
  if (!container || container.published.length === 0) return []
  const families = eachFamily.filter((family) => publishingEndpoint(view, container, family))
  return container.published.flatMap((published) =>
    families
      .filter((family) => publishedFamilies(published).includes(family))
      .flatMap((family) => {
        const { hostPorts, protocol } = published
        const address = published.hostAddress ?? everyAddress(family)
        const count = hostPorts.last - hostPorts.first + 1
        return Array.from({ length: count }, (_, offset) => ({
          protocol,
          address,
          port: hostPorts.first + offset,
        }))
      }),
  )
}

function everyAddress(family: Family): IPAddress {
  return family === 4 ? IPv4Address.fromNumber(0) : IPv6Address.fromBigInt(0n)
}

function portKey({ protocol, address, port }: ReservedPort): string {
  return `${protocol} ${address} ${port}`
}

async function reserve(reservations: PortReservations, ports: readonly ReservedPort[]): Promise<void> {
  try {
    await reservations.reserve(ports)
  } catch (error) {
    if (!(error instanceof NfbridgeError) || error.code !== 'NFB_PORT_TAKEN') throw error
    const port = ports[Number(/^ports\[(\d+)\]/.exec(error.path ?? '')?.[1])]
    throw new NfbridgeError({
      code: error.code,
      operation: error.operation,
      message: `${error.reason}; a published port can be nobody else's on the host`,
      errno: error.errno,
      cause: port ? new BusyPort(port, error) : error,
    })
  }
}
