// In a user namespace that does not own the process's network namespace no thread can come back from another one: such
// visits are made by threads that end.
import assert from 'node:assert/strict'
import { readdirSync, readlinkSync } from 'node:fs'
import { addon, good, inventory, message, rules, waitForInventory, words } from './addon.mjs'

const own = readlinkSync('/proc/self/ns/net')
const before = inventory()
for (let round = 0; round < 20; round++) {
  const namespace = good(await addon.createNamespace())
  assert.notEqual(`net:[${namespace.inode}]`, own)
  const [netfilter, route] = await Promise.all([
    namespace.openSocket('netfilter'),
    namespace.openSocket('route'),
  ])
  good(await good(netfilter).transaction(rules('t', 20)))
  good(await good(route).dump(words(message('getLink'))))
  good(await namespace.writeSysctl('net.ipv4.ip_forward', '1'))
  assert.equal(good(await namespace.readSysctl('net.ipv4.ip_forward')), '1')
  good(netfilter).close()
  good(route).close()
  namespace.close()
  for (const task of readdirSync('/proc/self/task'))
    assert.equal(readlinkSync(`/proc/self/task/${task}/ns/net`), own)
}
// The own namespace needs no right to enter any.
const here = good(addon.openNamespace('/proc/self/ns/net'))
const route = good(await here.openSocket('route'))
good(await route.dump(words(message('getLink'))))
route.close()
here.close()
await waitForInventory({ descriptors: before.descriptors, threads: 4 })
