import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { IPv4Address, MacAddress } from '../../../src/address/index.js'
import { NfbridgeError } from '../../../src/errors.js'
import { rejection, untyped } from './rejects.js'

const number = fc.uint8Array({ minLength: 6, maxLength: 6 })

describe('MacAddress', () => {
  it('reads either case and writes lower case', () => {
    const address = MacAddress.parse('02:42:AC:11:00:0f')
    expect(address.toString()).toBe('02:42:ac:11:00:0f')
    expect(address.bytes).toEqual(Uint8Array.of(2, 0x42, 0xac, 0x11, 0, 15))
    expect(address.isLocallyAdministered).toBe(true)
    expect(address.isMulticast).toBe(false)
    expect(() => Object.assign(address, { value: 1 })).toThrow(TypeError)
  })

  it('is made of an IPv4 address as Docker does it', () => {
    expect(MacAddress.fromIPv4(IPv4Address.parse('172.17.0.2')).toString()).toBe('02:42:ac:11:00:02')
    expect(MacAddress.fromIPv4(IPv4Address.parse('255.255.255.255')).toString()).toBe('02:42:ff:ff:ff:ff')
  })

  it('comes back from bytes and text the same', () => {
    fc.assert(
      fc.property(number, (bytes) => {
        const address = MacAddress.fromBytes(bytes)
        expect(address.bytes).toEqual(Uint8Array.from(bytes))
        expect(MacAddress.parse(address.toString()).equals(address)).toBe(true)
        expect(address.isMulticast).toBe(((bytes[0] ?? 0) & 1) === 1)
        expect(address.isLocallyAdministered).toBe(((bytes[0] ?? 0) & 2) === 2)
      }),
    )
  })

  it.each([
    ['', /1 of the 6 parts/],
    ['02:42:ac:11:00', /5 of the 6 parts/],
    ['02:42:ac:11:00:02:03', /7 of the 6 parts/],
    ['02-42-ac-11-00-02', /separated by colons/],
    ['0242.ac11.0002', /separated by colons/],
    ['2:42:ac:11:00:02', /"2" is not two/],
    ['02:42:ac:11:00:0g', /"0g" is not two/],
    ['02:42:ac:11:00:02 ', /not two/],
    ['02:42:ac:11::02', /"" is not two/],
  ])('rejects %j', (text, reason) => {
    const error = rejection(() => MacAddress.parse(text, 'mac'))
    expect(error.code).toBe('NFB_INVALID_ADDRESS')
    expect(error.path).toBe('mac')
    expect(error.message).toMatch(reason)
  })

  it.each([
    ['ff:ff:ff:ff:ff:ff', /multicast/],
    ['01:00:5e:00:00:01', /multicast/],
    ['00:00:00:00:00:00', /nobody/],
  ])('rejects %s as the address of one interface', (text, reason) => {
    expect(MacAddress.parse(text).toString()).toBe(text)
    const error = rejection(() => MacAddress.parseUnicast(text, 'mac'))
    expect(error.code).toBe('NFB_INVALID_ADDRESS')
    expect(error.path).toBe('mac')
    expect(error.message).toMatch(reason)
  })

  it('accepts the address of one interface', () => {
    expect(MacAddress.parseUnicast('02:42:ac:11:00:02').toString()).toBe('02:42:ac:11:00:02')
  })

  it('rejects another number of bytes', () => {
    expect(rejection(() => MacAddress.fromBytes(new Uint8Array(8))).message).toMatch(/6 bytes, not 8/)
  })

  it('throws nothing but NfbridgeError', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.anything(), fc.stringMatching(/^[0-9a-f:]*$/)), (value) => {
        try {
          untyped(MacAddress.parseUnicast)(value, 'mac')
        } catch (error) {
          expect(error).toBeInstanceOf(NfbridgeError)
          expect(error).toMatchObject({ code: 'NFB_INVALID_ADDRESS', path: 'mac' })
        }
      }),
    )
  })

  it('gives the link-local address that the kernel gives an interface', () => {
    expect(String(MacAddress.parse('02:42:ac:11:00:02').linkLocal)).toBe('fe80::42:acff:fe11:2')
  })
})
