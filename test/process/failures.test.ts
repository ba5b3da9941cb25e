import { constants } from 'node:os'
import { describe, expect, test } from 'vitest'
import { MessageFlag, Packer } from '../../src/native/pack.js'
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

const { EEXIST, EINVAL, EMSGSIZE, ENOBUFS, ENODEV, ENOENT } = constants.errno
const ERESTART = 85
const INET = 1

describe('a request', () => {
  test('of several messages: replies and errors carry their indices', () =>
    withSocket('route', async (socket) => {
      const packer = new Packer()
      packer.add('getLink', 0, { index: 4711 })
      packer.add('getLink', 0, { index: 1 })
      packer.add('getLink', 0, { ifname: 'missing' })
      packer.add('getLink', 0, { ifname: 'lo' })
      expect(failures(await socket.request(packer.words()))).toMatchObject([
        { reason: 'kernel', errno: ENODEV, index: 0 },
        { reason: 'kernel', errno: ENODEV, index: 2 },
      ])
      packer.reset()
      packer.add('getLink', 0, { ifname: 'lo' })
      packer.add('getLink', 0, { index: 1 })
      const replies = [...unpack(good(await socket.request(packer.words())))]
      expect(replies).toMatchObject([
        { name: 'newLink', index: 0, record: { ifname: 'lo' } },
        { name: 'newLink', index: 1, record: { index: 1 } },
      ])
    }))

  test('tells the path of what the kernel refuses', () =>
    withSocket('route', async (socket) => {
      const outcome = await socket.request(words('setLink', { index: 1, mtu: 4 }))
      good(outcome) // lo takes any MTU: the kernel is the judge
      const packer = new Packer()
      packer.add('setLink', 0, { index: 1 })
      packer.add('newLink', MessageFlag.create, { linkinfo: { kind: 'nothing-of-the-kind' } })
      expect(cause(await socket.request(packer.words()))).toMatchObject({
        reason: 'kernel',
        errno: 95,
        index: 1,
        message: 'Unknown device type',
      })
    }))

  test('without a message does nothing', () =>
    withSocket('route', async (socket) => {
      expect(good(await socket.request(new Uint32Array())).byteLength).toBe(0)
      expect(good(socket.requestSync(new Uint32Array())).byteLength).toBe(0)
    }))

  test('whose answers do not fit says so after the first error', () =>
    withSocket('route', async (socket) => {
      const packer = new Packer()
      packer.add('getLink', 0, { index: 4711 })
      for (let count = 0; count < 60_000; count++) packer.add('getLink', 0, { index: 1 })
      const all = failures(await socket.request(packer.words()))
      expect(all[0]).toMatchObject({ reason: 'kernel', errno: ENODEV, index: 0 })
      expect(all.at(-1)).toMatchObject({ reason: 'overflow', errno: ENOBUFS, index: -1 })
      // The socket is as good as new.
      expect([...unpack(good(await socket.request(words('getLink', { index: 1 }))))]).toHaveLength(1)
    }))

  test('that is longer than the send buffer is refused before it is sent', () =>
    withSocket('route', async (socket) => {
      const packer = new Packer()
      const ifalias = 'a'.repeat(250)
      // More than twice the 64 MiB that are asked for, and that the kernel doubles.
      for (let count = 0; count < 500_000; count++) packer.add('setLink', 0, { index: 1, ifalias })
      expect(cause(await socket.request(packer.words()))).toMatchObject({
        reason: 'too-large',
        errno: EMSGSIZE,
        call: 'sendmsg',
        index: -1,
      })
      const [lo] = unpack(good(await socket.request(words('getLink', { index: 1 }))))
      expect(lo).toMatchObject({ name: 'newLink', record: { ifname: 'lo' } })
      expect(lo?.name === 'newLink' ? lo.record.ifalias : '').toBeUndefined()
    }))
})

