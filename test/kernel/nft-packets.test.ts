/** Rules that nft 1.0.6 writes so that they match nothing, or spoil what they touch: by the packets, not by the bytes. */
import { describe, expect, it } from 'vitest'
import { untilRunning } from '../../lab/wiring.js'
import type { Namespace } from '../../src/netns/index.js'
import {
  type ChainObject,
  concat,
  counter,
  type Family,
  mangle,
  map,
  match,
  Nft,
  network,
  type RulesetObject,
  ruleset,
  type Statement,
  toText,
} from '../../src/nft/index.js'
import { closeAfterEach, newNamespaces } from '../support/namespaces.js'
import { ip, nft, nftFile } from '../support/tools.js'
import { checksum, word } from './network/frames.js'
import {
  type Bytes,
  Capture,
  ethernet,
  ipv4,
  ipv6,
  sendAll,
  summed,
  tag,
  transportSum,
} from './nft-frames.js'

const keep = closeAfterEach()

/** Two machines, joined: 10.0.0.1 has `here`, 10.0.0.2 has `there`. */
async function machines(): Promise<{ readonly here: Namespace; readonly there: Namespace }> {
  const [here, there] = await newNamespaces(keep, 2)
  if (!here || !there) throw new Error('no namespaces')
  const peer = `/proc/${process.pid}/fd/${there.fd}`
  await ip(here, 'link', 'add', 'here', 'type', 'veth', 'peer', 'name', 'there', 'netns', peer)
  await ip(here, 'addr', 'add', '10.0.0.1/24', 'dev', 'here')
  await ip(there, 'addr', 'add', '10.0.0.2/24', 'dev', 'there')
  await ip(here, 'link', 'set', 'here', 'up')
  await ip(there, 'link', 'set', 'there', 'up')
  await untilRunning({ namespace: here }, 'here')
  await untilRunning({ namespace: there }, 'there')
  return { here, there }
}

const open = async (namespace: Namespace): Promise<Nft> => keep(await Nft.open({ netns: namespace }))

/** A chain that sees every frame, in which the last rule counts those of a type that nothing else has. */
const ingress = { family: 'netdev', table: 't' } as const
const chain: ChainObject = {
  chain: { ...ingress, name: 'c', type: 'filter', hook: 'ingress', dev: 'here', prio: 0 },
}
const last = 0x88b5
const table: RulesetObject = { table: { family: 'netdev', name: 't' } }
const rule = (comment: string, expr: readonly Statement[]): RulesetObject => ({
  rule: { ...ingress, chain: 'c', comment, expr: [...expr, counter()] },
})

/** How many packets each rule has counted, by its comment, once the last frame has come. */
async function counted(connection: Nft, family: Family): Promise<ReadonlyMap<string, number>> {
  for (;;) {
    const { nftables } = await connection.list({ family, table: 't' })
    const counts = new Map(
      nftables.flatMap((object): [string, number][] => {
        if (!('rule' in object)) return []
        const { comment = '', expr } = object.rule
        return expr.flatMap((statement): [string, number][] => {
          const found = 'counter' in statement ? statement.counter : undefined
          return typeof found === 'object' && found && 'packets' in found
            ? [[comment, found.packets ?? 0]]
            : []
        })
      }),
    )
    if ((counts.get('last') ?? 0) > 0) return counts
  }
}

/** Sends frames to `here`, and says which rules of its table matched. */
async function matching(
  { here, there }: Awaited<ReturnType<typeof machines>>,
  connection: Nft,
  frames: readonly Bytes[],
): Promise<readonly string[]> {
  await sendAll(there, 'frames', 'there', [...frames, ethernet(last, Array<number>(46).fill(0))])
  const counts = await counted(connection, 'netdev')
  expect(here.fd).toBeGreaterThan(0)
  return [...counts].flatMap(([comment, packets]) => (packets > 0 && comment !== 'last' ? [comment] : []))
}

