// A thousand handles of each kind are opened and closed: no descriptor and no thread is left.
import { addon, good, inventory, ports, rules, waitForInventory } from './addon.mjs'

const namespace = good(await addon.createNamespace())
const before = inventory()
for (let round = 0; round < 50; round++) {
  const sockets = await Promise.all(
    Array.from({ length: 20 }, (_, index) => namespace.openSocket(index % 2 ? 'route' : 'netfilter')),
  )
  // Closing an nf_tables socket after this waits for the kernel.
  good(sockets[0]).transactionSync(rules(`t${round}`, 10))
  for (const socket of sockets) {
    good(socket).close()
    socket.close()
  }
  const monitors = await Promise.all(
    Array.from({ length: 20 }, () => namespace.openMonitor('route', [1, 5, 7], () => {})),
  )
  for (const monitor of monitors) {
    good(monitor).close()
    monitor.close()
  }
  for (let index = 0; index < 20; index++) {
    const reservations = good(namespace.openReservations())
    const taken = ports(10_000 + index * 10, 10)
    // Those of the round before may be closed a little later than asked for: then these are refused, whole.
    await reservations.reserve(taken)
    if (index % 2) good(await reservations.release(taken.subarray(0, 35)))
    reservations.close()
    reservations.close()
    const opened = good(addon.openNamespace(`/proc/self/fd/${namespace.fd}`))
    good(addon.openNamespaceFd(opened.fd)).close()
    opened.close()
    opened.close()
  }
}
const created = await Promise.all(Array.from({ length: 40 }, () => addon.createNamespace()))
for (const one of created) good(one).close()
await waitForInventory({ descriptors: before.descriptors, threads: 4 })
