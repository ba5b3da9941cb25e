// A worker thread moves into a namespace; the main thread and the addon's threads stay where they are.
import assert from 'node:assert/strict'
import { readdirSync, readlinkSync, statSync } from 'node:fs'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { addon, good, message, rules, words } from './addon.mjs'

const inode = (path) => statSync(path, { bigint: true }).ino

if (isMainThread) {
  const own = readlinkSync('/proc/self/ns/net')
  const namespace = good(await addon.createNamespace())
  const [refused] = namespace.enterThread()
  assert.deepEqual([refused.reason, refused.errno], ['system', 22])

  const worker = new Worker(new URL(import.meta.url), {
    workerData: `/proc/${process.pid}/fd/${namespace.fd}`,
  })
  const seen = await new Promise((resolve, reject) => worker.once('error', reject).once('message', resolve))
  assert.deepEqual(seen, { current: namespace.inode, handle: namespace.inode, left: 1, sockets: true })
  await new Promise((resolve) => worker.once('exit', resolve))

  // A visit ends where it began.
  good(await namespace.readSysctl('net.ipv4.ip_forward'))
  for (const task of readdirSync('/proc/self/task'))
    assert.equal(readlinkSync(`/proc/self/task/${task}/ns/net`), own)
  namespace.close()
  const [closed] = namespace.enterThread()
  assert.equal(closed.reason, 'closed')
} else {
  const handle = good(addon.openNamespace(workerData))
  assert.equal(handle.enterThread(), undefined)
  // The addon's threads of this environment begin here, and reach other namespaces all the same.
  const other = good(await addon.createNamespace())
  const socket = good(await other.openSocket('netfilter'))
  good(await socket.transaction(rules('t', 1)))
  const here = good(await handle.openSocket('netfilter'))
  const sockets = good(await here.dump(words(message('nftGetTable')))).byteLength === 0
  parentPort.postMessage({
    current: inode('/proc/thread-self/ns/net'),
    handle: good(addon.openNamespace('/proc/thread-self/ns/net')).inode,
    left: good(await socket.dump(words(message('nftGetTable')))).byteLength > 0 ? 1 : 0,
    sockets,
  })
}
