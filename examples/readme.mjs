import { BridgeHost } from 'nfbridge'

const host = await BridgeHost.open({ ipForward: true, firewall: true, state: '/var/lib/nfbridge' })
const net =
  host.network('docker0') ??
  (await host.createNetwork({ name: 'docker0', subnet: '172.17.0.0/16', icc: false }))
const web = await net.attach({ name: 'web', netns: '/run/netns/web', expose: ['80/tcp'] })
const app = await net.attach({ name: 'app', netns: '/run/netns/app', links: ['web:db'] })
// app reaches web on tcp/80 as "db"; nobody else reaches anybody
console.log(app.hosts[0].text) // 172.17.0.2  db <short id> web, for the hosts file of app
await web.publish('8080:80/tcp') // and everybody reaches it through the host
await app.unlink('web') // new connections AND established ones stop
await host.close() // the network stays; another open() adopts it, with no packet lost
