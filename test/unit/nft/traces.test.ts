import { expect, test } from 'vitest'
import type { NftTraceRecord } from '../../../src/native/records.js'
import { readTrace } from '../../../src/nft/traces.js'

const place = { family: 1, table: 't', chain: 'c', id: 0xdeadbeef } as const
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const rule = (more: NftTraceRecord): NftTraceRecord => ({
  ...place,
  type: 3,
  ruleHandle: 7n,
  verdict: { code: 1 },
  ...more,
})

test.each([
  [{ code: 0 }, { drop: null }],
  [{ code: 1 }, { accept: null }],
  [{ code: 2 }, { stolen: null }],
  [{ code: 0x00050003 }, { queue: { num: 5 } }],
  [{ code: 0x00058003 }, { queue: { num: 5 } }],
  [{ code: 4 }, { repeat: null }],
  [{ code: 9 }, { code: 9 }],
  [{ code: -1 }, { continue: null }],
  [{ code: -2 }, { break: null }],
  [{ code: -3, chain: 'x' }, { jump: { target: 'x' } }],
  [{ code: -4, chain: 'x' }, { goto: { target: 'x' } }],
  [{ code: -5 }, { return: null }],
  [{ code: -9 }, { code: -9 }],
])('verdict %j', (verdict, expected) => {
  expect(readTrace(rule({ verdict }))).toEqual({
    kind: 'rule',
    id: 0xdeadbeef,
    family: 'inet',
    table: 't',
    chain: 'c',
    handle: 7,
    verdict: expected,
  })
})

test('headers are read where they are whole, and given as they are', () => {
  const llHeader = hex('02 00 00 00 00 02 02 00 00 00 00 01 08 00')
  const networkHeader = hex('45 00 00 54 00 00 40 00 40 01 00 00 c0 00 02 01 c0 00 02 02')
  const transportHeader = hex('08 00 f7 ff')
  const whole = { llHeader, networkHeader, transportHeader, iiftype: 1, iif: 3, oif: 4, mark: 9, nfproto: 2 }
  expect(readTrace(rule(whole))).toMatchObject({
    iif: 3,
    oif: 4,
    mark: 9,
    nfproto: 2,
    packet: {
      headers: { link: llHeader, network: networkHeader, transport: transportHeader },
      ether: { saddr: '02:00:00:00:00:01', daddr: '02:00:00:00:00:02', type: 0x800 },
      ip: { saddr: '192.0.2.1', daddr: '192.0.2.2', protocol: 1, ttl: 64, length: 84 },
      icmp: { type: 8, code: 0 },
    },
  })
  for (const cut of [
    { networkHeader: networkHeader.subarray(0, 19) },
    { llHeader: llHeader.subarray(0, 13), iiftype: 1 },
    { llHeader, iiftype: 772 },
    { transportHeader },
    { networkHeader: hex('60') },
    { networkHeader: hex('') },
  ]) {
    const trace = readTrace(rule(cut))
    expect(trace).toHaveProperty('packet.headers')
    expect(trace.kind === 'rule' && Object.keys(trace.packet ?? {})).toEqual(['headers'])
  }
  const tcp = networkHeader.slice()
  tcp[9] = 6
  expect(readTrace(rule({ networkHeader: tcp, transportHeader: hex('01bb 1000') }))).toMatchObject({
    packet: { ports: { sport: 443, dport: 4096 } },
  })
})

test('policies, returns, connections, and what is not understood', () => {
  expect(readTrace({ ...place, type: 1, policy: 0 })).toMatchObject({ kind: 'policy', policy: 'drop' })
  expect(readTrace({ ...place, type: 1, policy: 1 })).toMatchObject({ kind: 'policy', policy: 'accept' })
  expect(readTrace({ ...place, type: 2, verdict: { code: -1 } })).toMatchObject({ kind: 'return' })
  expect(readTrace({ ...place, type: 3, verdict: { code: -1 } })).toMatchObject({ kind: 'end' })
  expect(readTrace(rule({ ctId: 5, ctDirection: 1, ctStatus: 8, ctState: 2 }))).toMatchObject({
    ct: { id: 5, direction: 'reply', status: 8, state: 2 },
  })
  for (const record of [
    { ...place, type: 9 },
    { ...place, type: 1 },
    { ...place, type: 3 },
    { ...rule({}), family: 99 },
    { family: 1, type: 1, policy: 1 },
  ])
    expect(readTrace(record)).toEqual({ kind: 'other', record })
})
