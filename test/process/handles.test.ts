import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Outcome } from '../../src/native/addon.js'
import { addon } from '../../src/native/load.js'
import { Packer } from '../../src/native/pack.js'
import { unpack } from '../../src/native/unpack.js'
import {
  cause,
  failures,
  generationRequest,
  good,
  inNamespace,
  rules,
  table,
  withSocket,
  words,
} from './support.js'

function generation(reply: ArrayBuffer): number {
  for (const message of unpack(reply)) {
    if (message.name === 'nftNewGeneration') return message.record.id ?? 0
  }
  throw new Error('no generation in the reply')
}

describe('calls of one handle', () => {
  test('run and settle in their order', () =>
    withSocket('netfilter', async (socket) => {
      const order: number[] = []
      const calls = Array.from({ length: 40 }, (_, index) => {
        // Each needs what the one before it made.
        const packer = new Packer()
        if (index > 0) packer.add('nftDelTable', 0, { family: 1, name: `t${index - 1}` })
        packer.add('nftNewTable', 0x600, { family: 1, name: `t${index}` })
        return socket.transaction(packer.words()).then((outcome) => {
          order.push(index)
          return outcome
        })
      })
      for (const outcome of await Promise.all(calls)) good(outcome)
      expect(order).toEqual(Array.from({ length: 40 }, (_, index) => index))
    }))

  test('do not wait for those of another', () =>
    inNamespace(async (namespace) => {
      const slow = good(await namespace.openSocket('netfilter'))
      const quick = good(await namespace.openSocket('route'))
      const order: string[] = []
      const long = slow.transaction(rules('t', 100_000)).then((outcome) => {
        order.push('long')
        good(outcome)
      })
      good(await quick.roundTrip())
      order.push('short')
      await long
      expect(order).toEqual(['short', 'long'])
      slow.close()
      quick.close()
    }))

  test('take their words before they return', () =>
    withSocket('netfilter', async (socket) => {
      const given = table('before').slice()
      const call = socket.transaction(given)
      given.fill(0xffffffff)
      good(await call)
      const names = [...unpack(good(await socket.dump(words('nftGetTable', {}))))].map((message) =>
        message.name === 'nftNewTable' ? message.record.name : message.name,
      )
      expect(names).toEqual(['before'])
    }))

  test('leave the JavaScript thread free', () =>
    withSocket('netfilter', async (socket) => {
      // A thread that is held has its next turn, or two, when all is done.
      let [turns, going] = [0, true]
      const call = socket.transaction(rules('t', 100_000)).finally(() => {
        going = false
      })
      for (; going; turns++) await nextTurn()
      good(await call)
      expect(turns).toBeGreaterThan(10)
    }))

  test('mix with synchronous ones, which wait for the running call only', () =>
    withSocket('netfilter', async (socket) => {
      const before = generation(good(socket.requestSync(generationRequest())))
      const batches = Array.from({ length: 12 }, (_, index) => rules(`t${index}`, 10_000).slice())
      const queued = batches.map((batch) => socket.transaction(batch))
      const between = generation(good(socket.requestSync(generationRequest())))
      good(socket.transactionSync(table('sync')))
      for (const outcome of await Promise.all(queued)) good(outcome)
      const after = generation(good(socket.requestSync(generationRequest())))
      expect(after - before).toBe(13)
      // Of twelve that wait it has not waited for all; how many are done meanwhile is the machine's affair.
      expect(between - before).toBeLessThan(12)
    }))

  test('give the same answer synchronously', () =>
    withSocket('netfilter', async (socket) => {
      good(socket.transactionSync(rules('t', 3)))
      const request = words('nftGetChain', { family: 1, table: 't', name: 'c' })
      const replies = [good(socket.requestSync(request)), good(await socket.request(request))]
      const [sync, async] = replies.map((reply) => [...unpack(reply)])
      expect(sync).toEqual(async)
      expect(sync).toMatchObject([{ name: 'nftNewChain', index: 0, record: { table: 't', name: 'c' } }])
    }))
})

describe('close', () => {
  test('lets the running call finish, and ends the others with `closed`', () =>
    inNamespace(async (namespace) => {
      // When close() comes, the first call may not have begun or be over already: some attempt finds it running.
      const seen: string[] = []
      const expected = 'done, closed, closed, closed'
      for (let attempt = 0; attempt < 100 && !seen.includes(expected); attempt++) {
        const socket = good(await namespace.openSocket('netfilter'))
        const batch = rules(`t${attempt}`, 20_000)
        const settled: [call: number, result: string][] = []
        const calls = [socket.transaction(batch), ...Array.from({ length: 3 }, () => socket.roundTrip())]
        const watched = calls.map(async (call, index) => {
          const outcome: Outcome<unknown> = await call
          settled.push([index, Array.isArray(outcome) ? cause(outcome).reason : 'done'])
        })
        await sleep((attempt % 20) / 4)
        socket.close()
        await Promise.all(watched)
        // In their order, and nothing is done after what was not.
        expect(settled.map(([index]) => index)).toEqual([0, 1, 2, 3])
        seen.push(settled.map(([, result]) => result).join(', '))
        expect(seen.at(-1)).toMatch(/^(done(, |$))*(closed(, |$))*$/)
      }
      expect(seen).toContain(expected)
    }))

  test('refuses every later call, and a second close does nothing', () =>
    inNamespace(async (namespace) => {
      const socket = good(await namespace.openSocket('netfilter'))
      socket.close()
      socket.close()
      const request = generationRequest()
      const outcomes = [
        await socket.request(request),
        await socket.dump(request),
        await socket.transaction(request),
        await socket.roundTrip(),
        socket.requestSync(request),
        socket.transactionSync(request),
      ]
      for (const outcome of outcomes) {
        expect(failures(outcome)).toHaveLength(1)
        expect(cause(outcome).reason).toBe('closed')
      }
    }))

  test('of a namespace ends its calls, and leaves its sockets and monitors open', async () => {
    const namespace = good(await addon.createNamespace())
    const { inode } = namespace
    const socket = good(await namespace.openSocket('netfilter'))
    const monitor = good(await namespace.openMonitor('netfilter', [7], () => {}))
    expect(namespace.fd).toBeGreaterThan(2)
    namespace.close()
    namespace.close()
    expect(namespace.fd).toBe(-1)
    expect(namespace.inode).toBe(inode)
    const outcomes = [
      await namespace.readSysctl('net.ipv4.ip_forward'),
      await namespace.writeSysctl('net.ipv4.ip_forward', '0'),
      await namespace.openSocket('route'),
      await namespace.request(words('getLink', {})),
      await namespace.openMonitor('route', [1], () => {}),
      namespace.enterThread(),
    ]
    for (const outcome of outcomes) expect(cause(outcome).reason).toBe('closed')
    good(await socket.transaction(table('t')))
    socket.close()
    monitor.close()
  })
})
