/** What the kernel asks of its other tables while it evaluates rules. */
import type { Link } from '../rtnl/index.js'

/** What a question for a way may tell beside the address. */
export interface AskedRoute {
  readonly source?: string
  readonly mark?: number
  /** The link that rules of the routing policy take the packet to come in by. Default: `lo`. */
  readonly inputDevice?: Link
  /** Of several ways, this one counts. */
  readonly device?: Link
}

/** The rest of a namespace, as far as rules ask for it. `undefined` as an answer means that it is not known. */
export interface Environment {
  /** `fib daddr type`, `fib saddr type`: the type of an address, on one device or on all. */
  addressType(address: string, device?: Link): string | undefined
  /** `fib … oif`: the device by which an address is reached; null when there is no route, or it is the namespace's own. */
  deviceTowards(address: string, asked?: AskedRoute): Link | null | undefined
  /** The address that `masquerade` and `redirect` take on a device, towards the destination. */
  deviceAddress(device: Link, family: 'ip' | 'ip6', towards: string): string | undefined
  /** A link by its name. */
  linkNamed(name: string): Link | undefined
}
