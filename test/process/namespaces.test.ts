import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { addon } from '../../src/native/load.js'
import { unpack } from '../../src/native/unpack.js'
import { run } from '../support/tools.js'
import { cause, good, inNamespace, words } from './support.js'

const { EBADF, EEXIST, EINVAL, ENOENT } = constants.errno

const folder = mkdtempSync(join(tmpdir(), 'nfbridge-namespaces-'))
afterAll(() => rmSync(folder, { recursive: true }))

const inode = (path: string): bigint => statSync(path, { bigint: true }).ino

describe('opening', () => {
  test('a path, a process and a descriptor give the same namespace', () =>
    inNamespace(async (namespace) => {
      const path = `/proc/${process.pid}/fd/${namespace.fd}`
      const byPath = good(addon.openNamespace(path))
      const descriptor = openSync(path, 'r')
      const byDescriptor = good(addon.openNamespaceFd(descriptor))
      closeSync(descriptor) // it was duplicated
      expect(byPath.inode).toBe(namespace.inode)
      expect(byDescriptor.inode).toBe(namespace.inode)
      expect(inode(`/proc/self/fd/${byDescriptor.fd}`)).toBe(namespace.inode)
      expect(namespace.inode).not.toBe(inode('/proc/self/ns/net'))
      byPath.close()
      byDescriptor.close()
    }))

  test('what is no network namespace is refused, and nothing hangs', async () => {
    const fifo = join(folder, 'fifo')
    await run('mkfifo', [fifo])
    const file = join(folder, 'file')
    writeFileSync(file, '')
    for (const path of [fifo, file, folder, '/proc/self/ns/mnt', '/proc/self/ns/user', '/dev/null'])
      expect(cause(addon.openNamespace(path)), path).toMatchObject({ reason: 'system', errno: EINVAL })
    for (const path of [join(folder, 'missing'), ''])
      expect(cause(addon.openNamespace(path))).toMatchObject({
        reason: 'system',
        errno: ENOENT,
        call: 'open',
      })
    expect(cause(addon.openNamespaceFd(0))).toMatchObject({ errno: EINVAL })
    expect(cause(addon.openNamespaceFd(1_000_000))).toMatchObject({ errno: EBADF })
  })
})

describe('a namespace under a path', () => {
  test('is there for others, outlives its handle, and goes when it is unmounted', async () => {
    const path = join(folder, 'new', 'web')
    const made = good(await addon.createNamespace(path))
    expect(inode(path)).toBe(made.inode)
    const shown = await run('nsenter', [`--net=${path}`, 'ip', '-o', 'link'])
    expect(shown.stdout).toMatch(/^1: lo:/)
    made.close()
    const again = good(addon.openNamespace(path))
    expect(again.inode).toBe(made.inode)
    again.close()
    expect(await addon.unmountNamespace(path)).toBeUndefined()
    expect(existsSync(path)).toBe(false)
    expect(cause(await addon.unmountNamespace(path))).toMatchObject({ errno: ENOENT })
  })

  test('never takes the place of anything else', async () => {
    const path = join(folder, 'taken')
    const made = good(await addon.createNamespace(path))
    expect(cause(await addon.createNamespace(path))).toMatchObject({ errno: EEXIST })
    const file = join(folder, 'letter')
    writeFileSync(file, 'text')
    expect(cause(await addon.createNamespace(file))).toMatchObject({ errno: EEXIST })
    expect(cause(await addon.createNamespace(folder)).reason).toBe('system')
    expect(cause(await addon.createNamespace(join(folder, 'no', 'such', 'folder')))).toMatchObject({
      errno: ENOENT,
    })
    expect(readFileSync(file, 'utf8')).toBe('text')
    expect(inode(path)).toBe(made.inode)
    made.close()
    good(await addon.unmountNamespace(path))
  })

  test('takes over the empty file of a process that was killed on its way', async () => {
    const path = join(folder, 'left')
    writeFileSync(path, '')
    good(await addon.createNamespace(path)).close()
    good(await addon.unmountNamespace(path))
  })

  test('is made by one of many that want the same path', async () => {
    const path = join(folder, 'wanted')
    const outcomes = await Promise.all(Array.from({ length: 12 }, () => addon.createNamespace(path)))
    const made = outcomes.filter((outcome) => 'inode' in outcome)
    expect(made).toHaveLength(1)
    for (const outcome of outcomes) {
      if ('inode' in outcome) {
        expect(inode(path)).toBe(outcome.inode)
        outcome.close()
      } else expect(cause(outcome)).toMatchObject({ errno: EEXIST })
    }
    good(await addon.unmountNamespace(path))
    expect(existsSync(path)).toBe(false)
  })

  test('unmounting touches nothing but network namespaces', async () => {
    const file = join(folder, 'kept')
    writeFileSync(file, 'text')
    for (const path of [file, folder, '/proc', '/proc/self/ns/mnt'])
      expect(cause(await addon.unmountNamespace(path)), path).toMatchObject({ errno: EINVAL })
    expect(cause(await addon.unmountNamespace('/proc/self/ns/net')).call).toBe('umount2')
    expect(readFileSync(file, 'utf8')).toBe('text')
  })
})