describe('a field that begins within a byte and ends in the next', () => {
  const dscp = match.ip6.dscp
  const port = match.udp.dport
  const cs1 = 8
  const udp = [0, 53, 0, 80, 0, 8, 0, 0]
  const sets: readonly RulesetObject[] = [
    { set: { ...ingress, name: 'values', type: 'dscp', elem: ['cs1', 'af11'] } },
    { set: { ...ingress, name: 'ranges', type: 'dscp', flags: ['interval'], elem: [{ range: [8, 10] }] } },
    { set: { ...ingress, name: 'pairs', type: ['dscp', 'inet_service'], elem: [{ concat: ['cs1', 80] }] } },
    {
      set: {
        ...ingress,
        name: 'areas',
        type: ['dscp', 'inet_service'],
        flags: ['interval'],
        elem: [{ concat: [{ range: [8, 10] }, { range: [80, 90] }] }],
      },
    },
    { map: { ...ingress, name: 'marks', type: 'dscp', map: 'mark', elem: [['cs1', 5]] } },
  ]
  const rules: readonly RulesetObject[] = [
    rule('by itself', [dscp.eq('cs1')]),
    rule('literal set', [dscp.in('cs1', 'af11')]),
    rule('literal ranges', [dscp.in({ range: [8, 10] }, 'cs7')]),
    rule('set', [dscp.inSet('values')]),
    rule('set of ranges', [dscp.inSet('ranges')]),
    rule('set of pairs', [concat(dscp, port).inSet('pairs')]),
    rule('set of areas', [concat(dscp, port).inSet('areas')]),
    rule('literal pairs', [concat(dscp, port).in(['cs1', 80], ['af11', 90])]),
    rule('literal areas', [concat(dscp, port).in([{ range: [8, 10] }, { range: [80, 90] }])]),
    rule('map', [mangle(match.meta.mark, map(dscp, '@marks')), match.meta.mark.eq(5)]),
    rule('last', [match.ether.type.eq(last)]),
  ]
  const frame = (value: number): Bytes => ethernet(0x86dd, ipv6(17, udp, value << 2))

  it('is found in sets, maps and concatenations', async () => {
    const both = await machines()
    const connection = await open(both.here)
    await connection
      .transaction()
      .addAll([table, chain, ...sets, ...rules].map((add) => ({ add })))
      .commit()
    const all = rules.flatMap((object) => ('rule' in object ? [object.rule.comment ?? ''] : []))
    expect(await matching(both, connection, [frame(cs1)])).toEqual(all.filter((name) => name !== 'last'))
  })

  it('is not taken for another value', async () => {
    const both = await machines()
    const connection = await open(both.here)
    await connection
      .transaction()
      .addAll([table, chain, ...sets, ...rules].map((add) => ({ add })))
      .commit()
    // 0x20 is where cs1 stands in the bytes, 2 what is left of it when they are shifted as they are.
    expect(await matching(both, connection, [frame(0x20), frame(2), frame(0)])).toEqual([])
  })

  it('is listed as it was said, and made again it matches again', async () => {
    const both = await machines()
    const connection = await open(both.here)
    await connection
      .transaction()
      .addAll([table, chain, ...sets, ...rules].map((add) => ({ add })))
      .commit()
    const listed = await connection.list()
    expect(JSON.stringify(listed)).not.toContain('opaque')
    expect(toText(listed)).toContain('ip6 dscp . udp dport { cs1 . 80, af11 . 90 }')
    await connection.transaction().delete(table).commit()
    await connection.transaction().addAll(ruleset.toOperations(listed)).commit()
    expect(await matching(both, connection, [frame(cs1)])).toHaveLength(rules.length - 1)
  })

  it('as nft 1.0.6 writes it matches nothing, and stays as it is in a listing', async () => {
    const both = await machines()
    const connection = await open(both.here)
    const line = 'ip6 dscp . udp dport { cs1 . 80 } counter comment "theirs"'
    const end = `ether type ${last} counter comment "last"`
    const hook = 'type filter hook ingress device here priority 0;'
    await nftFile(both.here, `table netdev t {\nchain c { ${hook}\n${line}\n${end}\n}\n}\n`)
    expect(await matching(both, connection, [frame(cs1)])).toEqual([])
    const listed = await connection.list()
    const [theirs] = listed.nftables.flatMap((object) => ('rule' in object ? [object.rule] : []))
    expect(theirs?.expr.some((statement) => 'opaque' in statement)).toBe(true)
    // Made again it is theirs, no other.
    await connection.transaction().delete(table).commit()
    await connection.transaction().addAll(ruleset.toOperations(listed)).commit()
    expect(await matching(both, connection, [frame(cs1)])).toEqual([])
  })

  it('of thirteen bits is found as well', async () => {
    const both = await machines()
    const connection = await open(both.here)
    const { frag } = match.exthdr
    const pairs = concat(frag['frag-off'], frag['more-fragments'])
    await connection
      .transaction()
      .addAll(
        [
          table,
          chain,
          rule('offset', [frag['frag-off'].eq(300)]),
          rule('pair', [pairs.in([300, 1], [5, 0])]),
          rule('other', [pairs.in([301, 1])]),
          rule('last', [match.ether.type.eq(last)]),
        ].map((add) => ({ add })),
      )
      .commit()
    const fragment = [17, 0, (300 >> 5) & 0xff, ((300 & 0x1f) << 3) | 1, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8]
    expect(await matching(both, connection, [ethernet(0x86dd, ipv6(44, fragment))])).toEqual([
      'offset',
      'pair',
    ])
  })
})

