// Makes one call and kills itself in the middle of it. argv: state directory, host namespace, the call's name, and at which moment: there is
// one before each netlink send that changes something, and one when the kernel has answered; between them are files written.
import { BridgeHost } from 'nfbridge'
import { addon, good } from './addon.mjs'

const [state, netns, call, limit] = process.argv.slice(2)
const calls = {
  'tracking begins': (host) => host.network('docker0').update({ tracking: true }),
  'tracking ends': (host) => host.network('docker0').update({ tracking: false }),
  'the first rule of the users comes': (host) => host.userRules.forward.append([{ counter: null }]),
  'the last rule of the users goes': (host) => host.userRules.forward.delete(0),
  detach: (host) => host.container('web').detach(),
  stop: (host) => host.container('web').stop(),
  disconnect: (host) => host.container('web').disconnect('docker0'),
}

const host = await BridgeHost.open({ netns, state, bridgeNetfilter: 'off' })
let moments = 0
function moment() {
  if (moments === Number(limit)) process.kill(process.pid, 'SIGKILL')
  moments += 1
}

/** What only asks leaves all as it was. */
const asks = ([message]) => /^(nft|ct)?[gG]et/.test(addon.messages[message].name)

const namespace = good(addon.openNamespace(netns))
const socket = good(await namespace.openSocket('netfilter'))
for (const [handle, method] of [
  [socket, 'request'],
  [socket, 'transaction'],
  [namespace, 'request'],
]) {
  const prototype = Object.getPrototypeOf(handle)
  const original = prototype[method]
  prototype[method] = async function intercepted(words, ...options) {
    if (asks(words)) return original.call(this, words, ...options)
    moment()
    const outcome = await original.call(this, words, ...options)
    moment()
    return outcome
  }
}
await calls[call](host)
process.exit(0)
