import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Cidr, IPv4Address, IPv6Address, parseAddress } from '../../../src/address/index.js'
import { NfbridgeError } from '../../../src/errors.js'
import { rejection, untyped } from './rejects.js'

const cidr4 = fc
  .tuple(fc.nat({ max: 0xffffffff }), fc.nat({ max: 32 }))
  .map(([value, length]) => Cidr.of(IPv4Address.fromNumber(value), length))
const cidr6 = fc
  .tuple(fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), fc.nat({ max: 128 }))
  .map(([value, length]) => Cidr.of(IPv6Address.fromBigInt(value), length))
const cidr = fc.oneof(cidr4, cidr6)

describe('Cidr', () => {
  it.each([
    ['172.17.0.0/16', '172.17.0.0', '172.17.255.255', '172.17.0.1', '172.17.255.254', 65536n],
    ['0.0.0.0/0', '0.0.0.0', '255.255.255.255', '0.0.0.1', '255.255.255.254', 1n << 32n],
    ['10.0.0.0/30', '10.0.0.0', '10.0.0.3', '10.0.0.1', '10.0.0.2', 4n],
    ['10.0.0.2/31', '10.0.0.2', undefined, '10.0.0.2', '10.0.0.3', 2n],
    ['10.0.0.2/32', '10.0.0.2', undefined, '10.0.0.2', '10.0.0.2', 1n],
    ['fd00::/64', 'fd00::', undefined, 'fd00::1', 'fd00::ffff:ffff:ffff:ffff', 1n << 64n],
    ['fd00::2/127', 'fd00::2', undefined, 'fd00::2', 'fd00::3', 2n],
    ['fd00::2/128', 'fd00::2', undefined, 'fd00::2', 'fd00::2', 1n],
    ['::/0', '::', undefined, '::1', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 1n << 128n],
  ])('%s', (text, network, broadcast, first, last, size) => {
    const value = Cidr.parse(text)
    expect(value.toString()).toBe(text)
    expect(value.network.toString()).toBe(network)
    expect(value.broadcast?.toString()).toBe(broadcast)
    expect(value.firstHost.toString()).toBe(first)
    expect(value.lastHost.toString()).toBe(last)
    expect(value.size).toBe(size)
  })

  it('keeps the host bits of an interface', () => {
    const value = Cidr.parseInterface('172.17.0.5/16')
    expect(value.toString()).toBe('172.17.0.5/16')
    expect(value.network.toString()).toBe('172.17.0.0')
    expect(value.broadcast?.toString()).toBe('172.17.255.255')
    expect(() => Object.assign(value, { prefixLength: 8 })).toThrow(TypeError)
  })

  it.each([
    ['172.17.0.5/16', /did you mean 172\.17\.0\.0\/16\?/],
    ['fd00::1/64', /did you mean fd00::\/64\?/],
    ['172.17.0.0', /no prefix length/],
    ['172.17.0.0/', /prefix length ""/],
    ['172.17.0.0/33', /from 0 to 32/],
    ['fd00::/129', /from 0 to 128/],
    ['172.17.0.0/016', /prefix length "016"/],
    ['172.17.0.0/-1', /prefix length "-1"/],
    ['172.17.0.0/1e1', /prefix length "1e1"/],
    ['172.17.0.0/16/8', /prefix length "16\/8"/],
    ['172.17.0.0/255.255.0.0', /prefix length/],
    ['172.017.0.0/16', /leading zero/],
    ['fe80::%eth0/64', /zone/],
    ['/16', /1 of the 4 parts/],
    ['', /no prefix length/],
  ])('rejects %j', (text, reason) => {
    const error = rejection(() => Cidr.parse(text, 'subnet'))
    expect(error.code).toBe('NFB_INVALID_ADDRESS')
    expect(error.path).toBe('subnet')
    expect(error.message).toMatch(reason)
  })

  it('contains the addresses of its network and no other', () => {
    const network = Cidr.parse('172.17.0.0/16')
    expect(network.contains(parseAddress('172.17.0.0'))).toBe(true)
    expect(network.contains(parseAddress('172.17.255.255'))).toBe(true)
    expect(network.contains(parseAddress('172.16.255.255'))).toBe(false)
    expect(network.contains(parseAddress('172.18.0.0'))).toBe(false)
    expect(Cidr.parse('0.0.0.0/0').contains(parseAddress('::1'))).toBe(false)
    expect(Cidr.parse('::/0').contains(parseAddress('10.0.0.1'))).toBe(false)
  })

  it.each([
    ['10.0.0.0/8', '10.1.0.0/16', true],
    ['10.1.0.0/16', '10.0.0.0/8', true],
    ['10.0.0.0/8', '11.0.0.0/8', false],
    ['10.0.0.0/9', '10.128.0.0/9', false],
    ['0.0.0.0/0', '::/0', false],
    ['fd00::/8', 'fd12::/64', true],
  ])('%s overlaps %s: %s', (one, other, expected) => {
    expect(Cidr.parse(one).overlaps(Cidr.parse(other))).toBe(expected)
  })

  it('gives the address at an index within', () => {
    const network = Cidr.parse('10.0.0.0/24')
    expect(network.addressAt(0).toString()).toBe('10.0.0.0')
    expect(network.addressAt(255n).toString()).toBe('10.0.0.255')
    for (const index of [-1, 256, 1.5, Number.NaN])
      expect(rejection(() => network.addressAt(index)).code).toBe('NFB_INVALID_ADDRESS')
  })

  it('rejects a prefix length that the family does not have', () => {
    for (const length of [-1, 33, 1.5, Number.NaN])
      expect(rejection(() => Cidr.of(parseAddress('10.0.0.0'), length)).code).toBe('NFB_INVALID_ADDRESS')
  })

  it('comes back from its text the same', () => {
    fc.assert(
      fc.property(cidr, (value) => {
        expect(Cidr.parseInterface(value.toString()).equals(value)).toBe(true)
        const network = Cidr.of(value.network, value.prefixLength)
        expect(Cidr.parse(network.toString()).equals(network)).toBe(true)
      }),
    )
  })

  it('contains its own address, first and last host, and overlaps itself', () => {
    fc.assert(
      fc.property(cidr, (value) => {
        for (const address of [value.address, value.network, value.firstHost, value.lastHost])
          expect(value.contains(address)).toBe(true)
        expect(value.overlaps(value)).toBe(true)
        expect(value.addressAt(value.size - 1n).value >= value.lastHost.value).toBe(true)
      }),
    )
  })

  it('overlaps symmetrically, exactly when one contains the start of the other', () => {
    fc.assert(
      fc.property(cidr4, cidr4, (one, other) => {
        expect(one.overlaps(other)).toBe(other.overlaps(one))
        const shorter = Math.min(one.prefixLength, other.prefixLength)
        const same = Cidr.of(one.address, shorter).network.equals(Cidr.of(other.address, shorter).network)
        expect(one.overlaps(other)).toBe(same)
      }),
    )
  })

  it('throws nothing but NfbridgeError', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.anything(), fc.stringMatching(/^[0-9.:/]*$/)), (value) => {
        try {
          untyped(Cidr.parse)(value, 'subnet')
        } catch (error) {
          expect(error).toBeInstanceOf(NfbridgeError)
          expect(error).toMatchObject({ code: 'NFB_INVALID_ADDRESS', path: 'subnet' })
        }
      }),
    )
  })
})