describe('VLAN headers', () => {
  const packet = ipv4(1, [8, 0, 0, 0, 0, 0, 0, 0])
  const plain = ethernet(0x0800, packet)
  const tagged = ethernet(0x8100, tag(5, 0x0800, packet))
  const stacked = ethernet(0x88a8, tag(1, 0x8100, tag(2, 0x0800, packet)))
  const { id, type } = match.vlan

  it('one behind the other are told apart', async () => {
    const both = await machines()
    const connection = await open(both.here)
    const service = match.ether.type.eq('8021ad')
    const rules = [
      rule('outer', [service, id.eq(1)]),
      rule('inner', [service, id.eq(1), type.eq('8021q'), id.eq(2)]),
      rule('wrong inner', [service, type.eq('8021q'), id.eq(1)]),
      rule('inner and what it carries', [service, type.eq('8021q'), id.eq(2), type.eq('ip')]),
      rule('customer', [id.eq(5)]),
      rule('last', [match.ether.type.eq(last)]),
    ]
    await connection
      .transaction()
      .addAll([table, chain, ...rules].map((add) => ({ add })))
      .commit()
    expect(await matching(both, connection, [stacked])).toEqual([
      'outer',
      'inner',
      'inner and what it carries',
    ])
    const json = ruleset.toOperations(await connection.list())
    await connection.transaction().delete(table).commit()
    await connection.transaction().addAll(json).commit()
    expect(await matching(both, connection, [stacked])).toEqual([
      'outer',
      'inner',
      'inner and what it carries',
    ])
  })

  it('are not forgotten by a listing: made again, a rule for tagged packets passes over others', async () => {
    const both = await machines()
    const hook = 'type filter hook ingress device here priority 0;'
    const lines = [
      'ether type vlan ip protocol icmp counter comment "tagged"',
      'ip protocol icmp counter comment "plain"',
      `ether type ${last} counter comment "last"`,
    ]
    await nftFile(both.here, `table netdev t {\nchain c { ${hook}\n${lines.join('\n')}\n}\n}\n`)
    const connection = await open(both.here)
    const listed = await connection.list()
    await connection.transaction().delete(table).commit()
    await connection.transaction().addAll(ruleset.toOperations(listed)).commit()
    expect(await matching(both, connection, [plain])).toEqual(['plain'])
    await connection.transaction().delete(table).commit()
    await nftFile(both.here, `${toText(listed)}\n`)
    // The kernel finds the packet behind one header as well.
    expect(await matching(both, connection, [tagged])).toEqual(['tagged', 'plain'])
  })
})

