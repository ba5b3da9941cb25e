// Attaches and detaches containers until it is killed. argv: state directory, host namespace, namespaces of containers.
import { BridgeHost } from 'nfbridge'

const [state, netns, ...places] = process.argv.slice(2)
const host = await BridgeHost.open({ netns, state, bridgeNetfilter: 'off' })
const network = host.network('docker0') ?? (await host.createNetwork({ name: 'docker0', icc: false }))
console.log('ready')
for (;;) {
  const free = places.filter((_, index) => !host.container(`c${index}`))
  for (const place of free) {
    const index = places.indexOf(place)
    const links = index > 0 && host.container(`c${index - 1}`) ? [`c${index - 1}`] : []
    await network.attach({
      name: `c${index}`,
      netns: place,
      expose: [80],
      publish: [`${8000 + index}:80`],
      links,
    })
  }
  await network.detach(`c${Math.floor(Math.random() * places.length)}`)
}
