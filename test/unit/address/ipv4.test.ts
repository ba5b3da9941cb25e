import { isIPv4 } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { IPv4Address } from '../../../src/address/index.js'
import { NfbridgeError } from '../../../src/errors.js'
import { rejection, untyped } from './rejects.js'

const number = fc.nat({ max: 0xffffffff })

describe('IPv4Address', () => {
  it('reads and writes its text, number and bytes', () => {
    const address = IPv4Address.parse('172.17.0.2')
    expect(address.family).toBe(4)
    expect(address.value).toBe(0xac110002)
    expect(address.bytes).toEqual(Uint8Array.of(172, 17, 0, 2))
    expect(`${address}`).toBe('172.17.0.2')
    expect(JSON.stringify({ address })).toBe('{"address":"172.17.0.2"}')
    expect(IPv4Address.parse('255.255.255.255').value).toBe(0xffffffff)
  })

  it('is immutable', () => {
    const address = IPv4Address.parse('10.0.0.1')
    address.bytes[0] = 99
    expect(`${address}`).toBe('10.0.0.1')
    expect(() => Object.assign(address, { value: 1 })).toThrow(TypeError)
  })

  it('comes back from number, bytes and text the same', () => {
    fc.assert(
      fc.property(number, (value) => {
        const address = IPv4Address.fromNumber(value)
        expect(IPv4Address.parse(address.toString()).value).toBe(value)
        expect(IPv4Address.fromBytes(address.bytes).equals(address)).toBe(true)
      }),
    )
  })

  it('accepts what node:net accepts and no more', () => {
    const almost = fc.stringMatching(/^[0-9a-fx. ]{0,16}$/)
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV4Extended(), almost, fc.string()), (text) => {
        let accepted = true
        try {
          IPv4Address.parse(text)
        } catch (error) {
          expect(error).toBeInstanceOf(NfbridgeError)
          accepted = false
        }
        expect(accepted).toBe(isIPv4(text))
      }),
    )
  })

  it.each([
    ['', /1 of the 4 parts/],
    ['1.2.3', /3 of the 4 parts/],
    ['1.2.3.4.5', /5 of the 4 parts/],
    ['1.2..4', /a part is empty/],
    ['010.0.0.1', /"010" has a leading zero/],
    ['10.0.0.00', /leading zero/],
    ['0x7f.0.0.1', /hexadecimal/],
    ['256.0.0.1', /above 255/],
    ['1.2.3.99999999999999999999', /above 255/],
    [' 1.2.3.4', /white space/],
    ['1.2.3.4\n', /white space/],
    ['1.2.3.-4', /no decimal number/],
    ['+1.2.3.4', /no decimal number/],
    ['1.2.3.4/24', /no decimal number/],
    ['١.2.3.4', /no decimal number/],
    ['a'.repeat(5000), /^address\.parse: "a{61}\.\.\."/],
  ])('rejects %j', (text, reason) => {
    const error = rejection(() => IPv4Address.parse(text, 'containers[3].address'))
    expect(error.code).toBe('NFB_INVALID_ADDRESS')
    expect(error.path).toBe('containers[3].address')
    expect(error.message).toMatch(reason)
  })

  it.each([undefined, null, 1, {}, ['1.2.3.4']])('rejects %j, which is no text', (value) => {
    expect(rejection(() => untyped(IPv4Address.parse)(value)).code).toBe('NFB_INVALID_ADDRESS')
  })

  it.each([-1, 2 ** 32, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('rejects the number %d', (value) => {
    expect(rejection(() => IPv4Address.fromNumber(value)).code).toBe('NFB_INVALID_ADDRESS')
  })

  it('rejects another number of bytes', () => {
    expect(rejection(() => IPv4Address.fromBytes(new Uint8Array(5))).message).toMatch(/4 bytes, not 5/)
  })
})
