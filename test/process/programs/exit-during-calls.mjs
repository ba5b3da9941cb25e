// process.exit() while calls run, are queued, and monitors deliver. `worker`: the calls are those of a worker thread.
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { addon, frame, good, message, ports, rules, words } from './addon.mjs'

async function work() {
  const namespace = good(await addon.createNamespace())
  const netfilter = good(await namespace.openSocket('netfilter'))
  const route = good(await namespace.openSocket('route'))
  good(await namespace.openMonitor('netfilter', [7], () => {}))
  const reservations = good(namespace.openReservations())
  for (let call = 0; call < 5; call++) {
    reservations.reserve(ports(10_000 + call * 200, 200))
    namespace.portOwner(6, 10_000, new Uint8Array(4))
    namespace.sendFrames('lo', frame)
    netfilter.transaction(rules(`t${call}`, 3000))
    route.dump(words(message('getLink')))
    addon.createNamespace()
  }
}

if (isMainThread && process.argv[2] === 'worker') {
  new Worker(new URL(import.meta.url)).once('message', () => process.exit(7))
} else {
  await work()
  if (isMainThread) setTimeout(() => process.exit(7), Number(process.argv[3] ?? 0))
  else parentPort.postMessage('working')
}
