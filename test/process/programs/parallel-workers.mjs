// Six threads load the addon and work at the same time, each in a namespace of its own, as the main thread does.
import assert from 'node:assert/strict'
import { isMainThread, Worker } from 'node:worker_threads'
import { addon, good, inventory, message, rules, waitForInventory, words } from './addon.mjs'

async function work() {
  const namespace = good(await addon.createNamespace())
  const [route, netfilter] = await Promise.all([
    namespace.openSocket('route'),
    namespace.openSocket('netfilter'),
  ])
  for (let round = 0; round < 20; round++) {
    const calls = [
      good(netfilter).transaction(rules(`t${round}`, 200)),
      good(route).dump(words(message('getLink'))),
      good(route).dump(words(message('getAddress'))),
      good(route).roundTrip(),
    ]
    good(netfilter).requestSync(words(message('nftGetGeneration')))
    for (const outcome of await Promise.all(calls)) good(outcome)
  }
  good(route).close()
  good(netfilter).close()
  namespace.close()
}

if (isMainThread) {
  const before = inventory()
  const ended = Array.from({ length: 6 }, () => {
    const worker = new Worker(new URL(import.meta.url))
    return new Promise((resolve, reject) => worker.once('error', reject).once('exit', resolve))
  })
  await work()
  assert.deepEqual(await Promise.all(ended), [0, 0, 0, 0, 0, 0])
  // The main thread's own threads stay for its next call.
  await waitForInventory({ descriptors: before.descriptors, threads: 4 })
} else {
  await work()
}
