import { expect, test } from 'vitest'
import { addon } from '../../src/native/load.js'
import { unpack } from '../../src/native/unpack.js'
import { cause, good, inNamespace, randomNumbers, words } from './support.js'

/** Reads all records of a reply; the number of messages. */
function readAll(reply: ArrayBuffer): number {
  let count = 0
  for (const message of unpack(reply)) {
    JSON.stringify(message, (_, value) => (typeof value === 'bigint' ? Number(value) : value))
    count++
  }
  return count
}

test('10,000 garbage messages are decoded or refused, and what is decoded can be read', () => {
  const random = randomNumbers(7)
  const next = (): number => random.next().value
  let refused = 0
  for (let round = 0; round < 10_000; round++) {
    const bytes = Uint8Array.from({ length: next() % 200 }, () => next() & 0xff)
    const view = new DataView(bytes.buffer)
    if (bytes.length >= 16 && round % 4 !== 0) {
      view.setUint32(0, bytes.length, true)
      // Types that the tables know: rtnetlink's, nf_tables', conntrack's.
      view.setUint16(
        4,
        [16 + (next() % 100), 0x0a00 + (next() % 32), 0x0100 + (next() % 4)][next() % 3] ?? 0,
        true,
      )
      // A sensible length of the first attribute, so that the noise goes deeper.
      if (bytes.length >= 24) view.setUint16(20, 4 + (next() % (bytes.length - 20)), true)
    }
    const outcome = addon.decode(next() % 2 === 0 ? 'route' : 'netfilter', bytes)
    if (outcome instanceof ArrayBuffer) readAll(outcome)
    else {
      refused++
      expect(cause(outcome)).toMatchObject({ reason: 'malformed', call: 'decode' })
    }
  }
  expect(refused).toBeGreaterThan(1000)
  expect(refused).toBeLessThan(9000)
})

test('a message of the kernel with any byte changed is decoded or refused', () =>
  inNamespace(async (namespace) => {
    const socket = good(await namespace.openSocket('route'))
    const [link] = unpack(good(await socket.request(words('getLink', { index: 1 }))))
    socket.close()
    if (link?.name !== 'newLink') throw new Error('no link')
    const bytes = new Uint8Array(good(addon.encode(words('newLink', link.record))))
    expect(readAll(good(addon.decode('route', bytes)))).toBe(1)
    for (let offset = 0; offset < bytes.length; offset++)
      for (const value of [0x00, 0x01, 0x7f, 0xff]) {
        const changed = bytes.slice()
        changed[offset] = value
        const outcome = addon.decode('route', changed)
        if (outcome instanceof ArrayBuffer) readAll(outcome)
        else expect(cause(outcome).reason).toBe('malformed')
      }
    for (let length = 1; length < bytes.length; length++)
      expect(cause(addon.decode('route', bytes.slice(0, length))).reason).toBe('malformed')
  }))

test('several messages follow each other', () => {
  const one = new Uint8Array(good(addon.encode(words('getLink', { index: 7 }))))
  const two = new Uint8Array([...one, ...one])
  expect([...unpack(good(addon.decode('route', two)))]).toMatchObject([
    { name: 'getLink', record: { index: 7 } },
    { name: 'getLink', record: { index: 7 } },
  ])
  expect(good(addon.decode('route', new Uint8Array())).byteLength).toBe(0)
})
