import type { Namespace } from 'nfbridge'
import { Nft } from 'nfbridge/nft'
import { Rtnl } from 'nfbridge/rtnl'

/** What can be left behind in a namespace: interfaces, addresses, routes, rules and forwarding, as comparable texts. */
export async function snapshot(namespace: Namespace): Promise<string[]> {
  const rtnl = await Rtnl.open({ netns: namespace })
  const nft = await Nft.open({ netns: namespace })
  try {
    const [links, addresses, routes, ruleset, forward] = await Promise.all([
      rtnl.links.list(),
      rtnl.addresses.list(),
      rtnl.routes.list(),
      nft.list(),
      namespace.readSysctl('net.ipv4.ip_forward'),
    ])
    return [
      ...links.map(({ name, index }) => `link ${index} ${name}`),
      ...addresses.map(({ address, device }) => `address ${address} on ${device}`),
      ...routes.map(({ destination, gateway, device }) => `route ${destination} via ${gateway} on ${device}`),
      ...ruleset.nftables.map((object) => `rule ${JSON.stringify(object)}`),
      `net.ipv4.ip_forward ${forward}`,
    ].sort()
  } finally {
    rtnl.close()
    nft.close()
  }
}
