// Makes one call and kills itself in the middle of it. argv: state directory, host namespace, the call's name, and at which moment: there is
// one before each netlink send that changes something, and one when the kernel has answered; between them are files written. Last, if the
// state directory cannot be written meanwhile: `read-only`, or a file that takes the room that there is.
import { execFileSync } from 'node:child_process'
import { BridgeHost } from 'nfbridge'
import { addon, good } from './addon.mjs'
import { fill } from './fill.mjs'

const [state, netns, call, limit, disk] = process.argv.slice(2)
const calls = {
  'tracking begins': (host) => host.network('docker0').update({ tracking: true }),
  'tracking ends': (host) => host.network('docker0').update({ tracking: false }),
  'the first rule of the users comes': (host) => host.userRules.forward.append([{ counter: null }]),
  'the last rule of the users goes': (host) => host.userRules.forward.delete(0),
  detach: (host) => host.container('web').detach(),
  stop: (host) => host.container('web').stop(),
  unlink: (host) => host.container('client').unlink('web'),
  unpublish: (host) => host.container('web').unpublish('8080:80'),
  unexpose: (host) => host.container('web').unexpose('53/udp'),
  'icc: false': (host) => host.network('open').update({ icc: false }),
  removePeer: (host) => host.removePeer('172.31.0.0/24'),
  'a rule of the users that drops': (host) => host.userRules.forward.append([{ drop: null }]),
  link: (host) => host.container('client').link('web:again'),
  disconnect: (host) => host.container('web').disconnect('docker0'),
}

const host = await BridgeHost.open({ netns, state, bridgeNetfilter: 'off' })
// When it is open, nothing can be written any more.
if (disk === 'read-only')
  execFileSync('sh', ['-c', 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1"', 'sh', state])
else if (disk !== undefined) fill(disk)
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
const outcome = await calls[call](host).then(
  () => ({ code: 'done' }),
  ({ code, errno, message, remaining }) => ({ code, errno, message, remaining }),
)
console.log(JSON.stringify(outcome))
// Without closing: what is remembered is remembered.
process.exit(0)
