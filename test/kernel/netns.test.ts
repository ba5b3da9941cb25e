import {
  chmodSync,
  closeSync,
  existsSync,
  lchownSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { NfbridgeError } from '../../src/errors.js'
import { Namespace } from '../../src/netns/index.js'
import { closeAfterEach } from '../support/namespaces.js'
import { ip, run, runIn } from '../support/tools.js'

const keep = closeAfterEach()

async function errorOf(work: () => unknown): Promise<NfbridgeError> {
  try {
    await work()
  } catch (error) {
    if (error instanceof NfbridgeError) return error
    throw error
  }
  throw new Error('it did not fail')
}

test('a new namespace is empty, another one than ours, and gone when its handle is closed', async () => {
  const namespace = keep(await Namespace.create())
  const ours = keep(Namespace.current())
  expect(namespace.inode).not.toBe(ours.inode)
  expect(ours.inode).toBe(BigInt(statSync('/proc/self/ns/net').ino))
  expect(namespace.inode).toBe(BigInt(statSync(namespace.path()).ino))
  expect((await ip(namespace, '-br', 'link')).trim().split('\n')).toHaveLength(1)
  const path = namespace.path()
  namespace.close()
  namespace.close()
  expect(() => statSync(path)).toThrow()
  expect((await errorOf(() => namespace.fd)).code).toBe('NFB_CLOSED')
  expect((await errorOf(() => namespace.path())).code).toBe('NFB_CLOSED')
  expect((await errorOf(() => namespace.readSysctl('net.ipv4.ip_forward'))).code).toBe('NFB_CLOSED')
})

test('a namespace is opened by path, by process, by descriptor and by another handle', async () => {
  const namespace = keep(await Namespace.create())
  const descriptor = openSync(namespace.path(), 'r')
  const other = keep(Namespace.open(namespace))
  const byPath = keep(Namespace.open(namespace.path()))
  const byDescriptor = keep(Namespace.open({ fd: descriptor }))
  closeSync(descriptor)
  expect(new Set([other.inode, byPath.inode, byDescriptor.inode])).toEqual(new Set([namespace.inode]))
  namespace.close()
  expect(await ip(other, '-br', 'link')).toContain('lo') // each handle is its own
  const ours = keep(Namespace.current())
  expect(keep(Namespace.open({ pid: process.pid })).inode).toBe(ours.inode)
})

test('what is no namespace is told so, with a remedy', async () => {
  const file = openSync('/etc/passwd', 'r')
  const sources = ['/etc/passwd', '/there/is/none', { pid: 999_999_999 }, { fd: 9999 }, { fd: file }]
  for (const source of sources) {
    const error = await errorOf(() => Namespace.open(source))
    expect(error).toMatchObject({ code: 'NFB_NAMESPACE_GONE', operation: 'netns.open', path: 'netns' })
    expect(error.message).toMatch(/is not a network namespace.*\/run\/netns/)
  }
  closeSync(file)
  const bad: unknown[] = ['', 'a\0b', { pid: -1 }, { pid: 1.5 }, { fd: -1 }, {}, null, undefined, 7]
  for (const source of bad) {
    const error = await errorOf(() => Reflect.apply(Namespace.open, Namespace, [source]))
    expect(error.code).toBe('NFB_INVALID_ARGUMENT')
  }
  // The namespace of users is a namespace, but none of networks.
  expect((await errorOf(() => Namespace.open('/proc/self/ns/user'))).code).toBe('NFB_NAMESPACE_GONE')
})

test('a namespace can be kept under a path, and taken away', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nfbridge-netns-'))
  const path = join(folder, 'kept')
  try {
    const namespace = await Namespace.create({ path })
    const inode = namespace.inode
    expect((await errorOf(() => Namespace.create({ path }))).code).toBe('NFB_EXISTS')
    namespace.close()
    const again = keep(Namespace.open(path))
    expect(again.inode).toBe(inode)
    again.close()
    await Namespace.unmount(path)
    expect(existsSync(path)).toBe(false)
    expect((await errorOf(() => Namespace.open(path))).code).toBe('NFB_NAMESPACE_GONE')
    expect((await errorOf(() => Namespace.unmount(path))).code).toBe('NFB_MISSING')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('a path is followed by no symbolic link that another user can have made', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nfbridge-netns-'))
  try {
    const namespace = keep(await Namespace.create())
    const [his, ours] = [join(folder, 'his'), join(folder, 'ours')]
    for (const link of [his, ours]) symlinkSync(namespace.path(), link)
    lchownSync(his, 12345, 12345)
    expect(await errorOf(() => Namespace.open(his))).toMatchObject({
      code: 'NFB_NOT_PERMITTED',
      path: 'netns',
      message: expect.stringContaining(his),
    })
    // (control) It leads to a namespace, and one of ours is followed.
    expect(BigInt(statSync(his).ino)).toBe(namespace.inode)
    expect(keep(Namespace.open(ours)).inode).toBe(namespace.inode)
    // One that he can have put in the place of ours.
    chmodSync(folder, 0o777)
    expect(await errorOf(() => Namespace.open(ours))).toMatchObject({ code: 'NFB_NOT_PERMITTED' })
    chmodSync(folder, 0o1777)
    expect(keep(Namespace.open(ours)).inode).toBe(namespace.inode)
    // Beyond a link to a directory of a process none is followed: they are of whoever has that directory.
    const root = `/proc/${process.pid}/root`
    expect((await errorOf(() => Namespace.open(`${root}${ours}`))).message).toContain('symbolic link')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('a thread is opened by its number as a process is', () => {
  for (const pid of readdirSync('/proc/self/task').map(Number))
    expect(keep(Namespace.open({ pid })).inode).toBe(BigInt(statSync(`/proc/self/task/${pid}/ns/net`).ino))
})

test('sysctls are those of the namespace', async () => {
  const namespace = keep(await Namespace.create())
  const ours = await run('cat', ['/proc/sys/net/ipv4/ip_forward'])
  const value = (await namespace.readSysctl('net.ipv4.ip_forward')) === '1' ? '0' : '1'
  await namespace.writeSysctl('net.ipv4.ip_forward', value)
  expect(await namespace.readSysctl('net/ipv4/ip_forward')).toBe(value)
  expect((await runIn(namespace, 'cat', ['/proc/sys/net/ipv4/ip_forward'])).trim()).toBe(value)
  expect(await run('cat', ['/proc/sys/net/ipv4/ip_forward'])).toEqual(ours)
  await ip(namespace, 'link', 'add', 'a.b', 'type', 'bridge')
  await namespace.writeSysctl('net/ipv4/conf/a.b/route_localnet', '1')
  expect(await namespace.readSysctl('net.ipv4.conf.a/b.route_localnet')).toBe('1') // as sysctl(8) has it
  expect(await namespace.readSysctl('net.ipv4.conf.lo.route_localnet')).toBe('0')
})

test('sysctls: what is missing, not taken, or no name', async () => {
  const namespace = keep(await Namespace.create())
  expect(await errorOf(() => namespace.readSysctl('net.ipv4.there_is_none'))).toMatchObject({
    code: 'NFB_MISSING',
    operation: 'netns.readSysctl',
  })
  expect((await errorOf(() => namespace.writeSysctl('net.ipv4.conf.nobody.forwarding', '1'))).code).toBe(
    'NFB_MISSING',
  )
  expect((await errorOf(() => namespace.writeSysctl('net.ipv4.ip_forward', 'maybe'))).code).toBe(
    'NFB_REJECTED',
  )
  for (const name of [
    '',
    'net',
    'net..ipv4',
    'kernel.hostname',
    '../../etc/passwd',
    'net/../../etc/passwd',
    'net.ipv4.',
  ]) {
    expect([name, (await errorOf(() => namespace.readSysctl(name))).code]).toEqual([name, 'NFB_INVALID_NAME'])
  }
})

test('the main thread does not move, a worker thread does', async () => {
  const namespace = keep(await Namespace.create())
  // The tests' own thread is the main thread of its process.
  expect(await errorOf(() => namespace.enterWorkerThread())).toMatchObject({ code: 'NFB_INVALID_ARGUMENT' })
  const source = `
    const { parentPort, workerData } = require('node:worker_threads')
    const addon = require('node-gyp-build')(workerData.root)
    const handle = addon.openNamespace(workerData.path)
    const failure = handle.enterThread()
    handle.close()
    parentPort.postMessage([failure, require('node:fs').readlinkSync('/proc/thread-self/ns/net')])`
  const root = new URL('../..', import.meta.url).pathname
  const worker = new Worker(source, { eval: true, workerData: { path: namespace.path(), root } })
  const message = await new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
  await worker.terminate()
  expect(message).toEqual([undefined, `net:[${namespace.inode}]`])
  expect(keep(Namespace.current()).inode).not.toBe(namespace.inode)
})

test('handles leave no descriptors behind', async () => {
  const count = (): number => readdirSync('/proc/self/fd').length
  for (let round = 0; round < 3; round++) (await Namespace.create()).close()
  const before = count()
  for (let round = 0; round < 50; round++) {
    const namespace = await Namespace.create()
    const again = Namespace.open(namespace)
    await again.readSysctl('net.ipv4.ip_forward')
    again.close()
    namespace.close()
  }
  // They are released on a thread of the addon, which may have a few of its own; a leak would be fifty or more.
  await expect.poll(() => count() - before).toBeLessThan(10)
})

test('a file of /proc/net is read as the namespace has it; what is not there is undefined, and no path leads out', async () => {
  const namespace = keep(await Namespace.create())
  await ip(namespace, 'link', 'add', 'only-here', 'type', 'bridge')
  expect(await namespace.readProcNet('dev')).toContain('only-here:')
  expect(await namespace.readProcNet('no_such_file')).toBeUndefined()
  for (const name of ['../mounts', 'stat/nf_conntrack', ''])
    expect((await errorOf(() => namespace.readProcNet(name))).code, name).toBe('NFB_INTERNAL')
})
