import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PortProtocol, parseExpose, parsePort, parsePortRange } from '../../../src/address/index.js'
import { NfbridgeError } from '../../../src/errors.js'
import { rejection, untyped } from './rejects.js'

const port = fc.integer({ min: 1, max: 65535 })
const protocol = fc.constantFrom('tcp', 'udp', 'sctp')

describe('parsePort', () => {
  it.each([
    [1, 1],
    [65535, 65535],
    ['80', 80],
    ['65535', 65535],
  ])('reads %j', (given, expected) => {
    expect(parsePort(given)).toBe(expected)
  })

  it.each([
    [0, /from 1 to 65535/],
    [65536, /from 1 to 65535/],
    [-1, /from 1 to 65535/],
    [80.5, /whole number/],
    [Number.NaN, /whole number/],
    [Number.POSITIVE_INFINITY, /whole number/],
    ['0', /from 1 to 65535/],
    ['65536', /from 1 to 65535/],
    ['99999999999999999999', /from 1 to 65535/],
    ['080', /leading zero/],
    ['+80', /decimal digits only/],
    ['-80', /decimal digits only/],
    [' 80', /decimal digits only/],
    ['80 ', /decimal digits only/],
    ['0x50', /decimal digits only/],
    ['8e1', /decimal digits only/],
    ['http', /decimal digits only/],
    ['', /empty/],
  ])('rejects %j', (given, reason) => {
    const error = rejection(() => parsePort(given, 'containers[0].publish[1].hostPort'))
    expect(error.code).toBe('NFB_INVALID_PORT')
    expect(error.path).toBe('containers[0].publish[1].hostPort')
    expect(error.message).toMatch(reason)
  })

  it('reads every port, and throws nothing but NfbridgeError', () => {
    fc.assert(fc.property(port, (value) => parsePort(String(value)) === value))
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.anything()), (value) => {
        try {
          untyped(parsePort)(value, 'port')
        } catch (error) {
          expect(error).toBeInstanceOf(NfbridgeError)
          expect(error).toMatchObject({ code: 'NFB_INVALID_PORT', path: 'port' })
        }
      }),
    )
  })
})

describe('parseExpose', () => {
  it.each([
    ['80/tcp', 'tcp', 80, 80, '80/tcp'],
    ['80', 'tcp', 80, 80, '80/tcp'],
    ['53/udp', 'udp', 53, 53, '53/udp'],
    ['9899/sctp', 'sctp', 9899, 9899, '9899/sctp'],
    ['8000-8010/udp', 'udp', 8000, 8010, '8000-8010/udp'],
    ['80-80', 'tcp', 80, 80, '80/tcp'],
  ])('reads %s', (text, protocol, first, last, written) => {
    const value = parseExpose(text)
    expect(value).toMatchObject({ protocol, first, last })
    expect(value.toString()).toBe(written)
    expect(value.count).toBe(last - first + 1)
  })

  it('expands a range to single ports', () => {
    expect(parseExpose('8000-8002/udp').expand().map(String)).toEqual(['8000/udp', '8001/udp', '8002/udp'])
    expect(parseExpose('1-65535').expand()).toHaveLength(65535)
    expect(parseExpose('8000-8002').contains(8002)).toBe(true)
    expect(parseExpose('8000-8002').contains(8003)).toBe(false)
    expect(() => Object.assign(parseExpose('80'), { first: 1 })).toThrow(TypeError)
  })

  it.each([
    ['', /empty/],
    ['/tcp', /empty/],
    ['80/', /protocol ""/],
    ['80/icmp', /protocol "icmp"/],
    ['80/TCPX', /protocol "TCPX"/],
    ['80/tcp/udp', /protocol "tcp\/udp"/],
    ['0/tcp', /from 1 to 65535/],
    ['65536/tcp', /from 1 to 65535/],
    ['8010-8000/tcp', /backwards/],
    ['8000-/tcp', /empty/],
    ['-80/tcp', /decimal digits only/],
    ['8000-8010-8020', /decimal digits only/],
    ['8000 - 8010', /decimal digits only/],
    ['0-10', /from 1 to 65535/],
    ['65530-65536', /from 1 to 65535/],
    ['80:80', /decimal digits only/],
  ])('rejects %j', (text, reason) => {
    const error = rejection(() => parseExpose(text, 'containers[3].expose[0]'))
    expect(error.code).toBe('NFB_INVALID_PORT')
    expect(error.path).toBe('containers[3].expose[0]')
    expect(error.message).toMatch(reason)
  })

  it('comes back from its text the same', () => {
    fc.assert(
      fc.property(port, port, protocol, (one, other, kind) => {
        const value = PortProtocol.of(kind, Math.min(one, other), Math.max(one, other))
        expect(parseExpose(value.toString()).equals(value)).toBe(true)
      }),
    )
  })

  it('throws nothing but NfbridgeError', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.anything(), fc.stringMatching(/^[0-9/-]*(tcp)?$/)), (value) => {
        try {
          untyped(parseExpose)(value, 'expose')
        } catch (error) {
          expect(error).toBeInstanceOf(NfbridgeError)
          expect(error).toMatchObject({ code: 'NFB_INVALID_PORT', path: 'expose' })
        }
      }),
    )
  })
})

describe('parsePortRange and PortProtocol.of', () => {
  it('take numbers', () => {
    expect(parsePortRange(80)).toEqual({ first: 80, last: 80 })
    expect(PortProtocol.of('udp', 53).toString()).toBe('53/udp')
    expect(rejection(() => PortProtocol.of('tcp', 2, 1)).message).toMatch(/"2-1" runs backwards/)
    expect(rejection(() => PortProtocol.of('tcp', 0)).code).toBe('NFB_INVALID_PORT')
  })
})
