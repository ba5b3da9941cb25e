/** What the kernel asks of its other tables while it evaluates rules. */
import type { Link } from '../rtnl/index.js'

/** The rest of a namespace, as far as rules ask for it. `undefined` as an answer means that it is not known. */
export interface Environment {
  /** `fib daddr type`, `fib saddr type`: the type of an address, on one device or on all. */
  addressType(address: string, device?: Link): string | undefined
  /** `fib … oif`: the device by which an address is reached; null when there is no route. */
  deviceTowards(address: string): Link | null | undefined
  /** The address that `masquerade` and `redirect` take on a device, towards the destination. */
  deviceAddress(device: Link, family: 'ip' | 'ip6', towards: string): string | undefined
  /** A link by its name. */
  linkNamed(name: string): Link | undefined
}
