import { Namespace } from 'nfbridge'
import { Rtnl } from 'nfbridge/rtnl'

const rtnl = await Rtnl.open()
const netns = Namespace.open('/run/netns/web')
await rtnl.apply([
  { kind: 'link', action: 'create', link: { kind: 'bridge', name: 'br0', index: 100, up: true } },
  { kind: 'address', action: 'add', address: { device: 'br0', address: '172.18.0.1/16' } },
  {
    kind: 'link',
    action: 'create',
    link: { kind: 'veth', name: 'web0', index: 101, master: 'br0', up: true, peer: { name: 'eth0', netns } },
  },
])
const inside = await Rtnl.open({ netns })
await inside.apply([
  { kind: 'link', action: 'change', link: { device: 'eth0', up: true } },
  { kind: 'address', action: 'add', address: { device: 'eth0', address: '172.18.0.2/16' } },
  { kind: 'route', action: 'add', route: { destination: 'default', gateway: '172.18.0.1' } },
])

const ports = await rtnl.links.list({ master: 'br0' })
console.log(ports.map(({ name, kind }) => `${name}: ${kind}`)) // → [ 'web0: veth' ]
const way = await inside.routes.lookup({ destination: '203.0.113.2' })
console.log(way.reachable && `${way.gateway} from ${way.source}`) // → 172.18.0.1 from 172.18.0.2
try {
  await rtnl.apply([{ kind: 'link', action: 'delete', link: { device: 'web1' } }])
} catch (error) {
  console.log(error.code, error.path) // → NFB_MISSING operations[0]
}
for (const each of [inside, rtnl, netns]) each.close()
