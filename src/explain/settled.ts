/** Links, addresses and routes, once the kernel has done what it does a little later than it was asked to. */
import { setTimeout } from 'node:timers/promises'
import { NfbridgeError } from '../errors.js'
import type { Link, Rtnl } from '../rtnl/index.js'
import type { Listed } from './state.js'

type Settling = Pick<Listed, 'links' | 'addresses' | 'routes'>

/** A carrier that nothing hurries takes effect within a second (`linkwatch_schedule_work`); the rest is for a busy machine. */
const LIMIT_MS = 2_000
const FIRST_INTERVAL_MS = 5
const LONGEST_INTERVAL_MS = 40

/**
 * Lists them again while something is underway: a link that was just set up drops what is sent by it, and its bridge keeps the
 * port disabled, until a work queue has noted its carrier; an IPv6 address is not the namespace's own until another has made its
 * local route (`addrconf_dad_work`). No lasting fault is behind either. What is underway for longer than the limit is given as it is.
 */
export async function listSettled(rtnl: Rtnl): Promise<Settling> {
  const end = performance.now() + LIMIT_MS
  for (let interval = FIRST_INTERVAL_MS; ; interval = Math.min(2 * interval, LONGEST_INTERVAL_MS)) {
    const [links, addresses, routes] = await Promise.all([
      rtnl.links.list(),
      rtnl.addresses.list(),
      rtnl.routes.list({ table: 'all' }),
    ])
    const listed = { links, addresses, routes }
    const coming = links.filter(isComingUp)
    if ((coming.length === 0 && hasLocalRoutes(listed)) || performance.now() > end) return listed
    if (coming.length > 0) await hurry(rtnl, coming)
    await setTimeout(interval)
  }
}

/** Set up and with a carrier that has not taken effect. */
function isComingUp({ up, lowerUp, state }: Link): boolean {
  return up && lowerUp && (state === 'down' || state === 'lower-layer-down')
}

/** Whether every IPv6 address that can be used has its local route. */
function hasLocalRoutes({ links, addresses, routes }: Settling): boolean {
  const usable = addresses.filter(
    ({ family, tentative, duplicate }) => family === 6 && !tentative && !duplicate,
  )
  if (usable.length === 0) return true
  const up = new Set(links.flatMap((link) => (link.up ? [link.index] : [])))
  const local = new Set(
    routes.flatMap(({ family, type, destination }) =>
      family === 6 && type === 'local' ? [destination.address.toString()] : [],
    ),
  )
  return usable.every(({ device, address }) => !up.has(device) || local.has(address.address.toString()))
}

/** To ask for a link by itself makes the kernel catch up with its carrier (`linkwatch_sync_dev`, kernel 6.8); a listing does not. */
async function hurry(rtnl: Rtnl, links: readonly Link[]): Promise<void> {
  try {
    await rtnl.links.getAll(links.map(({ index }) => index))
  } catch (error) {
    // One of them was deleted: the next listing is without it.
    if (!(error instanceof NfbridgeError && error.code === 'NFB_MISSING')) throw error
  }
}
