import { createSocket } from 'node:dgram'
import { BridgeHost } from 'nfbridge'
import { Cidr, parseAddress } from 'nfbridge/address'
import { Conntrack } from 'nfbridge/conntrack'

const host = await BridgeHost.open()
const network = await host.createNetwork({ name: 'docker0', subnet: '172.17.0.0/16' })
const web = await network.attach({ name: 'web', netns: '/run/netns/web' })
const socket = createSocket('udp4')
await new Promise((done) => socket.send('hello', 53, web.address, done))

const conntrack = await Conntrack.open()
const toWeb = { protocol: 'udp', original: { destination: parseAddress(web.address) } }
for (const { protocol, original } of await conntrack.list(toWeb))
  console.log(protocol, `${original.source}`, `${original.destination}:${original.destinationPort}`) // → udp 172.17.0.1 172.17.0.2:53

const toNetwork = { original: { destination: Cidr.parse(network.subnet) } }
console.log(await conntrack.deleteAll(toNetwork, ({ original }) => original.destinationPort === 53)) // → 1
console.log((await conntrack.list(toWeb)).length) // → 0
conntrack.close()
socket.close()
await host.close()
