import { BridgeHost } from 'nfbridge'

const host = await BridgeHost.open()
const network = await host.createNetwork({ name: 'docker0', subnet: '172.17.0.0/16' })
const web = await network.attach({
  name: 'web',
  netns: '/run/netns/web',
  bandwidth: { ingress: { rate: 80_000_000 }, egress: { rate: 8_000_000, burst: 20_000 } },
})
const limits = async () => (await host.inspect()).containers[0].endpoints[0]
console.log((await limits()).ingress) // → { rate: 80000000, burst: 100000 }
console.log((await limits()).egress) // → { rate: 8000000, burst: 20000 }

await web.setBandwidth({ egress: { rate: 1_000_000 } }) // while it runs; a direction that is left out has none any more
console.log((await limits()).ingress, (await limits()).egress) // → null { rate: 1000000, burst: 15000 }
await host.close()
