import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  formatPublication,
  IPv4Address,
  IPv6Address,
  type PublicationOptions,
  parsePublication,
} from '../../../src/address/index.js'
import { NfbridgeError } from '../../../src/errors.js'
import { rejection, untyped } from './rejects.js'

const path = 'containers[0].publish[0]'

describe('parsePublication', () => {
  it.each([
    ['8080:80', '8080:80/tcp'],
    ['8080:80/tcp', '8080:80/tcp'],
    ['53:53/udp', '53:53/udp'],
    ['127.0.0.1:8080:80', '127.0.0.1:8080:80/tcp'],
    ['0.0.0.0:8080:80', '0.0.0.0:8080:80/tcp'],
    ['[::1]:8080:80/sctp', '[::1]:8080:80/sctp'],
    ['[2001:DB8::1]:8080:80', '[2001:db8::1]:8080:80/tcp'],
    ['8000-8010:9000-9010/udp', '8000-8010:9000-9010/udp'],
    ['[::]:8080:80', '[::]:8080:80/tcp'],
    ['8080:80/UDP', '8080:80/udp'],
    ['80', '80/tcp'],
    [':80', '80/tcp'],
    ['::80', '80/tcp'],
    [':8080:80', '8080:80/tcp'],
    ['127.0.0.1::80', '127.0.0.1::80/tcp'],
    ['[::1]::80-81/udp', '[::1]::80-81/udp'],
    ['8000-8010:80', '8000-8010:80/tcp'],
  ])('reads %s', (text, written) => {
    expect(formatPublication(parsePublication(text))).toBe(written)
  })

  it('gives values, frozen', () => {
    const value = parsePublication('127.0.0.1:8000-8001:80-81/udp')
    expect(value).toEqual({
      hostAddress: IPv4Address.parse('127.0.0.1'),
      hostPorts: { first: 8000, last: 8001 },
      containerPorts: { first: 80, last: 81 },
      protocol: 'udp',
    })
    expect('hostAddress' in parsePublication('1:1')).toBe(false)
    expect(Object.isFrozen(value) && Object.isFrozen(value.hostPorts)).toBe(true)
  })

  it.each<[PublicationOptions, string]>([
    [{ hostPort: 8080, containerPort: 80 }, '8080:80/tcp'],
    [{ hostPort: '8080', containerPort: '80', protocol: 'udp' }, '8080:80/udp'],
    [{ hostPort: 8080, containerPort: '80/UDP' }, '8080:80/udp'],
    [{ hostPort: '1-2', containerPort: '3-4/sctp', protocol: 'sctp' }, '1-2:3-4/sctp'],
    [{ hostAddress: '::1', hostPort: 8080, containerPort: 80 }, '[::1]:8080:80/tcp'],
    [{ hostAddress: undefined, hostPort: '1-2', containerPort: '3-4', protocol: undefined }, '1-2:3-4/tcp'],
    [{ containerPort: 80 }, '80/tcp'],
    [{ hostPort: 0, containerPort: 80 }, '80/tcp'],
    [{ hostPort: '8000-8009', containerPort: 80 }, '8000-8009:80/tcp'],
  ])('reads %j', (given, written) => {
    expect(formatPublication(parsePublication(given))).toBe(written)
  })

  it.each([
    ['', 'NFB_INVALID_PORT', /empty/],
    ['8080:', 'NFB_INVALID_PORT', /empty/],
    ['0:80', 'NFB_INVALID_PORT', /from 1 to 65535/],
    ['8080:65536', 'NFB_INVALID_PORT', /from 1 to 65535/],
    ['8080:080', 'NFB_INVALID_PORT', /leading zero/],
    ['8080:80/icmp', 'NFB_INVALID_PORT', /protocol "icmp"/],
    ['8000-8010:80-81', 'NFB_INVALID_PORT', /not equally long/],
    ['8000:80-81', 'NFB_INVALID_PORT', /not equally long/],
    ['8010-8000:80-90', 'NFB_INVALID_PORT', /backwards/],
    ['127.0.0.1::', 'NFB_INVALID_PORT', /empty/],
    ['::1:8080:80', 'NFB_INVALID_PORT', /brackets/],
    ['[::1]:1:2:3', 'NFB_INVALID_PORT', /too many colons after/],
    ['[127.0.0.1]:1:2', 'NFB_INVALID_PORT', /only an IPv6 host address/],
    ['[::1]8080:80', 'NFB_INVALID_PORT', /brackets/],
    ['[::1]:80', 'NFB_INVALID_PORT', /behind a host address/],
    ['localhost:8080:80', 'NFB_INVALID_ADDRESS', /no IPv4 address/],
    ['127.0.0.01:8080:80', 'NFB_INVALID_ADDRESS', /leading zero/],
    ['[::g]:8080:80', 'NFB_INVALID_ADDRESS', /hexadecimal/],
  ])('rejects %j', (text, code, reason) => {
    const error = rejection(() => parsePublication(text, path))
    expect(error.code).toBe(code)
    expect(error.path).toBe(path)
    expect(error.message).toMatch(reason)
  })

  it.each([
    [{ hostPort: -1, containerPort: 80 }, 'NFB_INVALID_PORT', `${path}.hostPort`],
    [{ hostPort: 80, containerPort: 65536 }, 'NFB_INVALID_PORT', `${path}.containerPort`],
    [{ hostPort: 80 }, 'NFB_INVALID_PORT', `${path}.containerPort`],
    [{ containerPort: '80/udp', protocol: 'tcp' }, 'NFB_INVALID_PORT', `${path}.containerPort`],
    [{ hostPort: 1, containerPort: 1, protocol: 'ICMP' }, 'NFB_INVALID_PORT', `${path}.protocol`],
    [{ hostPort: 1, containerPort: 1, hostAddress: 'x' }, 'NFB_INVALID_ADDRESS', `${path}.hostAddress`],
    [{ hostPort: 1, containerPort: 1, hostIp: '127.0.0.1' }, 'NFB_INVALID_ARGUMENT', `${path}.hostIp`],
    [{ hostPort: '1-3', containerPort: '1-2' }, 'NFB_INVALID_PORT', path],
    [null, 'NFB_INVALID_ARGUMENT', path],
    [8080, 'NFB_INVALID_ARGUMENT', path],
    [['8080:80'], 'NFB_INVALID_ARGUMENT', path],
  ])('rejects %j with its code and path', (given, code, where) => {
    const error = rejection(() => untyped(parsePublication)(given, path))
    expect(error.code).toBe(code)
    expect(error.path).toBe(where)
  })

  it('comes back from its text the same', () => {
    const address = fc.option(
      fc.oneof(
        fc.nat({ max: 0xffffffff }).map((value) => IPv4Address.fromNumber(value).toString()),
        fc
          .bigInt({ min: 0n, max: (1n << 128n) - 1n })
          .map((value) => `[${IPv6Address.fromBigInt(value).toString()}]`),
      ),
      { nil: undefined },
    )
    const start = fc.integer({ min: 1, max: 60000 })
    fc.assert(
      fc.property(
        address,
        start,
        start,
        fc.nat({ max: 5000 }),
        fc.constantFrom('tcp', 'udp', 'sctp'),
        (host, from, to, more, protocol) => {
          const range = (first: number): string => (more ? `${first}-${first + more}` : `${first}`)
          const text = `${host ? `${host}:` : ''}${range(from)}:${range(to)}/${protocol}`
          expect(formatPublication(parsePublication(text))).toBe(text)
        },
      ),
    )
  })

  it('throws nothing but NfbridgeError', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.anything(), fc.stringMatching(/^[0-9[\].:/-]*(tcp)?$/)),
        (value) => {
          try {
            untyped(parsePublication)(value, path)
          } catch (error) {
            expect(error).toBeInstanceOf(NfbridgeError)
            expect(error).toMatchObject({ path: expect.stringContaining(path) })
          }
        },
      ),
    )
  })
})
