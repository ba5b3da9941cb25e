import { joinPath } from '../../errors.js'
import type { NetworkOptions } from '../options.js'
import { refuseNetwork } from './network-refusal.js'
import type { NetworkSettings } from './network-settings.js'
import { LONGEST_PREFIX, type PoolSettings } from './pool-settings.js'

/** Refuses options that can't hold together: each alone is fine, and one would be passed over in silence. */
export function checkConflicts(settings: NetworkSettings, options: NetworkOptions, firewall: boolean): void {
  if (!firewall) checkWithoutRules(settings, options)
  const isolated = settings.families.filter(
    (family) => (family === 4 ? settings.ipv4 : settings.ipv6).mode === 'isolated',
  )
  if (settings.internal) checkNoWayIn(settings, 'an internal network')
  else if (isolated.length === settings.families.length) checkNoWayIn(settings, 'an isolated bridge')
  checkHostBinding(settings, options)
  for (const { subnet, gateway, path } of settings.pools) {
    if (gateway === undefined || !isolated.includes(subnet.family)) continue
    conflict(`an isolated bridge has no address, and ${gateway} would be its`, joinPath(path, 'gateway'))
  }
  for (const { router, path } of settings.pools)
    if (router) checkRouter(settings, joinPath(path, 'defaultGateway'))
  if (settings.bridges === 1) return
  if (isolated.length > 0) {
    conflict(
      'the host routes between the bridges of a network, and isolated bridges have no address',
      'bridges',
    )
  }
  if (settings.adopt)
    conflict('one bridge is adopted, by its name; leave out "adopt" or "bridges"', 'bridges')
  for (const pool of settings.pools) checkSplit(pool, settings.bridges)
}

/** What containers send to another machine on the bridge is let pass as among themselves. */
function checkRouter(settings: NetworkSettings, path: string): void {
  if (settings.internal) conflict('an internal network has no way out; leave out one of the two', path)
  if (!settings.defaultRoute) conflict('without a default route nobody goes by it', path)
  if (!settings.icc)
    conflict(
      'with icc: false nothing passes to another machine on the bridge; leave out one of the two',
      path,
    )
  if (settings.bridges > 1) conflict("it is on one of the network's bridges, and there are several", path)
}

/** What restricts or translates needs rules; what permits holds without. */
function checkWithoutRules(settings: NetworkSettings, { masquerade, tracking }: NetworkOptions): void {
  const asked: readonly (readonly [boolean, string, string])[] = [
    [!settings.icc, 'icc: false', 'icc'],
    [settings.internal, 'internal: true', 'internal'],
    [settings.isolation === 'strict', "isolation: 'strict'", 'isolation'],
    [settings.helpers.length > 0, 'a helper', 'helpers'],
    [typeof masquerade === 'object', 'masquerading with conditions', 'masquerade'],
    [tracking !== undefined, 'tracking', 'tracking'],
  ]
  for (const [given, what, path] of asked) {
    if (given)
      conflict(`${what} needs rules, and firewall: false makes none; open the host with firewall: true`, path)
  }
}

function checkNoWayIn({ trustedInterfaces, allowDirectRouting }: NetworkSettings, what: string): void {
  const message = `${what} has no way in, from no interface; leave out one of the two`
  if (trustedInterfaces.length > 0) conflict(message, 'trustedInterfaces')
  if (allowDirectRouting) conflict(message, 'allowDirectRouting')
}

/** An address that is given for the network is one that its ports can be published on. */
function checkHostBinding(settings: NetworkSettings, { hostBinding }: NetworkOptions): void {
  const { hostBinding: address, families, internal } = settings
  if (hostBinding === undefined || address === undefined) return
  const { mode } = address.family === 4 ? settings.ipv4 : settings.ipv6
  if (families.includes(address.family) && !internal && (mode === 'nat' || mode === 'nat-unprotected')) return
  const reason = internal
    ? 'an internal network has no published ports'
    : families.includes(address.family)
      ? `gateway mode "${mode}" leads no port of the host to containers`
      : `the network has no IPv${address.family} addresses`
  conflict(`${reason}, there is nothing to bind to ${address}; leave "hostBinding" out`, 'hostBinding')
}

/** By how many bits the prefixes of a pool's parts are longer than its own. */
export function splitBits(bridges: number): number {
  return Math.ceil(Math.log2(bridges))
}

function checkSplit({ subnet, range, path }: PoolSettings, bridges: number): void {
  if (range !== undefined) {
    conflict(
      `a range is part of one bridge's subnet, and there are ${bridges} bridges`,
      joinPath(path, 'range'),
    )
  }
  if (subnet.prefixLength + splitBits(bridges) <= LONGEST_PREFIX[subnet.family]) return
  conflict(`${subnet} is too small to be split among ${bridges} bridges`, 'bridges')
}

function conflict(message: string, path: string): never {
  throw refuseNetwork('NFB_SETTING_CONFLICT', message, path)
}
