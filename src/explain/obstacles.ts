/** What is in the way outside of the rules: links, addresses, routes and settings, each with its sentence. */
import { parseAddress } from '../address/index.js'
import type { Link, RouteRefused } from '../rtnl/index.js'
import { Stopped } from './answer.js'
import type { Packet } from './packet.js'
import { decideRoute, devicesOf } from './routing-policy.js'
import { hasAddress, linkByIndex, type NamespaceState } from './state.js'

/** A link that has to carry the packet. @throws Stopped when it does not */
export function requireRunning(state: NamespaceState, link: Link): void {
  const where = { kind: 'link', namespace: state.name, link: link.name } as const
  if (!link.up)
    throw new Stopped(
      { ...where, problem: 'down' },
      `in ${state.name}, ${link.name} is down`,
      `set ${link.name} up`,
    )
  if (!link.lowerUp)
    throw new Stopped(
      { ...where, problem: 'no-carrier' },
      `in ${state.name}, ${link.name} has no carrier`,
      `set the other end of ${link.name} up`,
    )
}

/** A machine's link that is joined to nothing of the host's. */
export function noOtherEnd(machine: NamespaceState, link: Link, host: NamespaceState): Stopped {
  return new Stopped(
    { kind: 'link', namespace: machine.name, link: link.name, problem: 'missing' },
    `${link.name} of ${machine.name} has no other end in ${host.name}`,
    `connect ${machine.name} again`,
  )
}

/** Nobody answers for an address. */
export function noSuchAddress(namespace: string, address: string, where: string): Stopped {
  return new Stopped(
    { kind: 'address', namespace, address },
    `${where} has the address ${address}`,
    `give ${address} to the one that is meant, or ask for the address that it has`,
  )
}

/** A route takes the packet elsewhere than to the one that has its destination. */
export function misled(state: NamespaceState, owner: NamespaceState, packet: Packet, device: Link): Stopped {
  const { destination } = packet
  return new Stopped(
    { kind: 'route', namespace: state.name, destination, reason: 'elsewhere' },
    `${state.name} sends what is for ${destination} out by ${device.name}, and ${owner.name}, which has it, is not there`,
    `see that the network of ${owner.name} has its route in ${state.name}: its bridge up, with its address`,
    packet,
  )
}

/** What the kernel refused to route, by the setting or route that it hangs on. */
export async function refusedRoute(
  state: NamespaceState,
  packet: Packet,
  device: Link | undefined,
  refusal: RouteRefused,
): Promise<Stopped> {
  const { source, destination } = packet
  const family = packet.family === 'ip6' ? 'ipv6' : 'ipv4'
  const sysctl = async (name: string, because: string, remedy: string): Promise<Stopped | undefined> => {
    const value = await state.sysctl(name)
    return value === undefined
      ? undefined
      : new Stopped({ kind: 'sysctl', namespace: state.name, name, value }, because, remedy)
  }
  if (device && family === 'ipv4') {
    const loopback = [source, destination].find((address) => address.startsWith('127.'))
    const name = `net/ipv4/conf/${device.name}/route_localnet`
    if (loopback !== undefined && !(await isOn(state, 'route_localnet', device))) {
      const found = await sysctl(
        name,
        `in ${state.name}, ${loopback} is a loopback address, which ${device.name} neither sends nor takes`,
        `use another address, or set ${name} to 1`,
      )
      if (found) return found
    }
    if (packet.inputDevice && !hasAddress(state, destination) && !(await forwards(state, packet))) {
      const found = await notForwarding(state, packet)
      if (found) return found
    }
    if (packet.inputDevice && hasAddress(state, source))
      return new Stopped(
        { kind: 'address', namespace: state.name, address: source },
        `${state.name} takes nothing from ${source} by ${device.name}: it is its own address`,
        'use another source address',
      )
    if (packet.inputDevice && refusal.reason === 'invalid') {
      const found = await unexpectedSource(state, packet, device)
      if (found) return found
    }
  }
  return new Stopped(
    { kind: 'route', namespace: state.name, destination, reason: refusal.reason },
    `${state.name} has no way to ${destination} (${refusal.reason})`,
    `add a route to ${destination} in ${state.name}`,
    packet,
  )
}