describe('writing a field', () => {
  const udp = (port: number, sum: boolean): Bytes => {
    const datagram = [0, 53, port >> 8, port & 0xff, 0, 12, 0, 0, 1, 2, 3, 4]
    return sum ? summed(17, datagram, 6) : datagram
  }
  const others = {
    udplite: { protocol: 136, sum: 6, segment: [0, 53, 0, 80, 0, 0, 0, 0, 1, 2, 3, 4] },
    dccp: { protocol: 33, sum: 6, segment: [0, 53, 0, 80, 3, 0, 0, 0, 4, 0, 0, 1, 0, 0, 0, 0] },
    tcp: {
      protocol: 6,
      sum: 16,
      segment: [0, 53, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 1, 0, 0, 0, 0, 0],
    },
  } as const
  const output = { family: 'inet', table: 't' } as const
  const made: readonly RulesetObject[] = [
    { table: { family: 'inet', name: 't' } },
    { chain: { ...output, name: 'c', type: 'filter', hook: 'output', prio: 0 } },
  ]

  /** What arrives of packets that a rule of the sender has changed, in their order. */
  async function changed(
    { here, there }: Awaited<ReturnType<typeof machines>>,
    packets: readonly Bytes[],
  ): Promise<Bytes[]> {
    const capture = keep(await Capture.start(here, 'here'))
    await sendAll(there, 'packets', '', packets)
    const found: Bytes[] = []
    while (found.length < packets.length) {
      const packet = await capture.next()
      if (packet[9] !== 1) found.push(packet)
    }
    return found
  }
  const port = (packet: Bytes): number => ((packet[22] ?? 0) << 8) | (packet[23] ?? 0)
  const sumOf = (packet: Bytes): number => ((packet[26] ?? 0) << 8) | (packet[27] ?? 0)

  it('of a datagram keeps its checksum right, and gives none to one that has none', async () => {
    const both = await machines()
    const connection = await open(both.there)
    const set: RulesetObject = {
      rule: { ...output, chain: 'c', expr: [match.udp.dport.eq(80), mangle(match.udp.dport, 5353)] },
    }
    await connection
      .transaction()
      .addAll([...made, set].map((add) => ({ add })))
      .commit()
    expect(await nft(both.there, 'list', 'ruleset')).toContain('udp dport 80 udp dport set 5353')
    const [without, with_] = await changed(both, [ipv4(17, udp(80, false)), ipv4(17, udp(80, true))])
    if (!without || !with_) throw new Error('packets are missing')
    expect([port(without), port(with_)]).toEqual([5353, 5353])
    expect(sumOf(without)).toBe(0)
    expect(transportSum(17, with_.slice(20))).toBe(0)
  })

  it('as nft 1.0.6 does it spoils a datagram that has no checksum', async () => {
    const both = await machines()
    const hook = 'type filter hook output priority 0;'
    await nftFile(both.there, `table inet t {\nchain c { ${hook}\nudp dport 80 udp dport set 5353\n}\n}\n`)
    const [without] = await changed(both, [ipv4(17, udp(80, false))])
    expect(without && sumOf(without)).not.toBe(0)
    expect(without && transportSum(17, without.slice(20))).not.toBe(0)
    // It is listed all the same, and mended where it is made again.
    const connection = await open(both.there)
    const listed = await connection.list()
    expect(toText(listed)).toContain('udp dport 80 udp dport set 5353')
    await connection
      .transaction()
      .delete({ table: { family: 'inet', name: 't' } })
      .commit()
    await connection.transaction().addAll(ruleset.toOperations(listed)).commit()
    const [again] = await changed(both, [ipv4(17, udp(80, false))])
    expect(again && [port(again), sumOf(again)]).toEqual([5353, 0])
  })

  it.each([
    ['udplite', 'udplite', match.udplite.dport],
    ['dccp', 'dccp', match.dccp.dport],
    ['tcp', 'tcp', match.tcp.dport],
    ['th', 'tcp', match.th.dport],
  ] as const)('of %s keeps the checksum of %s right', async (_, name, field) => {
    const both = await machines()
    const connection = await open(both.there)
    const { protocol, sum, segment } = others[name]
    const set: RulesetObject = {
      rule: { ...output, chain: 'c', expr: [match.meta.l4proto.eq(protocol), mangle(field, 5353)] },
    }
    await connection
      .transaction()
      .addAll([...made, set].map((add) => ({ add })))
      .commit()
    const [packet] = await changed(both, [ipv4(protocol, summed(protocol, segment, sum))])
    expect(packet && port(packet)).toBe(5353)
    expect(packet && transportSum(protocol, packet.slice(20))).toBe(0)
    expect(packet && checksum(packet.slice(0, 20))).toBe(0)
  })
})

