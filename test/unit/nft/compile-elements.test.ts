import { describe, expect, test } from 'vitest'
import { compileOperation, type Operation } from '../../../src/nft/compile/index.js'
import type { Element, NamedMap, NamedSet } from '../../../src/nft/model/index.js'
import { batchOf, Collector, renderElements } from './debug-notation.js'

const owner = { family: 'inet', table: 't' } as const

function compile(...operations: Operation[]): Collector {
  const sink = new Collector()
  const batch = batchOf(sink)
  for (const operation of operations) {
    batch.trail.enter(0)
    compileOperation(batch, operation, { echo: false })
  }
  return sink
}

function lines(
  element: Omit<Element, 'family' | 'table' | 'name'>,
  kind: 'add' | 'delete' = 'add',
): string[] {
  const whole = { element: { ...owner, name: 's', ...element } }
  const sink = compile(kind === 'add' ? { add: whole } : { delete: whole })
  const messages = kind === 'add' ? sink.of('nftNewElement') : sink.of('nftDelElement')
  return messages.flatMap(renderElements)
}

describe('elements, as nft --debug=netlink shows them', () => {
  test('a concatenated key', () => {
    expect(
      lines({
        type: ['ipv4_addr', 'ipv4_addr', 'inet_proto', 'inet_service'],
        elem: [{ concat: ['10.0.0.1', '10.0.0.2', 'tcp', 80] }],
      }),
    ).toEqual(['element 0100000a 0200000a 00000006 00005000  : 0 [end]'])
  })

  test('a verdict map and a map of addresses and ports', () => {
    expect(
      lines({
        type: ['ifname', 'ifname'],
        map: 'verdict',
        elem: [[{ concat: ['br0', 'br0'] }, { jump: { target: 'same_bridge' } }]],
      }),
    ).toEqual([
      'element 00307262 00000000 00000000 00000000 00307262 00000000 00000000 00000000  : jump -> same_bridge 0 [end]',
    ])
    expect(
      lines({
        type: ['ipv4_addr', 'inet_proto', 'inet_service'],
        map: ['ipv4_addr', 'inet_service'],
        elem: [[{ concat: ['1.2.3.4', 'tcp', 8080] }, { concat: ['172.17.0.2', 80] }]],
      }),
    ).toEqual(['element 04030201 00000006 0000901f  : 020011ac 00005000 0 [end]'])
  })

  test('intervals: sorted, half-open, the last without an end', () => {
    const elem = [
      '255.255.255.255',
      { range: ['192.168.0.5', '192.168.0.9'] as const },
      { prefix: { addr: '10.0.0.0', len: 8 } },
    ]
    expect(lines({ type: 'ipv4_addr', flags: ['interval'], elem })).toEqual([
      'element 0000000a  : 0 [end]',
      'element 0000000b  : 1 [end]',
      'element 0500a8c0  : 0 [end]',
      'element 0a00a8c0  : 1 [end]',
      'element ffffffff  : 0 [end]',
    ])
    const set: NamedSet = { ...owner, name: 's', type: 'ipv4_addr', flags: ['interval'], elem }
    expect(compile({ add: { set } }).of('nftNewElement').flatMap(renderElements)[0]).toBe(
      'element 00000000  : 1 [end]',
    )
  })

  test('what touches keeps its own end in a named set', () => {
    const elem = [{ range: [1, 4] as const }, { range: [5, 9] as const }]
    expect(lines({ type: 'inet_service', flags: ['interval'], elem })).toEqual([
      'element 00000100  : 0 [end]',
      'element 00000500  : 1 [end]',
      'element 00000500  : 0 [end]',
      'element 00000a00  : 1 [end]',
    ])
  })

  test('concatenated ranges have a key and an end', () => {
    const elem = [{ concat: [{ prefix: { addr: '10.0.0.0', len: 8 } }, { range: [80, 90] as const }] }]
    expect(lines({ type: ['ipv4_addr', 'inet_service'], flags: ['interval'], elem })).toEqual([
      'element 0000000a 00005000  - ffffff0a 00005a00  : 0 [end]',
    ])
  })

  test('deleting names the same keys as adding, of maps without what they map to', () => {
    const map = { type: 'inet_service', map: 'mark' } as const
    expect(lines({ ...map, elem: [[80, 5]] })).toEqual(['element 00005000  : 00000005 0 [end]'])
    expect(lines({ ...map, elem: [[80, 5], 81] }, 'delete')).toEqual([
      'element 00005000  : 0 [end]',
      'element 00005100  : 0 [end]',
    ])
    const interval = {
      type: 'ipv4_addr',
      flags: ['interval'],
      elem: [{ prefix: { addr: '10.0.0.0', len: 8 } }],
    } as const
    expect(lines(interval, 'delete')).toEqual(lines(interval))
  })

  test('timeouts and comments', () => {
    const element = { elem: { val: '10.0.0.1', timeout: 300, expires: 1.5, comment: 'web' } }
    const [list] = compile({
      add: { element: { ...owner, name: 's', type: 'ipv4_addr', elem: [element] } },
    }).of('nftNewElement')
    expect(list?.elements?.[0]).toEqual({
      key: { value: Uint8Array.of(10, 0, 0, 1) },
      timeout: 300_000n,
      expiration: 1500n,
      userdata: Uint8Array.of(0, 4, ...Buffer.from('web'), 0),
    })
  })

  test('the types come from the set that the same transaction adds', () => {
    const set: NamedMap = { ...owner, name: 's', type: 'ipv4_addr', map: 'mark', flags: ['interval'] }
    const sink = compile(
      { add: { map: set } },
      { add: { element: { ...owner, name: 's', elem: [['10.0.0.1', 7]] } } },
    )
    expect(sink.of('nftNewElement').flatMap(renderElements)).toEqual([
      'element 0100000a  : 00000007 0 [end]',
      'element 0200000a  : 1 [end]',
    ])
  })

  test('a message stays below what an attribute can be', () => {
    const elem = Array.from({ length: 5000 }, (_, index) => ({
      elem: { val: `10.0.${index >> 8}.${index & 255}`, comment: 'x'.repeat(100) },
    }))
    const lists = compile({ add: { element: { ...owner, name: 's', type: 'ipv4_addr', elem } } }).of(
      'nftNewElement',
    )
    expect(lists.length).toBeGreaterThan(8)
    const sizes = lists.map(({ elements = [] }) => elements.length * (4 + 12 + 4 + 104))
    expect(Math.max(...sizes)).toBeLessThan(60_000)
    expect(lists.flatMap(({ elements = [] }) => elements)).toHaveLength(elem.length)
  })
})

