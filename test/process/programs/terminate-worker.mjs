// A worker thread is terminated while its calls run, with handles, monitors and calls of every kind open.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { addon, frame, good, inventory, message, ports, rules, waitForInventory, words } from './addon.mjs'

async function workForEver() {
  const namespace = good(await addon.createNamespace())
  const netfilter = good(await namespace.openSocket('netfilter'))
  const route = good(await namespace.openSocket('route'))
  good(await namespace.openMonitor('netfilter', [7], () => {}))
  good(await namespace.openMonitor('route', [1], () => {}))
  const reservations = good(namespace.openReservations())
  parentPort.postMessage('working')
  for (let round = 0; ; round++) {
    const pending = [netfilter.transaction(rules(`t${round}`, 3000))]
    for (let call = 0; call < 20; call++) {
      pending.push(route.dump(words(message('getLink'))), namespace.readSysctl('net.ipv4.ip_forward'))
    }
    pending.push(namespace.openSocket('route'), addon.createNamespace())
    const some = ports(10_000, 100)
    pending.push(
      reservations.reserve(some),
      namespace.portOwner(6, 10_000, new Uint8Array(4)),
      reservations.release(some),
    )
    pending.push(namespace.sendFrames('lo', frame))
    await Promise.all(pending)
  }
}

if (isMainThread) {
  const before = inventory()
  for (let round = 0; round < 15; round++) {
    const worker = new Worker(new URL(import.meta.url))
    await new Promise((resolve, reject) => worker.once('error', reject).once('message', resolve))
    await sleep(round * 3)
    assert.equal(await worker.terminate(), 1)
  }
  await waitForInventory(before)
} else {
  await workForEver()
}
