// Does all kinds of things in a random order until it is killed. argv: state directory, host namespace, directory for hosts
// files, seed, namespaces of containers.
import { BridgeHost, NfbridgeError } from 'nfbridge'

const [state, netns, hosts, seed, ...places] = process.argv.slice(2)
let random = Number(seed) + 1
/** A whole number below `limit`. */
function below(limit) {
  random = (random * 48271) % 2147483647
  return random % limit
}
const oneOf = (values) => values[below(values.length)]

const host = await BridgeHost.open({ netns, state })
const network = () => oneOf(host.networks)
const container = () => oneOf(host.containers.filter(({ name }) => /^c\d/.test(name)))
const extra = [
  { name: 'br1', subnet: '10.1.0.0/24', icc: false },
  { name: 'br2', pools: [{ subnet: '10.2.0.0/24' }, { subnet: 'fd00:2::/64' }], bridges: 2 },
]
const limit = { rate: 50_000_000 }

const operations = [
  () => host.createNetwork(oneOf(extra)),
  () => host.network(oneOf(extra).name)?.destroy(),
  () => host.network('br1')?.update({ icc: below(2) === 0 }),
  ...Array.from({ length: 4 }, () => () => {
    const index = below(places.length)
    return network()?.attach({
      name: `c${index}`,
      netns: places[index],
      expose: [80],
      publish: [`${8000 + index}:80`, '81'],
      links: ['server'].filter(() => below(2) === 0),
      hostsFile: `${hosts}/c${index}`,
      bandwidth: below(2) === 0 ? { egress: limit, ingress: limit } : undefined,
    })
  }),
  () => container()?.detach(),
  () => container()?.stop(),
  () => container()?.start(),
  () => container()?.connect(network()),
  () => container()?.disconnect(network()),
  () => container()?.link(oneOf(host.containers).name),
  () => container()?.unlink('server'),
  () => container()?.publish('82'),
  () => container()?.expose(443),
  () => container()?.setBandwidth(below(2) === 0 ? { egress: limit } : {}),
  () => host.addPeer({ subnet: oneOf(['172.30.0.0/16', '172.31.0.0/16']), via: '203.0.113.2' }),
  () => host.removePeer(oneOf(['172.30.0.0/16', '172.31.0.0/16'])),
  () => host.userRules.forward.append([{ counter: null }]),
  () => host.userRules.forward.delete(0),
]
console.log('ready')
for (;;) {
  try {
    await oneOf(operations)()
  } catch (error) {
    // Many of these are refused: a name that is taken, a container that does not run. What is refused leaves nothing.
    const refused =
      error instanceof NfbridgeError && error.code !== 'NFB_INTERNAL' && error.remaining.length === 0
    if (!refused) throw error
  }
}
