import { afterEach, describe, expect, it } from 'vitest'
import { Namespace } from '../../src/netns/index.js'
import {
  concat,
  counter,
  ctCount,
  dup,
  elements,
  jhash,
  last,
  limit,
  mangle,
  map,
  match,
  meter,
  Nft,
  numgen,
  type PassingStatement,
  quota,
  resetTcpOption,
  symhash,
  type TableBuilder,
  table,
  tproxy,
  verdict,
  vmap,
} from '../../src/nft/index.js'
import { nft, nftFile } from '../support/tools.js'

const ports = concat(match.ip.saddr, match.tcp.dport)

/** What nft says, and what the builders say, in a chain of family ip: before routing, or with a route in `forward`. */
const rows: { readonly [nft: string]: readonly [...PassingStatement[], PassingStatement] } = {
  'meta mark set 0x1': [mangle(match.meta.mark, 1)],
  'meta mark set meta mark | 0x4000': [mangle(match.meta.mark, match.meta.mark.or(0x4000))],
  'meta mark set meta mark & 0xff': [mangle(match.meta.mark, match.meta.mark.and(0xff))],
  'ct mark set meta mark': [mangle(match.ct.mark, match.meta.mark)],
  'meta mark set ip saddr map { 10.0.0.1 : 0x1, 10.0.0.2 : 0x2 }': [
    mangle(
      match.meta.mark,
      map(match.ip.saddr, [
        ['10.0.0.1', 1],
        ['10.0.0.2', 2],
      ]),
    ),
  ],
  'ip dscp set cs1': [mangle(match.ip.dscp, 'cs1')],
  'ip ttl set 64': [mangle(match.ip.ttl, 64)],
  'tcp dport 80 tcp option maxseg size set 1400': [
    match.tcp.dport.eq(80),
    mangle(match.tcpOption.maxseg.size, 1400),
  ],
  'tcp flags syn tcp option maxseg size set rt mtu': [
    match.tcp.flags.in('syn'),
    mangle(match.tcpOption.maxseg.size, match.rt.mtu),
  ],
  'tcp option timestamp tsval set 5': [mangle(match.tcpOption.timestamp.tsval, 5)],
  'reset tcp option md5sig': [resetTcpOption('md5sig')],
  'add @seen { ip saddr }': [elements.add('seen', match.ip.saddr)],
  'update @seen { ip saddr timeout 1m }': [elements.update('seen', match.ip.saddr, { timeout: 60 })],
  'update @seen { ip saddr limit rate over 3/minute burst 5 packets }': [
    elements.update('seen', match.ip.saddr, { stmt: [limit({ rate: 3, per: 'minute', inv: true })] }),
  ],
  'delete @seen { ip saddr }': [elements.delete('seen', match.ip.saddr)],
  'add @pairs { ip saddr . tcp dport }': [elements.add('pairs', ports)],
  'add @marks { ip saddr : 0x5 }': [elements.add('marks', match.ip.saddr, { data: 5 })],
  'meter fast { ip saddr limit rate over 3/second burst 5 packets }': [
    meter('fast', match.ip.saddr, limit({ rate: 3, inv: true })),
  ],
  'quota over 500 bytes': [quota({ val: 500, inv: true })],
  'quota name "q"': [quota('q')],
  'counter name "c"': [counter('c')],
  'counter name ip saddr map @counters': [counter(map(match.ip.saddr, '@counters'))],
  'limit name "l"': [limit('l')],
  'ct count over 20': [ctCount({ val: 20, inv: true })],
  'tcp dport 80 tproxy to 127.0.0.1:3129': [
    match.tcp.dport.eq(80),
    tproxy({ addr: '127.0.0.1', port: 3129 }),
  ],
  'dup to 10.0.0.1 device "lo"': [dup({ addr: '10.0.0.1', dev: 'lo' })],
  'socket transparent 1': [match.socket.transparent.eq(1)],
  'socket mark 0x5': [match.socket.mark.eq(5)],
  'numgen inc mod 3 0': [numgen.inc(3).eq(0)],
  'numgen random mod 2 vmap { 0 : accept, 1 : drop }': [
    vmap(numgen.random(2), [
      [0, verdict.accept()],
      [1, verdict.drop()],
    ]),
  ],
  'jhash ip saddr . tcp dport mod 4 seed 0xbeef 1': [jhash(ports, { mod: 4, seed: 0xbeef }).eq(1)],
  'symhash mod 4 1': [symhash({ mod: 4 }).eq(1)],
  'rt nexthop 10.0.0.1': [match.rt.nexthop.eq('10.0.0.1')],
  'tcp option maxseg size 1400': [match.tcpOption.maxseg.size.eq(1400)],
  'tcp option sack-perm exists': [match.tcpOption['sack-perm'].exists()],
  'ip option lsrr exists': [match.ipOption.lsrr.exists()],
  'ct label 5': [match.ct.label.in(5)],
  'meta day "Monday"': [match.meta.day.eq('Monday')],
  'ip saddr 10.0.0.1-10.0.0.9': [match.ip.saddr.eq('10.0.0.1-10.0.0.9')],
  'ip saddr { 10.0.0.0/8, 192.168.0.1-192.168.0.9 }': [
    match.ip.saddr.in('10.0.0.0/8', '192.168.0.1-192.168.0.9'),
  ],
  'ip dscp vmap { cs1 : accept }': [vmap(match.ip.dscp, [['cs1', verdict.accept()]])],
}

