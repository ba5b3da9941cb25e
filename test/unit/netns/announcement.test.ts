import { expect, test } from 'vitest'
import { IPv4Address, IPv6Address, MacAddress } from '../../../src/address/index.js'
import { announcementFrame } from '../../../src/netns/announcement.js'

const mac = MacAddress.parse('02:42:ac:11:00:02')
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

test('a gratuitous ARP reply, byte by byte', () => {
  expect(hex(announcementFrame(IPv4Address.parse('172.17.0.2'), mac))).toBe(
    ['ffffffffffff', '0242ac110002', '0806', '0001', '0800', '06', '04', '0002']
      .concat(['0242ac110002', 'ac110002', '0242ac110002', 'ac110002'])
      .join(''),
  )
})

test('an unsolicited neighbour advertisement, byte by byte', () => {
  const target = 'fd000000000000000000000000000002'
  expect(hex(announcementFrame(IPv6Address.parse('fd00::2'), mac))).toBe(
    ['333300000001', '0242ac110002', '86dd', '60000000', '0020', '3a', 'ff', target]
      // The checksum is right: tcpdump says so, in test/kernel/netns-announcement.test.ts.
      .concat([
        'ff020000000000000000000000000001',
        '8800',
        'ae44',
        '20000000',
        target,
        '0201',
        '0242ac110002',
      ])
      .join(''),
  )
})
