import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Failure, NamespaceHandle, Outcome } from '../../src/native/addon.js'
import { MessageFlag, Packer } from '../../src/native/pack.js'
import { type ReplyMessage, unpack } from '../../src/native/unpack.js'
import { cause, good, inNamespace, table, words } from './support.js'

/** linux/rtnetlink.h: RTNLGRP_LINK. linux/netfilter/nfnetlink.h: NFNLGRP_NFTABLES. */
const LINK_GROUP = 1
const NFTABLES_GROUP = 7
const UP = 1

type Seen = ReplyMessage | Failure

function seenIn(events: Outcome<ArrayBuffer>): readonly Seen[] {
  return events instanceof ArrayBuffer ? [...unpack(events)] : events
}

async function until(condition: () => boolean): Promise<void> {
  for (const end = performance.now() + 60_000; !condition(); await sleep(2))
    if (performance.now() > end) throw new Error('nothing came within 60 s')
}

/** Changes a link's alias: one event each. */
function names(count: number, from = 0): Uint32Array {
  const packer = new Packer()
  for (let index = from; index < from + count; index++)
    packer.add('setLink', 0, { index: 2, ifalias: `alias ${index}` })
  return packer.words()
}

async function addBridge(namespace: NamespaceHandle): Promise<void> {
  const packer = new Packer()
  packer.add('newLink', MessageFlag.create | MessageFlag.exclusive, {
    index: 2,
    flags: UP, // the kernel tells of an alias only then
    change: UP,
    ifname: 'b0',
    linkinfo: { kind: 'bridge' },
  })
  good(await namespace.request(packer.words()))
}

const aliases = (seen: readonly Seen[]): string[] =>
  seen.flatMap((one) => ('name' in one && one.name === 'newLink' ? [one.record.ifalias ?? ''] : []))

describe('a monitor', () => {
  test('brings events in their order, each once', () =>
    inNamespace(async (namespace) => {
      await addBridge(namespace)
      const seen: Seen[] = []
      const monitor = good(
        await namespace.openMonitor('route', [LINK_GROUP], (events) => seen.push(...seenIn(events))),
      )
      for (let round = 0; round < 10; round++) good(await namespace.request(names(100, round * 100)))
      await until(() => seen.length >= 1000)
      monitor.close()
      expect(aliases(seen)).toEqual(Array.from({ length: 1000 }, (_, index) => `alias ${index}`))
      expect(seen.every((one) => 'name' in one && one.index === 0)).toBe(true)
    }))

  test('of nf_tables sees what a transaction does, and its generation', () =>
    inNamespace(async (namespace) => {
      const seen: Seen[] = []
      const monitor = good(
        await namespace.openMonitor('netfilter', [NFTABLES_GROUP], (events) => seen.push(...seenIn(events))),
      )
      const socket = good(await namespace.openSocket('netfilter'))
      good(socket.transactionSync(table('t')))
      await until(() => seen.length >= 2)
      expect(seen).toMatchObject([
        { name: 'nftNewTable', record: { name: 't' } },
        { name: 'nftNewGeneration' },
      ])
      socket.close()
      monitor.close()
    }))

  test('brings messages of one name alone, and not what one socket caused', () =>
    inNamespace(async (namespace) => {
      const mine = good(await namespace.openSocket('netfilter'))
      const other = good(await namespace.openSocket('netfilter'))
      const seen: Seen[] = []
      const options = { message: 'nftNewGeneration', exceptPort: mine.port, holds: true }
      const monitor = good(
        await namespace.openMonitor(
          'netfilter',
          [NFTABLES_GROUP],
          (events) => seen.push(...seenIn(events)),
          options,
        ),
      )
      for (const name of ['a', 'b', 'c']) good(mine.transactionSync(table(name)))
      good(other.transactionSync(table('d')))
      good(mine.transactionSync(table('e')))
      good(other.transactionSync(table('f')))
      await until(() => seen.length >= 2)
      expect(seen).toMatchObject([
        { name: 'nftNewGeneration', record: { id: 5 } },
        { name: 'nftNewGeneration', record: { id: 7 } },
      ])
      for (const socket of [mine, other]) socket.close()
      expect(mine.port).toBe(0)
      monitor.close()
    }))

  test('says nothing after it was closed, not even what had come', () =>
    inNamespace(async (namespace) => {
      await addBridge(namespace)
      let calls = 0
      const monitor = good(
        await namespace.openMonitor('route', [LINK_GROUP], () => {
          calls++
          monitor.close()
        }),
      )
      const socket = good(await namespace.openSocket('route'))
      // The JavaScript thread is held until all of them have come.
      for (let round = 0; round < 50; round++) good(socket.requestSync(names(20, round * 20)))
      await until(() => calls > 0)
      good(await socket.request(names(50)))
      await sleep(50)
      expect(calls).toBe(1)
      monitor.close()
      socket.close()
    }))

  test('says that events were lost where they were, and goes on', () =>
    inNamespace(async (namespace) => {
      await addBridge(namespace)
      const socket = good(await namespace.openSocket('route'))
      const seen: Seen[] = []
      const monitor = good(
        await namespace.openMonitor('route', [LINK_GROUP], (events) => seen.push(...seenIn(events))),
      )
      // Held, the thread takes nothing: what the addon keeps for it fills, then the kernel's buffer.
      let sent = 0
      for (; sent < 120_000; sent += 5000) good(socket.requestSync(names(5000, sent)))
      await until(() => seen.some((one) => 'reason' in one))
      good(socket.requestSync(names(1, sent)))
      await until(() => aliases(seen).includes(`alias ${sent}`))
      monitor.close()
      socket.close()
      const lost = seen.findIndex((one) => 'reason' in one)
      expect(seen[lost]).toMatchObject({ reason: 'overflow', call: 'recvmsg' })
      const before = aliases(seen.slice(0, lost))
      // The kernel's buffer alone has room for some hundreds.
      expect(before.length).toBeGreaterThan(100)
      expect(before).toEqual(Array.from({ length: before.length }, (_, index) => `alias ${index}`))
      expect(aliases(seen).length).toBeLessThan(sent)
    }))

  test('of a group that does not exist is refused', () =>
    inNamespace(async (namespace) => {
      const outcome = await namespace.openMonitor('route', [4711], () => {})
      expect(cause(outcome)).toMatchObject({ reason: 'system', call: 'setsockopt NETLINK_ADD_MEMBERSHIP' })
    }))

  test('whose function throws raises an uncaught exception and brings the next events', () =>
    inNamespace(async (namespace) => {
      await addBridge(namespace)
      const listeners = process.listeners('uncaughtException')
      process.removeAllListeners('uncaughtException')
      const uncaught: unknown[] = []
      process.on('uncaughtException', (error) => uncaught.push(error))
      try {
        let calls = 0
        const monitor = good(
          await namespace.openMonitor('route', [LINK_GROUP], () => {
            calls++
            throw new RangeError(`call ${calls}`)
          }),
        )
        for (let round = 1; round <= 3; round++) {
          good(
            await namespace.request(
              words('setLink', { index: 2, change: UP, flags: round % 2 === 0 ? UP : 0 }),
            ),
          )
          await until(() => calls >= round)
        }
        await until(() => uncaught.length >= calls)
        monitor.close()
        expect(uncaught[0]).toEqual(new RangeError('call 1'))
      } finally {
        process.removeAllListeners('uncaughtException')
        for (const listener of listeners) process.on('uncaughtException', listener)
      }
    }))
})