/** What rp_filter says of a source, by the way that leads back to it (fib_validate_source in net/ipv4/fib_frontend.c). */
async function unexpectedSource(
  state: NamespaceState,
  packet: Packet,
  device: Link,
): Promise<Stopped | undefined> {
  const { source, destination } = packet
  const { value, of } = await strictness(state, device)
  if (value === 0) return undefined
  const mark = packet.mark === undefined ? {} : { mark: packet.mark }
  const onward = decideRoute(state, { destination, source, inputDevice: device.name, ...mark })?.route
  const out = onward?.type === 'unicast' ? linkByIndex(state, devicesOf(onward)[0]) : undefined
  const back = decideRoute(state, {
    destination: source,
    source: destination,
    // As if it came in by the link that it would leave by.
    ...(out && { inputDevice: out.name }),
    ...((await isOn(state, 'src_valid_mark', device)) && mark),
  })?.route
  const isUnicast = back?.type === 'unicast'
  if (isUnicast && (value === 2 || devicesOf(back).includes(device.index))) return undefined
  const way = isUnicast
    ? `the way back is by ${devicesOf(back).map((index) => state.links.find((link) => link.index === index)?.name)}`
    : 'there is no way back'
  const name = `net/ipv4/conf/${of}/rp_filter`
  return new Stopped(
    { kind: 'sysctl', namespace: state.name, name, value: String(value) },
    `in ${state.name}, rp_filter takes nothing from ${source} by ${device.name}: ${way}`,
    `set rp_filter of ${device.name} and of all to ${isUnicast ? '0 or 2' : '0'}, or route ${source} by ${device.name}`,
  )
}

/** Whether the namespace forwards what comes in by the packet's device. */
async function forwards(state: NamespaceState, packet: Packet): Promise<boolean> {
  const name = packet.inputDevice?.name ?? 'all'
  if (packet.family === 'ip6')
    return (
      (await state.sysctl('net/ipv6/conf/all/forwarding')) === '1' ||
      (await state.sysctl(`net/ipv6/conf/${name}/force_forwarding`)) === '1'
    )
  return (await state.sysctl(`net/ipv4/conf/${name}/forwarding`)) === '1'
}

/** @throws Stopped when it does not */
export async function requireForwardingOf(state: NamespaceState, packet: Packet): Promise<void> {
  if (await forwards(state, packet)) return
  const stopped = await notForwarding(state, packet)
  if (stopped) throw stopped
}

/** That it does not. */
async function notForwarding(state: NamespaceState, packet: Packet): Promise<Stopped | undefined> {
  const device = packet.inputDevice?.name ?? 'all'
  const whole = packet.family === 'ip6' ? 'net/ipv6/conf/all/forwarding' : 'net/ipv4/ip_forward'
  const off = (await state.sysctl(whole)) !== '1'
  const name = off ? whole : `net/ipv4/conf/${device}/forwarding`
  const value = await state.sysctl(name)
  if (value === undefined) return undefined
  return new Stopped(
    { kind: 'sysctl', namespace: state.name, name, value },
    `${state.name} does not forward what comes in by ${device}: ${name} is ${value}`,
    `set ${name} to 1`,
  )
}

/** Whether a setting is on for the device or for all (IN_DEV_ORCONF). */
async function isOn(state: NamespaceState, name: string, device: Link): Promise<boolean> {
  for (const each of ['all', device.name])
    if ((await state.sysctl(`net/ipv4/conf/${each}/${name}`)) === '1') return true
  return false
}

/** The stricter of rp_filter for the device and for all (IN_DEV_RPFILTER), and of which of the two it is. */
async function strictness(
  state: NamespaceState,
  device: Link,
): Promise<{ readonly value: number; readonly of: string }> {
  const own = Number(await state.sysctl(`net/ipv4/conf/${device.name}/rp_filter`))
  const all = Number(await state.sysctl('net/ipv4/conf/all/rp_filter'))
  return all > own ? { value: all, of: 'all' } : { value: own, of: device.name }
}

/** Whether an address is one of this kind of family. */
export function familyOf(address: string): 'ip' | 'ip6' {
  return parseAddress(address).family === 4 ? 'ip' : 'ip6'
}
