import { endianness } from 'node:os'
import { describe, expect, test } from 'vitest'
import {
  datatype,
  datatypeById,
  InvalidValue,
  keyLayout,
  readField,
  typesFromId,
  writeField,
} from '../../../src/nft/datatype/index.js'
import type { DatatypeName, Immediate } from '../../../src/nft/model/index.js'

const host = (bytes: readonly number[]): number[] =>
  endianness() === 'LE' ? [...bytes].reverse() : [...bytes]

/** Name, nft's number (`nft describe` and include/datatype.h), length, and values with their bytes in a register. */
type Values = readonly (readonly [Immediate, readonly number[]])[]

const table: readonly (readonly [DatatypeName, number, number, Values])[] = [
  [
    'nf_proto',
    2,
    1,
    [
      ['ipv4', [2]],
      ['ipv6', [10]],
      [5, [5]],
    ],
  ],
  [
    'ipv4_addr',
    7,
    4,
    [
      ['172.17.0.2', [172, 17, 0, 2]],
      ['255.255.255.255', [255, 255, 255, 255]],
      ['0.0.0.0', [0, 0, 0, 0]],
    ],
  ],
  ['ipv6_addr', 8, 16, [['fe80::1', [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]]]],
  ['ether_addr', 9, 6, [['02:42:ac:11:00:02', [2, 0x42, 0xac, 0x11, 0, 2]]]],
  [
    'ether_type',
    10,
    2,
    [
      ['ip', [8, 0]],
      ['arp', [8, 6]],
      ['ip6', [0x86, 0xdd]],
      [0x1234, [0x12, 0x34]],
    ],
  ],
  ['arp_op', 11, 2, [['reply', [0, 2]]]],
  [
    'inet_proto',
    12,
    1,
    [
      ['tcp', [6]],
      ['udp', [17]],
      ['ipv6-icmp', [58]],
      [200, [200]],
    ],
  ],
  [
    'inet_service',
    13,
    2,
    [
      [80, [0, 80]],
      [65535, [255, 255]],
    ],
  ],
  ['icmp_type', 14, 1, [['echo-request', [8]]]],
  [
    'tcp_flag',
    15,
    1,
    [
      ['syn', [2]],
      [3, [3]],
    ],
  ],
  [
    'mark',
    19,
    4,
    [
      [0x01020304, host([1, 2, 3, 4])],
      [0xffffffff, [255, 255, 255, 255]],
    ],
  ],
  [
    'iface_index',
    20,
    4,
    [
      ['lo', host([0, 0, 0, 1])],
      [7, host([0, 0, 0, 7])],
    ],
  ],
  [
    'classid',
    23,
    4,
    [
      ['1:2', host([0, 1, 0, 2])],
      ['none', [0, 0, 0, 0]],
      ['root', [255, 255, 255, 255]],
    ],
  ],
  [
    'ct_state',
    26,
    4,
    [
      ['new', host([0, 0, 0, 8])],
      ['established', host([0, 0, 0, 2])],
    ],
  ],
  ['ct_status', 28, 4, [['dnat', host([0, 0, 0, 32])]]],
  ['fib_addrtype', 38, 4, [['local', host([0, 0, 0, 2])]]],
  ['time', 18, 4, [[1.5, host([0, 0, 5, 220])]]],
  [
    'boolean',
    39,
    1,
    [
      [true, [1]],
      [false, [0]],
    ],
  ],
  ['ifname', 41, 16, [['veth1', [...Buffer.from('veth1'), ...Array<number>(11).fill(0)]]]],
]

