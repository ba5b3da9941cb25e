/** Named outer headers of tunnels, which nft 1.0.6 does not know: the kernel's own listing is what they are compared with. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Namespace } from '../../src/netns/index.js'
import { Nft, type StatefulObject, table, tunnel } from '../../src/nft/index.js'

let namespace: Namespace
let connection: Nft
beforeAll(async () => {
  namespace = await Namespace.create()
  connection = await Nft.open({ netns: namespace })
})
afterAll(() => {
  connection.close()
  namespace.close()
})

const t = table('netdev', 't')
const ipv4 = { id: 10, 'dst-ipv4': '192.168.2.11', ttl: 255 } as const

const tunnels: readonly (readonly [string, StatefulObject])[] = [
  ['the least', t.tunnel('x', ipv4)],
  [
    'all of IPv4',
    t.tunnel('x', {
      id: 0xffffffff,
      'src-ipv4': '192.168.2.10',
      'dst-ipv4': '192.168.2.11',
      sport: 10,
      dport: 20,
      tos: 8,
      ttl: 10,
      flags: ['zero-csum-tx', 'dont-fragment', 'seq-number'],
      comment: 'of the tunnel',
    }),
  ],
  [
    'IPv6',
    t.tunnel('x', {
      id: 1,
      'src-ipv6': '2001:db8::1',
      'dst-ipv6': '2001:db8::2',
      ttl: 0,
      flowlabel: 0xabcde,
    }),
  ],
  ['vxlan', t.tunnel('x', { ...ipv4, type: 'vxlan', tunnel: { gbp: 200 } })],
  ['erspan, version 1', t.tunnel('x', { ...ipv4, type: 'erspan', tunnel: { version: 1, index: 5 } })],
  [
    'erspan, version 2',
    t.tunnel('x', { ...ipv4, type: 'erspan', tunnel: { version: 2, direction: 'egress', hwid: 10 } }),
  ],
  [
    'geneve',
    t.tunnel('x', {
      ...ipv4,
      type: 'geneve',
      tunnel: [{ class: 0x10, 'opt-type': 1, data: '0x12345678' }],
    }),
  ],
  [
    'several options of geneve',
    t.tunnel('x', {
      ...ipv4,
      type: 'geneve',
      tunnel: [
        { class: 0x10, 'opt-type': 1, data: '0x12345678' },
        { class: 0x20, 'opt-type': 2, data: '0x0102030405060708' },
      ],
    }),
  ],
]

/** What is listed of the table, without handles. */
async function listed(): Promise<unknown[]> {
  const { nftables } = await connection.list({ kinds: ['object', 'rule'] })
  return nftables.map((object) =>
    Object.fromEntries(
      Object.entries(object).map(([kind, { handle: _, ...inner }]: [string, { handle?: number }]) => [
        kind,
        inner,
      ]),
    ),
  )
}

describe('a tunnel is listed as it was added, and deleted', () => {
  it.each(tunnels)('%s', async (_, object) => {
    await connection.transaction().add(t.table()).add(object).commit()
    expect(await listed()).toEqual([object])
    await connection.transaction().delete(object).commit()
    expect(await listed()).toEqual([])
  })
})

it('a rule names it', async () => {
  const object = t.tunnel('x', ipv4)
  const rule = t.rule('c', tunnel('x'))
  await connection.transaction().add(t.table()).add(object).add(t.chain('c')).add(rule).commit()
  expect(await listed()).toEqual([object, rule])
  await expect(connection.transaction().delete(object).commit()).rejects.toMatchObject({ errno: 'EBUSY' })
})
