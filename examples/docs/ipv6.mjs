import { BridgeHost } from 'nfbridge'

const host = await BridgeHost.open()
const network = await host.createNetwork({
  name: 'docker0',
  pools: [{ subnet: '172.17.0.0/16' }, { subnet: 'fd00:17::/64' }],
  icc: false,
})
const web = await network.attach({
  name: 'web',
  netns: '/run/netns/web',
  publish: ['8080:80'],
  ipv6Address: 'fd00:17::80',
})
const app = await network.attach({ name: 'app', netns: '/run/netns/app', links: ['web'] })
console.log(web.address, web.ipv6Address) // → 172.17.0.2 fd00:17::80
console.log(app.hosts.map(({ address }) => address)) // → [ '172.17.0.2', 'fd00:17::80' ]

// Without a pool of its own a network with ipv6: true gets a random unique local one
const other = await host.createNetwork({ name: 'other', ipv6: true })
console.log(other.subnets.length) // → 2
await host.close()