describe('sysctls', () => {
  test('are those of the namespace', () =>
    inNamespace(async (namespace) => {
      const own = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
      expect(good(await namespace.readSysctl('net.ipv4.ip_local_port_range'))).toMatch(/^\d+\t\d+$/)
      good(await namespace.writeSysctl('net/ipv4/ip_local_port_range', '40000 40100'))
      expect(good(await namespace.readSysctl('net.ipv4.ip_local_port_range'))).toBe('40000\t40100')
      expect(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')).toBe(own)
    }))

  test('of interfaces with a dot in their names are written as sysctl(8) does', () =>
    inNamespace(async (namespace) => {
      const link = words('newLink', { ifname: 'v.7', linkinfo: { kind: 'bridge' } }, 0x600)
      good(await namespace.request(link))
      good(await namespace.writeSysctl('net.ipv4.conf.v/7.forwarding', '1'))
      expect(good(await namespace.readSysctl('net/ipv4/conf/v.7/forwarding'))).toBe('1')
    }))

  test('outside of net are out of reach', () =>
    inNamespace(async (namespace) => {
      for (const name of [
        'kernel.hostname',
        'net',
        'net.',
        'net/',
        '/net/ipv4/ip_forward',
        'net/../kernel/hostname',
        'net/./ipv4/ip_forward',
        'net//ipv4/ip_forward',
        'net.ipv4..ip_forward',
        'net.//.kernel.hostname',
        '../net/ipv4/ip_forward',
        '',
      ]) {
        expect(cause(await namespace.readSysctl(name)), name).toMatchObject({ reason: 'malformed' })
        expect(cause(await namespace.writeSysctl(name, '1')), name).toMatchObject({ reason: 'malformed' })
      }
      expect(cause(await namespace.readSysctl('net.ipv4.no_such_thing'))).toMatchObject({
        reason: 'system',
        errno: ENOENT,
      })
      expect(cause(await namespace.writeSysctl('net.ipv4.ip_forward', 'nonsense'))).toMatchObject({
        reason: 'system',
        call: 'write',
        errno: EINVAL,
      })
    }))
})

test('the one-shot request speaks rtnetlink in the namespace', () =>
  inNamespace(async (namespace) => {
    good(await namespace.request(words('newLink', { ifname: 'b0', linkinfo: { kind: 'bridge' } }, 0x600)))
    const [link] = unpack(good(await namespace.request(words('getLink', { ifname: 'b0' }))))
    expect(link).toMatchObject({ name: 'newLink', record: { ifname: 'b0' } })
    expect(cause(await namespace.request(words('getLink', { ifname: 'b1' })))).toMatchObject({
      reason: 'kernel',
    })
  }))
