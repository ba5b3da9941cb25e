/** Addresses that stand for many. */
import type { Cidr, IPAddress } from '../../address/index.js'
import type { Family, NetworkRecord } from '../plan/records.js'

/** Somebody on the Internet: TEST-NET-2 and the documentation prefix. */
export const STRANGER: Readonly<Record<Family, string>> = { 4: '198.51.100.77', 6: '2001:db8:77::77' }

/** An address of a network that a host may have, other than the given one; undefined where there is no other. */
export function neighbourIn(network: Cidr, other?: IPAddress): string | undefined {
  for (const address of [network.firstHost, network.lastHost]) {
    if (!other || !address.equals(other)) return address.toString()
  }
  return undefined
}

/** Two addresses of a pool that containers could have. */
export function someAddresses({ pools }: NetworkRecord, bridge: string, family: Family): string[] {
  const pool = pools.find((each) => each.bridge === bridge && each.subnet.family === family)
  if (!pool) return []
  const { subnet, range, gateway } = pool
  const start = BigInt(range.first.value) - BigInt(subnet.network.value)
  const count = BigInt(range.last.value) - BigInt(range.first.value) + 1n
  return Array.from({ length: count < 4n ? Number(count) : 4 }, (_, index) => start + BigInt(index))
    .filter((offset) => offset > 0n || subnet.size < 4n)
    .map((offset) => subnet.addressAt(offset))
    .filter((address) => !gateway?.equals(address))
    .slice(0, 2)
    .map(String)
}
