import { BridgeHost } from 'nfbridge'
import { Nft, table } from 'nfbridge/nft'

const host = await BridgeHost.open()
const network = await host.createNetwork({ name: 'docker0', subnet: '172.17.0.0/16', icc: false })
await network.attach({ name: 'web', netns: '/run/netns/web', expose: ['80'], publish: ['8080:80'] })
await network.attach({ name: 'app', netns: '/run/netns/app', links: ['web'] })

const { networks, containers } = await host.inspect()
console.log(networks[0].pools[0].gateway) // → 172.17.0.1
console.log(containers.map(({ name, linkedFrom }) => [name, linkedFrom])) // → [ [ 'web', [ 'app' ] ], [ 'app', [] ] ]

const allowed = await host.explain({ from: 'app', to: 'web', port: 80 })
console.log(allowed.reached, allowed.because) // → true app's link to web opens 80/tcp
const refused = await host.explain({ from: 'web', to: 'app', port: 22 })
console.log(refused.reached, refused.because) // → false web has no link to app, and icc of docker0 is false
console.log(refused.remedy) // → web.link('app') opens 22/tcp once app exposes it: app.expose('22/tcp')

const filter = table('ip', 'filter') // somebody else's firewall
const nft = await Nft.open()
await nft
  .transaction()
  .add(filter.table())
  .add(filter.chain('FORWARD', { type: 'filter', hook: 'forward', prio: 'filter', policy: 'drop' }))
  .commit()
for (const { code, subject } of await host.check()) console.log(code, subject) // → foreign-chain-drops ip filter FORWARD
await nft.transaction().delete(filter.table()).commit()
nft.close()
console.log(await host.check()) // → []

console.log(await host.toText('iptables'))
console.log(await host.toText('nft'))
await host.close()