it('a network is compared as one number where it is shifted', async () => {
  const both = await machines()
  const connection = await open(both.here)
  const { saddr } = match.ip
  const rules = [
    rule('right', [{ match: { op: '==', left: { '>>': [saddr.expression, 8] }, right: '0.10.0.0' } }]),
    rule('left', [{ match: { op: '==', left: { '<<': [saddr.expression, 8] }, right: '0.0.2.0' } }]),
    rule('other', [{ match: { op: '==', left: { '>>': [saddr.expression, 8] }, right: '0.10.0.2' } }]),
    rule('network', [saddr.eq(network('10.0.0.0/24'))]),
    rule('last', [match.ether.type.eq(last)]),
  ]
  await connection
    .transaction()
    .addAll([table, chain, ...rules].map((add) => ({ add })))
    .commit()
  const frame = ethernet(0x0800, ipv4(17, [0, 53, 0, 80, 0, 8, 0, 0]))
  expect(await matching(both, connection, [frame])).toEqual(['right', 'left', 'network'])
})

describe('what a tunnel carries', () => {
  const datagram = (port: number, data: Bytes): Bytes => [
    ...word(9999),
    ...word(port),
    ...word(8 + data.length),
    ...word(0),
    ...data,
  ]
  const geneve = (carried: Bytes): Bytes => [0, 0, ...word(0x6558), 0, 0, 1, 0, ...carried]
  const vxlan = (vni: number, carried: Bytes): Bytes => [8, 0, 0, 0, 0, 0, vni, 0, ...carried]
  const gre = (type: number, carried: Bytes): Bytes => [0, 0, ...word(type), ...carried]
  const carried = ipv4(17, datagram(53, []))
  const outside = (protocol: number, data: Bytes): Bytes => ethernet(0x0800, ipv4(protocol, data))
  const inVxlan = match.inside('vxlan')
  const rules: readonly RulesetObject[] = [
    rule('vni', [match.udp.dport.eq(4789), inVxlan.vxlan.vni.eq(10)]),
    rule('vxlan port', [match.udp.dport.eq(4789), inVxlan.udp.dport.eq(53)]),
    rule('vxlan pair', [
      match.udp.dport.eq(4789),
      concat(inVxlan.ip.saddr, inVxlan.udp.dport).in(['10.0.0.2', 53], ['10.0.0.3', 53]),
    ]),
    rule('geneve echo', [match.udp.dport.eq(6081), match.inside('geneve').icmp.type.eq('echo-request')]),
    rule('gre', [match.inside('gre').ip.daddr.eq('10.0.0.1')]),
    rule('gretap', [match.inside('gretap').ether.type.eq('ip')]),
    rule('port', [match.udp.dport.eq(53)]),
    rule('last', [match.ether.type.eq(last)]),
  ]

  // One protocol for each tunnel: where a packet's memory was that of another just before, the kernel (6.18) takes what it
  // found in that for the second rule that looks into the same kind of tunnel.
  it('is matched by its fields, and the same after a listing', async () => {
    const both = await machines()
    const connection = await open(both.here)
    await connection
      .transaction()
      .addAll([table, chain, ...rules].map((add) => ({ add })))
      .commit()
    const expected: readonly (readonly [Bytes, readonly string[]])[] = [
      [
        outside(17, datagram(4789, vxlan(10, ethernet(0x0800, carried)))),
        ['vni', 'vxlan port', 'vxlan pair'],
      ],
      [outside(17, datagram(4789, vxlan(11, ethernet(0x0800, ipv4(17, datagram(54, [])))))), []],
      [outside(17, datagram(4790, vxlan(10, ethernet(0x0800, carried)))), []],
      [
        outside(17, datagram(6081, geneve(ethernet(0x0800, ipv4(1, [8, 0, 0, 0, 0, 0, 0, 0]))))),
        ['geneve echo'],
      ],
      [outside(47, gre(0x0800, carried)), ['gre']],
      [outside(17, datagram(53, carried)), ['port']],
    ]
    const { nftables } = await connection.list()
    expect(
      nftables
        .flatMap((object) => ('rule' in object ? object.rule.expr : []))
        .filter((each) => 'opaque' in each),
    ).toEqual([])
    for (const made of [[table, chain, ...rules].map((add) => ({ add })), ruleset.toOperations({ nftables })])
      for (const [frame, names] of expected) {
        await connection.transaction().flush({ ruleset: null }).addAll(made).commit()
        expect(await matching(both, connection, [frame])).toEqual(names)
      }
  })
})

