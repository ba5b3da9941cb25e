import { BridgeHost } from 'nfbridge'

const host = await BridgeHost.open()
const network = await host.createNetwork({ name: 'docker0', subnet: '172.17.0.0/16' })
const web = await network.attach({
  name: 'web',
  id: 'd1ce0fba5e00',
  netns: '/run/netns/web',
  publish: ['8080:80'],
})
console.log(await web.publish('127.0.0.1:9000:90', '7000-7009:7000-7009/udp')) // → [ '127.0.0.1:9000:90/tcp', '7000-7009:7000-7009/udp' ]
console.log(await web.publish('443')) // → [ '32768:443/tcp' ]

const other = await network.attach({ name: 'other', netns: '/run/netns/other' })
try {
  await other.publish('8080:80')
} catch (error) {
  console.log(error.code, error.reason) // → NFB_PORT_TAKEN port 8080/tcp is published by "web" (d1ce0fba5e00)
}
await host.close()
