import { describe, expect, it } from 'vitest'
import { Cidr, IPv4Address, IPv6Address } from '../../../src/address/index.js'
import { type ConntrackEntry, entryFromRecord } from '../../../src/conntrack/entry.js'
import { alternatives, type ConntrackFilter, filterToRecord, matches } from '../../../src/conntrack/filter.js'

const ip = IPv4Address.parse
const app = ip('172.17.0.3')
const web = ip('172.17.0.2')
const host = ip('10.0.0.1')

/** app asked for port 8080 of the host, and was sent to port 80 of web. */
const entry: ConntrackEntry = {
  original: { source: app, destination: host, protocol: 'tcp', sourcePort: 40000, destinationPort: 8080 },
  reply: { source: web, destination: app, protocol: 'tcp', sourcePort: 80, destinationPort: 40000 },
  protocol: 'tcp',
  status: ['dnat'],
  mark: 0x107,
  timeout: 10,
  id: 1,
  zone: 3,
}

describe('the test of an entry, on which kernels without filters rely', () => {
  const yes: readonly ConntrackFilter[] = [
    {},
    { family: 4 },
    { protocol: 'tcp' },
    { protocol: 6 },
    { zone: 3 },
    { mark: 0x107 },
    { mark: { value: 0x100, mask: 0xf00 } },
    { address: app },
    { address: web },
    { address: host },
    { original: { source: app, destination: host, sourcePort: 40000, destinationPort: 8080 } },
    { reply: { source: web, sourcePort: 80 } },
    { original: { source: Cidr.parse('172.17.0.0/16') } },
  ]
  const no: readonly ConntrackFilter[] = [
    { family: 6 },
    { protocol: 'udp' },
    { zone: 0 },
    { mark: 0x7 },
    { mark: { value: 0x200, mask: 0xf00 } },
    { address: ip('172.17.0.4') },
    { original: { source: web } },
    { original: { destination: app } },
    { original: { sourcePort: 80 } },
    { reply: { destinationPort: 80 } },
    { reply: { source: Cidr.parse('10.0.0.0/8') } },
  ]
  it.each(yes)('holds for %j', (filter) => expect(matches(entry, filter)).toBe(true))
  it.each(no)('does not hold for %j', (filter) => expect(matches(entry, filter)).toBe(false))
})

describe('what the kernel is asked for', () => {
  it('is exact values of IPv4, with what is compared (CTA_FILTER)', () => {
    expect(
      filterToRecord({
        protocol: 'tcp',
        original: { source: app, destinationPort: 8080 },
        reply: { source: web },
      }),
    ).toEqual({
      family: 2,
      tupleOrig: { ip: { v4Src: app.bytes }, proto: { num: 6, dstPort: 8080 } },
      tupleReply: { ip: { v4Src: web.bytes } },
      filter: { origFlags: 0b101001, replyFlags: 0b1 },
    })
  })

  it('is not an address of IPv6, which it compares the wrong way round', () => {
    const source = IPv6Address.parse('fe80::1')
    expect(filterToRecord({ protocol: 'udp', original: { source, sourcePort: 53 } })).toEqual({
      family: 10,
      tupleOrig: { proto: { num: 17, srcPort: 53 } },
      filter: { origFlags: 0b11000 },
    })
  })

  it('is not a network, nor a port without its protocol', () => {
    expect(filterToRecord({ original: { source: Cidr.parse('10.0.0.0/8'), sourcePort: 1 } })).toEqual({
      family: 2,
    })
  })

  it('is the bits of the mark that are under the mask', () => {
    expect(filterToRecord({ mark: { value: 0xffff, mask: 0xff00 }, zone: 2 })).toEqual({
      family: 0,
      mark: 0xff00,
      markMask: 0xff00,
      zone: 2,
    })
  })

  it('is four lists for an address that may be anywhere', () => {
    expect(alternatives({ address: app, protocol: 'tcp' })).toEqual([
      { protocol: 'tcp', original: { source: app } },
      { protocol: 'tcp', original: { destination: app } },
      { protocol: 'tcp', reply: { source: app } },
      { protocol: 'tcp', reply: { destination: app } },
    ])
    expect(alternatives({ address: app, original: { source: web } })).toHaveLength(3)
  })
})

describe('an entry', () => {
  it('is read from a record', () => {
    const read = entryFromRecord({
      tupleOrig: {
        ip: { v4Src: app.bytes, v4Dst: host.bytes },
        proto: { num: 6, srcPort: 40000, dstPort: 8080 },
      },
      tupleReply: {
        ip: { v4Src: web.bytes, v4Dst: app.bytes },
        proto: { num: 6, srcPort: 80, dstPort: 40000 },
      },
      status: 0b100000 | 0b1000 | 0b110,
      protoinfo: { tcp: { state: 3 } },
      timeout: 10,
      mark: 0x107,
      id: 1,
      zone: 3,
      countersOrig: { packets: 2n, bytes: 100n },
      countersReply: { packets: 1n, bytes: 50n },
    })
    expect(read).toEqual({
      ...entry,
      state: 'established',
      status: ['seen-reply', 'assured', 'confirmed', 'dnat'],
      counters: { original: { packets: 2, bytes: 100 }, reply: { packets: 1, bytes: 50 } },
    })
    expect(JSON.stringify(read)).toContain('"counters":{"original":{"packets":2,"bytes":100}')
  })

  it('of ICMP has a type, a code and an identifier', () => {
    const proto = { num: 1, icmpType: 8, icmpCode: 0, icmpId: 77 }
    const read = entryFromRecord({
      tupleOrig: { ip: { v4Src: app.bytes, v4Dst: web.bytes }, proto },
      tupleReply: { ip: { v4Src: web.bytes, v4Dst: app.bytes }, proto: { ...proto, icmpType: 0 } },
    })
    expect(read?.original.icmp).toEqual({ type: 8, code: 0, id: 77 })
    expect(read?.protocol).toBe('icmp')
    expect(read?.mark).toBe(0)
  })

  it('of a protocol or state that has no name has its number', () => {
    const tuple = { ip: { v4Src: app.bytes, v4Dst: web.bytes }, proto: { num: 253 } }
    const read = entryFromRecord({ tupleOrig: tuple, tupleReply: tuple, protoinfo: { tcp: { state: 99 } } })
    expect(read).toMatchObject({ protocol: 253, state: 99 })
  })

  it('without tuples is none', () => {
    expect(entryFromRecord({ id: 1 })).toBeUndefined()
  })
})