describe('what is computed of several fields', () => {
  const rules: readonly RulesetObject[] = [
    rule('wider', [mangle(match.meta.mark, match.ip.dscp), match.meta.mark.eq(10)]),
    rule('shifted', [
      mangle(match.meta.mark, match.ip.dscp.shiftLeft(20).or(5)),
      match.meta.mark.eq(0xa00005),
    ]),
    rule('of two bytes', [mangle(match.meta.mark, match.udp.dport.or(0x10000)), match.meta.mark.eq(0x10035)]),
    rule('of three', [
      match.udp.dport.eq(53),
      mangle(match.meta.mark, match.raw('th', 96, 24)),
      match.meta.mark.eq(0x10203),
    ]),
    rule('of two', [
      mangle(match.meta.mark, 0x500),
      mangle(match.meta.mark, match.meta.mark.or(match.ip.dscp)),
      match.meta.mark.eq(0x50a),
    ]),
    rule('of both orders', [
      mangle(match.meta.mark, 0x500),
      mangle({ meta: { key: 'mark' } }, match.ip.saddr.xor(match.meta.mark)),
      match.meta.mark.eq(0x0a000502),
    ]),
    rule('last', [match.ether.type.eq(last)]),
  ]

  it('is a number of the machine', async () => {
    const both = await machines()
    const connection = await open(both.here)
    const made = [table, chain, ...rules].map((add) => ({ add }))
    await connection.transaction().addAll(made).commit()
    const { nftables } = await connection.list()
    const packet = ipv4(17, [0, 9, 0, 53, 0, 16, 0, 0, 8, 0, 0, 0, 1, 2, 3, 0])
    const frame = ethernet(0x0800, [0x45, 10 << 2, ...packet.slice(2)])
    const names = rules.flatMap((object) => ('rule' in object ? [object.rule.comment] : []))
    for (const operations of [made, ruleset.toOperations({ nftables })]) {
      await connection.transaction().flush({ ruleset: null }).addAll(operations).commit()
      expect(await matching(both, connection, [frame])).toEqual(names.filter((name) => name !== 'last'))
    }
  })
})
