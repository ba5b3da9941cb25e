import { BridgeHost } from 'nfbridge'

const host = await BridgeHost.open()
const front = await host.createNetwork({ name: 'front', subnet: '172.20.0.0/24' })
const back = await host.createNetwork({ name: 'back', subnet: '172.21.0.0/24', internal: true })
const routed = await host.createNetwork({ name: 'routed', subnet: '172.22.0.0/24', gatewayMode: 'routed' })

const web = await front.attach({ name: 'web', netns: '/run/netns/web' })
const db = await back.attach({ name: 'db', netns: '/run/netns/db' })
const api = await routed.attach({ name: 'api', netns: '/run/netns/api', publish: ['8443:443'] })

await web.connect(back, { interfaceName: 'back0' }) // the way to db; the default route stays that of front
console.log(web.networks) // → [ 'front', 'back' ]
console.log(web.addressOn(back).ipv4, db.address, api.address) // → 172.21.0.3 172.21.0.2 172.22.0.2
await host.close()
