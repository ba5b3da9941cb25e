import { describe, expect, it } from 'vitest'
import { readInput } from '../../src/read-input.js'

function refused(value: unknown): unknown {
  try {
    return readInput(value, 'a.call', '')
  } catch (error) {
    return error
  }
}

function nested(depth: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < depth; level++) value = [value]
  return value
}

describe('what a caller gave', () => {
  it('is copied: lists, objects, and nothing else', () => {
    const bytes = new Uint8Array(2)
    const given = { list: [1, 'a', { bytes }], no: undefined, none: null }
    const copy = readInput(given, 'a.call', '')
    expect(copy).toEqual(given)
    expect(copy).not.toBe(given)
    expect(copy.list[2]).toHaveProperty('bytes', bytes)
  })

  it('is read once', () => {
    let reads = 0
    const copy = readInput(
      {
        get name() {
          reads++
          return `a${reads}`
        },
      },
      'a.call',
      '',
    )
    expect([copy.name, copy.name, reads]).toEqual(['a1', 'a1', 1])
  })

  it.each<[string, unknown, string]>([
    ['a symbol', { a: [Symbol('s')] }, 'a[0]'],
    ['half a character', { a: { b: '\ud800' } }, 'a.b'],
    ['a hole', new Array(2 ** 32 - 1), '[0]'],
    ['a proxy of an instance', { a: new Proxy(new Map(), {}) }, 'a'],
    ['what has only a prototype', { a: Object.create(Date.prototype) }, 'a'],
    ['what is too deep', nested(101), '[0]'.repeat(100)],
  ])('is refused with its place: %s', (_, value, path) => {
    expect(refused(value)).toMatchObject({ code: 'NFB_INVALID_ARGUMENT', operation: 'a.call', path })
  })

  it('may be as deep as anything is', () => {
    expect(refused(nested(100))).toEqual(nested(100))
  })

  it('does not become a prototype', () => {
    const copy: object = readInput(JSON.parse('{"__proto__":{"a":1}}'), 'a.call', '')
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype)
    expect(Object.keys(copy)).toEqual(['__proto__'])
  })
})
