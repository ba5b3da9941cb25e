import { BridgeHost } from 'nfbridge'
import { match, verdict } from 'nfbridge/nft'

const host = await BridgeHost.open()
const network = await host.createNetwork({ name: 'docker0', subnet: '172.17.0.0/16' })
await network.attach({ name: 'web', netns: '/run/netns/web', publish: ['8080:80'] })

// Only 8.8.8.8 may come in by the uplink; what containers ask for outside is answered by everybody
await host.userRules.inbound.insert(0, [
  match.iifname.eq('uplink'),
  match.ip.saddr.ne('8.8.8.8'),
  verdict.drop(),
])
const [rule] = await host.userRules.inbound.list()
console.log(rule.text) // → iifname "uplink" ip saddr != 8.8.8.8 drop
await host.close()
