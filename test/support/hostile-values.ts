import { expect } from 'vitest'
import { NfbridgeError } from '../../src/index.js'

/** Reading any property of it throws, and so does listing them. */
function unreadable(): object {
  const fail = (): never => {
    throw new RangeError('the caller’s own error')
  }
  return new Proxy({}, { get: fail, ownKeys: fail, getPrototypeOf: fail, has: fail })
}

function revoked(of: object): object {
  const { proxy, revoke } = Proxy.revocable(of, {})
  revoke()
  return proxy
}

function nested(depth: number): object {
  let value: object = {}
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { value }
  return value
}

/** Values that fail, or never end, when they are looked at. A library that makes values by itself could not have made them. */
export const unlooked: readonly unknown[] = [
  nested(5000),
  unreadable(),
  [unreadable()],
  { name: unreadable() },
  revoked({}),
  revoked([]),
  new Proxy(() => 1, { apply: () => undefined }),
  new Array(2 ** 32 - 1),
]

/** Values that no option has, or that would do harm in a file, a path or a message. */
export const unwanted: readonly unknown[] = [
  null,
  Symbol('s'),
  10n,
  Number.NaN,
  -0,
  2 ** 53,
  '\0',
  '\ud800',
  'é\udc00',
  '\x1b[2J\nlocalhost',
  'x'.repeat(70_000),
  ['inet'],
  new Map(),
  Object.create(Date.prototype),
  Object.create(null),
  { toString: 5, valueOf: 5 },
  { __proto__: null, toString: Symbol('s') },
]

/** The error of a call; undefined when it went well. */
export async function errorOf(call: () => unknown): Promise<unknown> {
  try {
    await call()
    return undefined
  } catch (error) {
    return error
  }
}

/** By an error of ours that can be printed. */
export function expectRefused(error: unknown): void {
  expect(error).toBeInstanceOf(NfbridgeError)
  expect(error).not.toMatchObject({ code: 'NFB_INTERNAL' })
  expect(String(error)).not.toMatch(/\p{Cc}|\p{Surrogate}/u)
}