describe('data types', () => {
  test.each(table)('%s', (name, id, length, values) => {
    const type = datatype(name)
    expect(type.id).toBe(id)
    expect(datatypeById(id)).toBe(type)
    expect(Math.ceil(type.bits / 8)).toBe(length)
    for (const [value, bytes] of values) {
      const target = new Uint8Array(length + 2).fill(0xee)
      const order = type.order ?? 'big'
      type.write(value, target, 1, length, order)
      expect(Array.from(target)).toEqual([0xee, ...bytes, 0xee])
      expect(type.read(target, 1, length, order)).toBe(value)
    }
  })

  test('what else is taken, and how it is shown', () => {
    const through = (name: DatatypeName, value: Immediate): Immediate => {
      const type = datatype(name)
      const bytes = new Uint8Array(Math.ceil(type.bits / 8))
      type.write(value, bytes, 0, bytes.length, type.order ?? 'big')
      return type.read(bytes, 0, bytes.length, type.order ?? 'big')
    }
    expect(through('inet_service', 'https')).toBe(443)
    expect(through('inet_service', '0x50')).toBe(80)
    expect(through('inet_proto', 'icmpv6')).toBe('ipv6-icmp')
    expect(through('inet_proto', 6)).toBe('tcp')
    expect(through('ct_state', 4)).toBe('related')
    expect(through('ct_label', 5)).toBe(5)
    expect(through('pkt_type', 'unicast')).toBe('host')
    expect(through('ether_addr', '02:42:AC:11:00:02')).toBe('02:42:ac:11:00:02')
    expect(through('ipv6_addr', 'FE80:0:0::1')).toBe('fe80::1')
    expect(through('ifname', 'fünf')).toBe('fünf')
  })

  const refused: readonly (readonly [DatatypeName, Immediate])[] = [
    ['ipv4_addr', '10.0.0'],
    ['ipv4_addr', '10.0.0.0.1'],
    ['ipv4_addr', '10..0.1'],
    ['ipv4_addr', '010.0.0.1'],
    ['ipv4_addr', ' 10.0.0.1'],
    ['ipv4_addr', '1.2.3.4x'],
    ['ipv4_addr', ''],
    ['ipv4_addr', 5],
    ['ipv6_addr', 'fe80::1%eth0'],
    ['ipv6_addr', '10.0.0.1'],
    ['ether_addr', '02:42:ac:11:00'],
    ['ether_addr', '02-42-ac-11-00-02'],
    ['inet_service', 65536],
    ['inet_service', -1],
    ['inet_service', 1.5],
    ['inet_service', 'nosuch'],
    ['inet_proto', 256],
    ['ct_state', 'old'],
    ['ifname', ''],
    ['ifname', 'sixteen-bytes-xx'],
    ['ifname', 'fünfzehn-äöü-ßß'],
    ['ifname', 'a\0b'],
    ['mark', 2 ** 32],
    ['dscp', 64],
    ['time', -1],
  ]
  test.each(refused)('%s does not take %j', (name, value) => {
    const type = datatype(name)
    const bytes = new Uint8Array(16)
    expect(() => type.write(value, bytes, 0, Math.ceil(type.bits / 8), type.order ?? 'big')).toThrow(
      InvalidValue,
    )
  })
})

describe('concatenations', () => {
  test('fields are padded to four bytes, types take six bits each', () => {
    const layout = keyLayout(['ifname', 'ether_addr', 'ipv4_addr', 'inet_proto', 'inet_service'])
    expect(layout.fields.map(({ offset, length }) => [offset, length])).toEqual([
      [0, 16],
      [16, 6],
      [24, 4],
      [28, 1],
      [32, 2],
    ])
    expect(layout.length).toBe(36)
    expect(layout.typeId).toBe((((41 * 64 + 9) * 64 + 7) * 64 + 12) * 64 + 13)
    expect(typesFromId(layout.typeId)).toEqual([
      'ifname',
      'ether_addr',
      'ipv4_addr',
      'inet_proto',
      'inet_service',
    ])
  })

  test('one field is not padded', () => {
    expect(keyLayout('inet_proto')).toMatchObject({ length: 1, typeId: 12, order: undefined })
    expect(keyLayout(['mark'])).toMatchObject({ length: 4, typeId: 19, order: 'host' })
  })

  test('values go in and come out', () => {
    const layout = keyLayout(['ipv4_addr', 'inet_proto', 'inet_service'])
    const key = new Uint8Array(layout.length)
    const values: Immediate[] = ['172.17.0.2', 'tcp', 80]
    for (const [index, field] of layout.fields.entries()) writeField(field, values[index] ?? '', key)
    expect(Array.from(key)).toEqual([172, 17, 0, 2, 6, 0, 0, 0, 0, 80, 0, 0])
    expect(layout.fields.map((field) => readField(field, key))).toEqual(values)
  })

  test('numbers of types that are not known', () => {
    expect(typesFromId(63)).toBeUndefined()
    expect(typesFromId(0)).toBeUndefined()
    expect(typesFromId(0xffffff00)).toBeUndefined()
  })
})