describe('a transaction', () => {
  test('that fails leaves nothing, and its first failure is the cause', () =>
    withSocket('netfilter', async (socket) => {
      const packer = new Packer()
      packer.add('nftNewTable', MessageFlag.create, { family: INET, name: 't' })
      packer.add('nftNewRule', MessageFlag.create, { family: INET, table: 't', chain: 'missing' })
      packer.add('nftNewRule', MessageFlag.create, { family: INET, table: 'other', chain: 'c' })
      expect(failures(await socket.transaction(packer.words()))).toMatchObject([
        { reason: 'kernel', errno: ENOENT, index: 1, path: 'chain' },
        { reason: 'kernel', errno: ENOENT, index: 2, path: 'table' },
      ])
      expect(failures(socket.transactionSync(packer.words()))).toHaveLength(2)
      expect(good(await socket.dump(words('nftGetTable', {}))).byteLength).toBe(0)
    }))

  test('names the property of an expression', () =>
    withSocket('netfilter', async (socket) => {
      good(socket.transactionSync(rules('t', 0)))
      const rule = words(
        'nftNewRule',
        {
          family: INET,
          table: 't',
          chain: 'c',
          expressions: [
            { name: 'counter', data: {} },
            { name: 'lookup', data: { set: 'missing', sreg: 8 } },
          ],
        },
        MessageFlag.create,
      )
      expect(cause(await socket.transaction(rule))).toMatchObject({ errno: ENOENT, index: 0 })
      expect(cause(await socket.transaction(rule)).path).toMatch(/^expressions\[1\]/)
    }))

  test('of a generation that is over is refused', () =>
    withSocket('netfilter', async (socket) => {
      const [reply] = unpack(good(await socket.request(generationRequest())))
      const generation = reply?.name === 'nftNewGeneration' ? reply.record.id : undefined
      good(await socket.transaction(table('one'), { generation }))
      for (const outcome of [
        await socket.transaction(table('two'), { generation }),
        socket.transactionSync(table('two'), { generation }),
      ])
        expect(failures(outcome)).toMatchObject([{ reason: 'kernel', errno: ERESTART, index: -1 }])
      good(await socket.transaction(table('two'), { generation: undefined }))
      expect([...unpack(good(await socket.dump(words('nftGetTable', {}))))]).toHaveLength(2)
    }))

  test('brings back what asked for its echo', () =>
    withSocket('netfilter', async (socket) => {
      const packer = new Packer()
      packer.add('nftNewTable', MessageFlag.create, { family: INET, name: 't' })
      packer.add('nftNewChain', MessageFlag.create, { family: INET, table: 't', name: 'c' })
      for (const flags of [0, MessageFlag.echo, 0, MessageFlag.echo])
        packer.add('nftNewRule', MessageFlag.create | MessageFlag.append | flags, {
          family: INET,
          table: 't',
          chain: 'c',
        })
      const echoes = [...unpack(good(await socket.transaction(packer.words())))]
      expect(echoes).toMatchObject([
        { name: 'nftNewRule', index: 3, record: { handle: expect.any(BigInt) } },
        { name: 'nftNewRule', index: 5, record: { handle: expect.any(BigInt) } },
      ])
    }))

  test('with exclusive creation of what exists is refused', () =>
    withSocket('netfilter', async (socket) => {
      good(await socket.transaction(table('t')))
      const again = words(
        'nftNewTable',
        { family: INET, name: 't' },
        MessageFlag.create | MessageFlag.exclusive,
      )
      expect(failures(await socket.transaction(again))).toMatchObject([{ errno: EEXIST, index: 0 }])
    }))
})

describe('a dump', () => {
  test('ends with the kernel’s error', () =>
    withSocket('netfilter', async (socket) => {
      const outcome = await socket.dump(words('nftGetElement', { family: INET, table: 't', set: 's' }))
      expect(failures(outcome)).toMatchObject([{ reason: 'kernel', errno: ENOENT }])
      expect(good(await socket.dump(words('nftGetTable', {}))).byteLength).toBe(0)
    }))

  test('is complete, or `inconsistent` when what it lists changes each time', () =>
    inNamespace(async (namespace) => {
      const [reader, writer] = [
        good(await namespace.openSocket('netfilter')),
        good(await namespace.openSocket('netfilter')),
      ]
      const count = 50_000
      good(await writer.transaction(rules('t', count)))
      good(await writer.transaction(rules('busy', 0)))
      const request = words('nftGetRule', { family: INET, table: 't' })
      // A change is what moves the generation on: a batch that changes nothing does not.
      const change = words(
        'nftNewRule',
        { family: INET, table: 'busy', chain: 'c' },
        MessageFlag.create | MessageFlag.append,
      )
      const expectComplete = (reply: ArrayBuffer): void => {
        let rule = 0
        for (const _ of unpack(reply)) rule++
        expect(rule).toBe(count)
      }
      let inconsistent = 0
      // On a busy machine the writer may rest for as long as a dump takes: then that one is complete.
      for (let attempt = 0; attempt < 20 && inconsistent === 0; attempt++) {
        let listed = false
        const listing = reader.dump(request).finally(() => {
          listed = true
        })
        while (!listed) good(await writer.transaction(change))
        const outcome = await listing
        if (outcome instanceof ArrayBuffer) expectComplete(outcome)
        else {
          expect(outcome).toMatchObject([{ reason: 'inconsistent', call: 'dump' }])
          inconsistent++
        }
      }
      expect(inconsistent).toBe(1)
      expectComplete(good(await reader.dump(request)))
      reader.close()
      writer.close()
    }))

  test('takes exactly one message', () =>
    withSocket('route', async (socket) => {
      const packer = new Packer()
      packer.add('getLink', 0, {})
      packer.add('getLink', 0, {})
      expect(cause(await socket.dump(packer.words())).reason).toBe('malformed')
      expect(cause(await socket.dump(new Uint32Array())).reason).toBe('malformed')
    }))

  test('of what is no dump does not hang', () =>
    withSocket('route', async (socket) => {
      failures(await socket.dump(words('delLink', { ifname: 'missing' })))
    }))
})

test('a socket refuses messages of the other protocol, and a route socket has no transactions', () =>
  inNamespace(async (namespace) => {
    const route = good(await namespace.openSocket('route'))
    const netfilter = good(await namespace.openSocket('netfilter'))
    const packer = new Packer()
    packer.add('getLink', 0, {})
    packer.add('nftGetTable', 0, {})
    expect(cause(await route.request(packer.words()))).toMatchObject({
      reason: 'malformed',
      index: 1,
      errno: EINVAL,
    })
    expect(cause(await netfilter.request(packer.words()))).toMatchObject({ reason: 'malformed', index: 0 })
    expect(cause(await netfilter.transaction(packer.words()))).toMatchObject({
      reason: 'malformed',
      index: 0,
    })
    expect(cause(await route.transaction(words('getLink', {})))).toMatchObject({ reason: 'malformed' })
    route.close()
    netfilter.close()
  }))
