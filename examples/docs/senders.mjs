import { BridgeHost } from 'nfbridge'

const host = await BridgeHost.open()
const network = await host.createNetwork({ name: 'docker0', subnet: '172.17.0.0/16' })
await network.attach({ name: 'web', netns: '/run/netns/web' })
await network.attach({ name: 'tenant', netns: '/run/netns/tenant' }) // root inside, and not trusted
await network.attach({ name: 'router', netns: '/run/netns/router', allowForgedSource: true })

for (const { name, endpoints } of (await host.inspect()).containers) {
  const [{ mac, ipv4, allowForgedSource }] = endpoints
  console.log(name, mac, ipv4, allowForgedSource ? 'and any other' : 'and no other')
}
// → web 02:42:ac:11:00:02 172.17.0.2 and no other
// → tenant 02:42:ac:11:00:03 172.17.0.3 and no other
// → router 02:42:ac:11:00:04 172.17.0.4 and any other
await host.close()