const sets = `
table ip t {
  counter c { }
  quota q { over 25 mbytes }
  limit l { rate 400/minute }
  set seen { type ipv4_addr; size 100; flags dynamic,timeout; }
  set pairs { type ipv4_addr . inet_service; size 100; flags dynamic; }
  map marks { type ipv4_addr : mark; size 100; flags dynamic; }
  map counters { type ipv4_addr : counter; }
  chain c { type filter hook prerouting priority mangle; }
  chain f { type filter hook forward priority mangle; }
}
`

function declared(t: TableBuilder<'ip'>): readonly Parameters<ReturnType<Nft['transaction']>['add']>[0][] {
  return [
    t.table(),
    t.counter('c'),
    t.quota('q', { bytes: 25 * 1024 * 1024, inv: true }),
    t.limit('l', { rate: 400, per: 'minute' }),
    t.set('seen', { type: 'ipv4_addr', size: 100, flags: ['dynamic', 'timeout'] }),
    t.set('pairs', { type: ['ipv4_addr', 'inet_service'], size: 100, flags: ['dynamic'] }),
    t.map('marks', { type: 'ipv4_addr', map: 'mark', size: 100, flags: ['dynamic'] }),
    t.map('counters', { type: 'ipv4_addr', map: 'counter' }),
    t.chain('c', { type: 'filter', hook: 'prerouting', prio: 'mangle' }),
    t.chain('f', { type: 'filter', hook: 'forward', prio: 'mangle' }),
  ]
}

describe('builders say what nft says', () => {
  const open: { close(): void }[] = []
  afterEach(() => {
    for (const one of open.splice(0)) one.close()
  })

  async function namespace(): Promise<Namespace> {
    const created = await Namespace.create()
    open.push(created)
    return created
  }

  it('objects', async () => {
    const [theirs, ours] = [await namespace(), await namespace()]
    await nftFile(theirs, sets)
    using connection = await Nft.open({ netns: ours })
    const transaction = connection.transaction()
    for (const object of declared(table('ip', 't'))) transaction.add(object)
    await transaction.commit()
    expect(await nft(ours, 'list', 'ruleset')).toBe(await nft(theirs, 'list', 'ruleset'))
  })

  it.each(Object.entries(rows))('%s', async (text, statements) => {
    const [theirs, ours] = [await namespace(), await namespace()]
    const chain = text.includes('rt mtu') ? 'f' : 'c'
    await nftFile(theirs, `${sets}add rule ip t ${chain} ${text}\n`)
    using connection = await Nft.open({ netns: ours })
    const transaction = connection.transaction()
    const t = table('ip', 't')
    for (const object of declared(t)) transaction.add(object)
    transaction.add(t.rule(chain, ...statements))
    await transaction.commit()
    const list = (where: Namespace): Promise<string> => nft(where, 'list', 'chain', 'ip', 't', chain)
    expect(await list(ours)).toBe(await list(theirs))
  })

  it('last, which nft 1.0.6 does not know', () => {
    expect(last()).toEqual({ last: null })
  })
})
