import { BridgeHost } from 'nfbridge'

const host = await BridgeHost.open()
const network = await host.createNetwork({
  name: 'lan',
  subnet: '10.88.0.0/16',
  gateway: '10.88.255.254',
  range: '10.88.5.0/24', // handed out from here
  exclude: ['10.88.5.0/30'], // but not these
  mtu: 1400,
})
const web = await network.attach({ name: 'web', netns: '/run/netns/web', interfaceName: 'lan0' })
const db = await network.attach({
  name: 'db',
  netns: '/run/netns/db',
  address: '10.88.0.7',
  mac: '02:00:5e:00:53:01',
})
console.log(web.address, web.mac, web.interfaceName) // → 10.88.5.4 02:42:0a:58:05:04 lan0
console.log(db.address, db.mac, db.interfaceName) // → 10.88.0.7 02:00:5e:00:53:01 eth0
try {
  await host.createNetwork({ name: 'other', subnet: '203.0.0.0/16' })
} catch (error) {
  console.log(error.code, error.reason) // → NFB_POOL_OVERLAP 203.0.0.0/16 overlaps 203.0.113.0/24, to which the host has a route
}
await host.close()
