/** When a host is destroyed, its namespace is as it was found. */
import type { Namespace } from 'nfbridge'
import { Nft } from 'nfbridge/nft'
import { Rtnl } from 'nfbridge/rtnl'
import type { World } from './world.js'

const settings = [
  'net.ipv4.ip_forward',
  'net.ipv6.conf.all.forwarding',
  'net.bridge.bridge-nf-call-iptables',
  'net.bridge.bridge-nf-call-ip6tables',
]

/** What can be left behind: interfaces, routes, tables of ours, and settings. Tables of others are theirs, and come and go. */
export async function snapshot(namespace: Namespace): Promise<string[]> {
  const rtnl = await Rtnl.open({ netns: namespace })
  using nft = await Nft.open({ netns: namespace })
  try {
    const [links, routes, { nftables }] = await Promise.all([
      rtnl.links.list(),
      rtnl.routes.list({ family: 4 }),
      nft.list(),
    ])
    const values = await Promise.all(
      settings.map(async (name) => `${name} ${await namespace.readSysctl(name).catch(() => 'missing')}`),
    )
    const tables = nftables
      .flatMap((object) => ('table' in object ? [object.table] : []))
      .filter(({ name }) => name.startsWith('nfbridge'))
    return [
      ...links.map(({ name }) => `interface ${name}`),
      ...routes.map(({ destination, gateway, device }) => `route ${destination} via ${gateway} on ${device}`),
      ...tables.map(({ family, name }) => `table ${family} ${name}`),
      ...values,
    ]
  } finally {
    rtnl.close()
  }
}

/** Destroys all hosts, one after the other, and compares their namespaces. */
export async function untouched(world: World): Promise<{ name: string; got: string[] }[]> {
  const places = [...world.hosts.values()]
  for (const { bridgeHost } of places) await bridgeHost.destroy()
  const machines = new Map(places.map(({ at, machine }) => [at, machine]))
  return Promise.all(
    [...machines].map(async ([name, machine]) => {
      const after = await snapshot(machine.namespace)
      const before = world.before(name)
      const left = after.filter((line) => !before.includes(line)).map((line) => `left: ${line}`)
      const missing = before.filter((line) => !after.includes(line)).map((line) => `missing: ${line}`)
      return { name: `${name} after destroy`, got: [...left, ...missing] }
    }),
  )
}
