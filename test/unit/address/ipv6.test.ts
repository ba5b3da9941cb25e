import { isIPv6 } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressFromBytes, IPv4Address, IPv6Address, parseAddress } from '../../../src/address/index.js'
import { NfbridgeError } from '../../../src/errors.js'
import { rejection, untyped } from './rejects.js'

const number = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n })

describe('IPv6Address', () => {
  // RFC 4291, section 2.2, RFC 5952, sections 4 and 5
  it.each([
    ['2001:db8:0:0:8:800:200c:417a', '2001:db8::8:800:200c:417a'],
    ['FF01:0:0:0:0:0:0:101', 'ff01::101'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['::', '::'],
    ['2001:db8::', '2001:db8::'],
    ['2001:0db8::0001', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:db8::1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['1:0:0:0:0:0:0:0', '1::'],
    ['::1.2.3.4', '::102:304'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
    ['::FFFF:c000:201', '::ffff:192.0.2.1'],
    ['64:ff9b:0:0:0:0:192.0.2.33', '64:ff9b::c000:221'],
  ])('writes %s as %s', (text, canonical) => {
    expect(IPv6Address.parse(text).toString()).toBe(canonical)
  })

  it('gives its bytes in network order', () => {
    const address = IPv6Address.parse('2001:db8::ff')
    expect(address.bytes).toEqual(Uint8Array.of(0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255))
    expect(address.value).toBe(0x20010db80000000000000000000000ffn)
    address.bytes[0] = 1
    expect(address.toString()).toBe('2001:db8::ff')
    expect(() => Object.assign(address, { value: 1n })).toThrow(TypeError)
  })

  it('comes back from number, bytes and text the same, as the URL parser writes it', () => {
    fc.assert(
      fc.property(number, (value) => {
        const address = IPv6Address.fromBigInt(value)
        expect(IPv6Address.parse(address.toString()).value).toBe(value)
        expect(IPv6Address.fromBytes(address.bytes).equals(address)).toBe(true)
        if (value >> 32n !== 0xffffn) expect(new URL(`http://[${address}]`).hostname).toBe(`[${address}]`)
      }),
    )
  })

  it('accepts what node:net accepts, but for zones', () => {
    const almost = fc.stringMatching(/^[0-9a-f:.]{0,24}$/)
    fc.assert(
      fc.property(fc.oneof(fc.ipV6(), almost, fc.string()), (text) => {
        let accepted = true
        try {
          IPv6Address.parse(text)
        } catch (error) {
          expect(error).toBeInstanceOf(NfbridgeError)
          accepted = false
        }
        expect(accepted).toBe(isIPv6(text) && !text.includes('%'))
      }),
    )
  })

  it.each([
    ['', /no colon/],
    ['fe80::1%eth0', /zone; give the interface apart/],
    ['1:2:3:4:5:6:7', /7 of the 8 groups/],
    ['1:2:3:4:5:6:7:8:9', /9 of the 8 groups/],
    ['1::2::3', /more than once/],
    [':::', /three colons/],
    ['1:2:3:4:5:6:7:8::', /stands for no group/],
    [':1::', /a group is empty/],
    ['1::2:', /a group is empty/],
    ['::12345', /"12345" is not one to four/],
    ['::g', /not one to four hexadecimal/],
    ['::1.2.3.04', /neither a group nor an IPv4/],
    ['1.2.3.4::', /not one to four/],
    [' ::1', /white space/],
    ['[::1]', /not one to four/],
    ['::1/64', /not one to four/],
  ])('rejects %j', (text, reason) => {
    const error = rejection(() => IPv6Address.parse(text, 'gateway6'))
    expect(error.code).toBe('NFB_INVALID_ADDRESS')
    expect(error.path).toBe('gateway6')
    expect(error.message).toMatch(reason)
  })

  it('rejects other numbers and lengths', () => {
    for (const value of [-1n, 1n << 128n])
      expect(rejection(() => IPv6Address.fromBigInt(value)).code).toBe('NFB_INVALID_ADDRESS')
    expect(rejection(() => IPv6Address.fromBytes(new Uint8Array(4))).message).toMatch(/16 bytes, not 4/)
    expect(rejection(() => untyped(IPv6Address.parse)(6)).code).toBe('NFB_INVALID_ADDRESS')
  })
})

describe('parseAddress', () => {
  it('tells the families apart', () => {
    expect(parseAddress('10.0.0.1')).toBeInstanceOf(IPv4Address)
    expect(parseAddress('::1')).toBeInstanceOf(IPv6Address)
    expect(addressFromBytes(Uint8Array.of(10, 0, 0, 1)).toString()).toBe('10.0.0.1')
    expect(addressFromBytes(parseAddress('fe80::1').bytes).toString()).toBe('fe80::1')
  })

  it('never calls addresses of two families equal', () => {
    expect(parseAddress('0.0.0.1').equals(parseAddress('::1'))).toBe(false)
  })

  it('throws nothing but NfbridgeError, with the path', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.anything()), (value) => {
        try {
          untyped(parseAddress)(value, 'here')
        } catch (error) {
          expect(error).toBeInstanceOf(NfbridgeError)
          expect(error).toMatchObject({ code: 'NFB_INVALID_ADDRESS', path: 'here' })
        }
      }),
    )
  })
})
