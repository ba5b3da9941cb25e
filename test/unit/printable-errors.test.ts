import { describe, expect, it } from 'vitest'
import { NfbridgeError } from '../../src/errors.js'

const given = 'a\u001b[31mb\nc\u009bd\u2028e\u202ef\u2066g\ud800h'
const printed = 'a\\u{1b}[31mb\\u{a}c\\u{9b}d\\u{2028}e\\u{202e}f\\u{2066}g\\u{d800}h'

describe('the texts of an error', () => {
  it('have escapes for what steers a terminal, ends a line or turns a text round', () => {
    const error = new NfbridgeError({
      code: 'NFB_REJECTED',
      operation: given,
      message: given,
      kernelMessage: given,
      path: given,
      remaining: [given],
    })
    expect(error).toMatchObject({
      operation: printed,
      reason: printed,
      kernelMessage: printed,
      path: printed,
      remaining: [printed],
    })
    expect(error.message).not.toMatch(/[\p{Cc}\u2028-\u202e\u2066-\u2069\p{Surrogate}]/u)
  })

  it('keep letters of every script', () => {
    const message = 'Straße "Ελλάδα" – 東京 – שלום – 🚀'
    expect(new NfbridgeError({ code: 'NFB_REJECTED', operation: 'a', message }).reason).toBe(message)
  })
})
