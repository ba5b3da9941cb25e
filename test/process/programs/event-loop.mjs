// What keeps the event loop alive. The argument names what is left open when the program ends.
import { addon, good, message, rules, words } from './addon.mjs'

const namespace = good(await addon.createNamespace())
const socket = good(await namespace.openSocket('netfilter'))

switch (process.argv[2]) {
  case 'idle': // handles alone do not
    break
  case 'call': // a call that is pending does, until it has settled
    socket.transaction(rules('t', 5000)).then((outcome) => console.log(good(outcome).byteLength))
    break
  case 'watch': // a monitor that does not hold it does not
    await namespace.openMonitor('netfilter', [7], () => console.log('an event'), {
      message: 'nftNewGeneration',
      exceptPort: 0,
      holds: false,
    })
    break
  case 'monitor': {
    // a monitor does while it is open
    const monitor = good(
      await namespace.openMonitor('netfilter', [7], (events) => {
        console.log(good(events).byteLength > 0)
        monitor.close()
      }),
    )
    setTimeout(
      () => socket.transactionSync(words(message('nftNewTable', { family: 1, name: 't' }, 0x400))),
      50,
    ).unref()
    break
  }
}
