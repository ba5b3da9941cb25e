import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NfbridgeError } from '../../../src/errors.js'
import { readMessages } from '../../../src/native/reader.js'
import { layouts } from './tables.js'

const OPAQUE = 0xffffffff
const read = (...words: number[]) => [...readMessages(layouts, Uint32Array.from(words).buffer)]

describe('reading replies', () => {
  test('a message of an unknown type is kept', () => {
    expect(read(OPAQUE, 5, 3, 3, 99, 2, 0x0201)).toEqual([
      { name: 'opaque', index: 3, flags: 5, record: {}, type: 99, bytes: Uint8Array.of(1, 2) },
    ])
  })

  test('messages are read one by one: what follows is not looked at before', () => {
    const messages = readMessages(layouts, Uint32Array.from([0, 0, 7, 2, 0, 1, 77, 0, 0, 0]).buffer)
    expect(messages.next().value).toMatchObject({ name: 'newPart', index: 7, record: { len: 1 } })
    expect(() => messages.next()).toThrow(NfbridgeError)
  })

  test('bytes are copies', () => {
    const words = Uint32Array.from([1, 0, 0, 3, 11, 4, 0x01010101])
    const [message] = [...readMessages(layouts, words.buffer)]
    words.fill(0)
    expect(message?.record).toEqual({ abytes: Uint8Array.of(1, 1, 1, 1) })
  })

  test('a byte order mark and other Unicode in a string stay', () => {
    const text = '\ufeffä'
    const bytes = Buffer.alloc(8)
    const length = bytes.write(text)
    const [one = 0, two = 0] = new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + 8))
    expect(read(1, 0, 0, 4, 9, length, one, two)[0]?.record).toEqual({ astring: text })
  })

  const broken: [string, number[]][] = [
    ['a head that is cut short', [0, 0, 0]],
    ['a body that passes the end', [0, 0, 0, 9, 0, 1]],
    ['a field without its value', [0, 0, 0, 1, 0]],
    ['an unknown field', [0, 0, 0, 2, 55, 1]],
    ['an unknown message', [9, 0, 0, 0]],
    ['bytes that pass the message', [1, 0, 0, 3, 11, 9, 0]],
    ['bytes of an impossible length', [1, 0, 0, 2, 11, 0xfffffffd]],
    ['a nest that passes what encloses it', [1, 0, 0, 5, 13, 2, 13, 4, 0]],
    ['a list whose element passes it', [1, 0, 0, 4, 14, 2, 5, 0]],
    ['an unknown variant', [1, 0, 0, 3, 17, 9, 0]],
    ['half of a number of 64 bits', [1, 0, 0, 2, 4, 1]],
    ['an opaque message with words left', [OPAQUE, 0, 0, 4, 1, 1, 0, 0]],
  ]
  test.each(broken)('refuses %s', (_, words) => {
    expect(() => read(...words)).toThrow(/NFB_INTERNAL|malformed/)
  })

  test('refuses what is no whole number of words', () => {
    expect(() => [...readMessages(layouts, new ArrayBuffer(7))]).toThrow(NfbridgeError)
  })

  test('never reads past the end and never throws anything else, whatever the words are', () => {
    const word = fc.oneof(
      fc.integer({ min: 0, max: 20 }),
      fc.integer({ min: 0, max: 0xffffffff }),
      fc.constant(OPAQUE),
    )
    fc.assert(
      fc.property(fc.array(word, { maxLength: 40 }), (words) => {
        try {
          read(...words)
        } catch (error) {
          if (!(error instanceof NfbridgeError)) throw error
          expect(error.code).toBe('NFB_INTERNAL')
        }
      }),
      { numRuns: 3000 },
    )
  })
})
