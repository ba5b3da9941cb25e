import { BridgeHost } from 'nfbridge'

const host = await BridgeHost.open({ forwardPolicy: 'accept', state: '/var/lib/nfbridge' })
const network = await host.createNetwork({
  name: 'docker0',
  subnet: '172.18.0.0/16',
  masquerade: { except: ['203.0.113.0/24'] }, // the neighbours see the containers' own addresses
})
await network.attach({ name: 'web', netns: '/run/netns/web' })
await host.addPeer({ subnet: '172.30.0.0/16', via: '203.0.113.2' })

const { forwarding } = (await host.inspect()).host
console.log(forwarding.ipv4) // → { on: true, turnedOn: true, policy: 'accept' }
console.log(forwarding.ipv6) // → { on: false, turnedOn: false, policy: 'accept' }
await host.close()
