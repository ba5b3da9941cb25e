import { expect, test } from 'vitest'
import { EventStream } from '../../../src/native/event-stream.js'

const end = { done: true, value: undefined }
const event = (value: string): { done: boolean; value: string } => ({ done: false, value })

test('events come in their order, whoever is first', async () => {
  const stream = new EventStream<string>(10, 'lost', 'test.events')
  const early = [stream.next(), stream.next()]
  for (const name of ['a', 'b', 'c', 'd']) stream.put(name)
  expect(await Promise.all(early)).toEqual([event('a'), event('b')])
  expect(stream.waiting).toBe(2)
  expect(await stream.next()).toEqual(event('c'))
  stream.put('e')
  expect(await stream.next()).toEqual(event('d'))
  expect(await stream.next()).toEqual(event('e'))
  expect(stream.waiting).toBe(0)
})

test('what does not fit is given up, and said to be lost once', async () => {
  const stream = new EventStream<string>(2, 'lost', 'test.events')
  for (const name of ['a', 'b', 'c']) stream.put(name)
  expect(stream.waiting).toBe(1)
  stream.put('d')
  expect([await stream.next(), await stream.next()]).toEqual([event('lost'), event('d')])
  stream.put('e')
  stream.lose()
  expect(await stream.next()).toEqual(event('lost'))
})

test('it closes its source once, and tells everybody who waits', async () => {
  let closed = 0
  const source = {
    close: () => {
      closed++
    },
  }
  const stream = new EventStream<string>(undefined, 'lost', 'test.events')
  stream.attach(source)
  const waiting = stream.next()
  stream.close()
  stream.close()
  expect(closed).toBe(1)
  expect(await waiting).toEqual(end)
  expect(await stream.next()).toEqual(end)
  stream.attach(source)
  expect(closed).toBe(2)
})

test('a failure comes after what waits, once', async () => {
  const stream = new EventStream<string>(10, 'lost', 'test.events')
  stream.put('a')
  stream.fail(new Error('broken'))
  expect(await stream.next()).toEqual(event('a'))
  await expect(stream.next()).rejects.toThrow('broken')
  expect(await stream.next()).toEqual(end)

  const waited = new EventStream<string>(10, 'lost', 'test.events')
  const waiting = waited.next()
  waited.fail(new Error('broken'))
  await expect(waiting).rejects.toThrow('broken')
  expect(await waited.next()).toEqual(end)
})
