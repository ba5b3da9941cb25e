// Makes networks, containers and peers, and stands until it is killed. argv: state directory, host namespace, and as JSON
// what stands: networks with their containers, and peers.
import { BridgeHost } from 'nfbridge'

const [state, netns, plan] = process.argv.slice(2)
const { networks, peers } = JSON.parse(plan)
const host = await BridgeHost.open({ netns, state })
for (const { containers, ...options } of networks) {
  const network = await host.createNetwork(options)
  await network.attachAll(containers)
}
for (const peer of peers) await host.addPeer(peer)
console.log('ready')
setInterval(() => {}, 1000)
