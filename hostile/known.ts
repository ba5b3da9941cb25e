/** Holes that are known, and open: each has its reason, and goes from here with its fix. */
import { isErrorOfHost, isHonest } from './allowed.js'
import type { Event } from './event.js'

export interface Known {
  readonly name: string
  readonly reason: string
  /** Whether it is what arrived. */
  readonly is: (event: Event) => boolean
}

export const known: readonly Known[] = [
  {
    name: 'somebody-elses-mac',
    reason:
      'links are told by addresses, and open connections of tracked networks as well: two containers that work together pass packets that bear the address of a third (docs/communication.md)',
    is: (event) => {
      const { sender, place, ip } = event
      if (sender.on === undefined || place.kind !== 'station' || place.station.on?.kind !== sender.on.kind)
        return false
      const { ipv4, ipv6 } = place.station
      return isHonest(event) && ip !== undefined && ip.destination !== ipv4 && ip.destination !== ipv6
    },
  },
  {
    name: 'errors-to-forged',
    reason:
      'what cannot be routed (its hops are used up, no way leads there) the host answers with an error before a rule of forwarding judges whose address it bears',
    is: (event) => event.sender.on === undefined && isErrorOfHost(event),
  },
]

export function isKnown(event: Event): boolean {
  return known.some(({ is }) => is(event))
}