test('user data of sets as nft 1.0.6 writes it', () => {
  const set = (more: Partial<NamedSet>): number[] => {
    const [record] = compile({ add: { set: { ...owner, name: 's', type: 'inet_proto', ...more } } }).of(
      'nftNewSet',
    )
    return Array.from(record?.userdata ?? [])
  }
  // KEYBYTEORDER is 0 for one byte, 1 for host, 2 for big; COMMENT has its zero byte; MERGE_ELEMENTS.
  expect(set({ comment: 'cc' })).toEqual([0, 4, 0, 0, 0, 0, 7, 3, 99, 99, 0])
  expect(set({ type: 'mark', flags: ['interval'], 'auto-merge': true })).toEqual([
    0, 4, 1, 0, 0, 0, 2, 4, 1, 0, 0, 0,
  ])
  expect(set({ type: 'ipv4_addr' })).toEqual([0, 4, 2, 0, 0, 0])
  const [map] = compile({ add: { map: { ...owner, name: 'v', type: 'ifname', map: 'verdict' } } }).of(
    'nftNewSet',
  )
  expect(Array.from(map?.userdata ?? [])).toEqual([0, 4, 1, 0, 0, 0, 1, 4, 0, 0, 0, 0, 6, 4, 0, 0, 0, 0])
})
