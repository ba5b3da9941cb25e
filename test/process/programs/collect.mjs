// Handles that nobody closes are collected, with calls of theirs still running; those calls settle all the same.
// Run with --expose-gc.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { addon, good, inventory, message, rules, waitForInventory, words } from './addon.mjs'

async function leak(round) {
  const namespace = good(await addon.createNamespace())
  const netfilter = good(await namespace.openSocket('netfilter'))
  const route = good(await namespace.openSocket('route'))
  // The objects are unreachable as soon as this returns; the promises are not.
  return [
    netfilter.transaction(rules(`t${round}`, 2000)),
    netfilter.transaction(rules(`u${round}`, 10)),
    route.dump(words(message('getLink'))),
    namespace.readSysctl('net.ipv4.ip_forward'),
  ]
}

const before = inventory()
for (let round = 0; round < 50; round++) {
  const calls = await leak(round)
  globalThis.gc()
  await sleep(1) // finalizers run from the event loop
  for (const outcome of await Promise.all(calls)) good(outcome)
}
for (let turn = 0; turn < 10; turn++) {
  globalThis.gc()
  await sleep(5)
}
await waitForInventory({ descriptors: before.descriptors, threads: 4 })

// A monitor that nobody holds goes on: its function still wants the events.
const namespace = good(await addon.createNamespace())
let seen = 0
let monitor = good(await namespace.openMonitor('route', [1], () => seen++))
const registry = new FinalizationRegistry(() => {})
registry.register(monitor, 'monitor')
monitor = undefined
globalThis.gc()
await sleep(5)
globalThis.gc()
const set = message('setLink', { index: 1, flags: 1, change: 1 })
good(await namespace.request(words(set)))
for (let turn = 0; seen === 0 && turn < 200; turn++) await sleep(5)
assert.ok(seen > 0)
process.exit(0) // that monitor keeps the event loop alive
