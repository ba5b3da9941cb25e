// Makes a network with a container in it and takes both away, or says why not. argv: namespaces of the host and of the container, and
// as JSON the options of the host and of the network. Prints what came of it as JSON.
import { BridgeHost } from 'nfbridge'

const [netns, inside, hostOptions, networkOptions] = process.argv.slice(2)
const host = await BridgeHost.open({ netns, ...JSON.parse(hostOptions) })
try {
  const network = await host.createNetwork({ name: 'docker0', ...JSON.parse(networkOptions) })
  await network.attach({ name: 'web', netns: inside })
  console.log(JSON.stringify({ made: true }))
} catch ({ code, message, remaining }) {
  console.log(JSON.stringify({ code, message, remaining }))
} finally {
  await host.destroy()
}
