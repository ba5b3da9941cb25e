import type { PortRange } from '../../address/index.js'
import { joinPath, NfbridgeError } from '../../errors.js'
import type { Namespace } from '../../netns/index.js'
import { HELPER_OBJECTS } from '../plan/helpers.js'
import { DYNAMIC_PORTS, type PortFacts } from '../plan/host-ports.js'
import type { Plan } from '../plan/plan.js'
import type { RequestedPublication } from '../plan/publish-settings.js'
import { oneHostAddress, type PublishedPort } from '../plan/records.js'
import type { HostKernel } from './host-kernel.js'
import { BusyPort } from './port-steps.js'
import { inOperation } from './steps.js'

/** How many ports that other processes hold are passed over before a call gives up. */
const ATTEMPTS = 1024

/** Nothing is known of the host's ports, and nothing need be: none is to be chosen. */
const NOTHING: Omit<PortFacts, 'taken'> = { dynamic: DYNAMIC_PORTS, reserved: [] }

/**
 * Plans and applies. When a port that was chosen is held by another process it is planned again without it; one that was
 * asked for is an error.
 */
export async function withFreePorts<P extends Plan>(
  { namespace }: Pick<HostKernel, 'namespace'>,
  requested: readonly RequestedPublication[],
  plan: (ports: PortFacts) => P,
  apply: (plan: P) => Promise<void>,
): Promise<P> {
  const dynamic = requested.some(({ choice }) => choice === 'dynamic')
  const known = dynamic ? await readPortSettings(namespace) : NOTHING
  const taken = new Set<string>()
  for (let attempt = 1; ; attempt += 1) {
    const planned = plan({ ...known, taken })
    try {
      await apply(planned)
      return planned
    } catch (error) {
      const busy = busyPort(error)
      if (!busy) throw error
      const asked = askedFor(requested, busy)
      if (asked) throw atPath(error, asked.path)
      if (attempt === ATTEMPTS || !requested.some(({ choice }) => choice !== undefined)) throw error
      taken.add(busy.text)
    }
  }
}

/**
 * Refuses addresses that no host has for itself, by its routes: those by which all of a link are addressed, or any of several.
 * @throws NfbridgeError NFB_INVALID_ADDRESS
 */
export async function refuseSharedAddresses(
  kernel: Pick<HostKernel, 'addressType'>,
  requested: readonly { readonly port: Pick<PublishedPort, 'hostAddress'>; readonly path: string }[],
  operation: string,
): Promise<void> {
  for (const { port, path } of requested) {
    const address = oneHostAddress(port)
    const type = address && (await kernel.addressType(address))
    if (type !== 'broadcast' && type !== 'anycast') continue
    throw new NfbridgeError({
      code: 'NFB_INVALID_ADDRESS',
      operation,
      message: `${address} is an address of type ${type} here, and no port is published on one that several hosts answer to`,
      path,
    })
  }
}

/** Refuses helpers that the kernel has not. @throws NfbridgeError NFB_NOT_SUPPORTED */
export async function requireHelpers(
  kernel: Pick<HostKernel, 'hasHelper'>,
  helpers: readonly { readonly name: string | undefined; readonly path: string }[],
  operation: string,
): Promise<void> {
  for (const { name, path } of helpers) {
    for (const helper of HELPER_OBJECTS.values()) {
      if (helper.type !== name || (await kernel.hasHelper(helper))) continue
      throw new NfbridgeError({
        code: 'NFB_NOT_SUPPORTED',
        operation,
        message: `the kernel has no helper for ${name}: its module nf_conntrack_${name} is missing`,
        path,
      })
    }
  }
}

/** The helpers of publications, each with its place. */
export function helpersOf(
  requested: readonly RequestedPublication[],
): { readonly name: string | undefined; readonly path: string }[] {
  return requested.map(({ port, path }) => ({ name: port.helper, path: joinPath(path, 'helper') }))
}

/** What the kernel itself heeds when it chooses a port. */
async function readPortSettings(namespace: Pick<Namespace, 'readSysctl'>): Promise<Omit<PortFacts, 'taken'>> {
  const read = async (name: string): Promise<string> => {
    try {
      return await namespace.readSysctl(name)
    } catch (error) {
      if (error instanceof NfbridgeError) return ''
      throw error
    }
  }
  const [range, reserved] = await Promise.all([
    read('net.ipv4.ip_local_port_range'),
    read('net.ipv4.ip_local_reserved_ports'),
  ])
  return {
    dynamic: rangesIn(range.trim().replace(/\s+/, '-'))[0] ?? DYNAMIC_PORTS,
    reserved: rangesIn(reserved),
  }
}

/** `8080,9148-9200`, as the kernel lists ports. */
function rangesIn(text: string): PortRange[] {
  const ranges = text
    .trim()
    .split(',')
    .filter((each) => each !== '')
  return ranges.map((each) => {
    const [first = '', last = first] = each.split('-')
    return { first: Number(first), last: Number(last) }
  })
}

/** The publication that asked for this very port; undefined: it was chosen. */
function askedFor(
  requested: readonly RequestedPublication[],
  { protocol, port }: BusyPort,
): RequestedPublication | undefined {
  return requested.find(
    ({ choice, port: asked }) =>
      choice === undefined &&
      asked.protocol === protocol &&
      asked.hostPorts.first <= port &&
      port <= asked.hostPorts.last,
  )
}

/** The same error, of the option that it is about. */
function atPath(error: unknown, path: string): unknown {
  if (!(error instanceof NfbridgeError) || error.path !== undefined) return error
  return inOperation(error, error.operation, { path })
}

function busyPort(error: unknown): BusyPort | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof BusyPort) return cause
  }
  return undefined
}
