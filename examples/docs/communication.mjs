import { BridgeHost } from 'nfbridge'

const host = await BridgeHost.open()
const network = await host.createNetwork({ name: 'docker0', subnet: '172.17.0.0/16', icc: false })
const db = await network.attach({ name: 'db', id: '5f0a6d1c2b3e', netns: '/run/netns/db', expose: ['5432'] })
const web = await network.attach({ name: 'web', netns: '/run/netns/web', links: ['db:store'] })
console.log(web.hosts[0].names) // → [ 'store', '5f0a6d1c2b3e', 'db' ]
console.log(web.linkVariables.STORE_PORT) // → tcp://172.17.0.2:5432

await db.stop() // its address is free now, and a stranger takes it
await network.attach({ name: 'stranger', netns: '/run/netns/stranger', address: '172.17.0.2' })
await db.start() // at another address: the link leads there, and not to the stranger
console.log(web.hosts[0].address) // → 172.17.0.4
await host.close()
