import { describe, expect, test } from 'vitest'
import {
  concat,
  counter,
  limit,
  log,
  type MetaKey,
  map,
  masquerade,
  match,
  nat,
  notrack,
  redirect,
  reject,
  type Statement,
  verdict,
  vmap,
} from '../../../src/nft/index.js'
import { readCases } from './cases.js'

/** Rules in nft's syntax (of the table of cases) as the builders write them. */
const written: { readonly [nft: string]: readonly Statement[] } = {
  'ip saddr != 10.0.0.0/8': [match.ip.saddr.ne('10.0.0.0/8')],
  'tcp dport 1-1024': [match.tcp.dport.between(1, 1024)],
  'tcp dport != 1-1024': [match.tcp.dport.notBetween(1, 1024)],
  'tcp dport > 5': [match.tcp.dport.gt(5)],
  'tcp dport { 1-5, 80 }': [match.tcp.dport.in({ range: [1, 5] }, 80)],
  'tcp dport @ports': [match.tcp.dport.inSet('ports')],
  'ip saddr != @s4': [match.ip.saddr.notInSet('@s4')],
  'tcp flags syn,ack': [match.tcp.flags.in('syn', 'ack')],
  'tcp flags == syn|ack': [match.tcp.flags.eq('syn', 'ack')],
  'tcp flags ! syn': [match.tcp.flags.none('syn')],
  'ct state new': [match.ct.state.in('new')],
  'ct status snat,dnat': [match.ct.status.in('snat', 'dnat')],
  'ct mark & 0xff == 5': [match.ct.mark.and(255).eq(5)],
  'ct original ip saddr 1.1.1.1': [match.ct.original.ip.saddr.eq('1.1.1.1')],
  'ct original packets 5': [match.ct.original.packets.eq(5)],
  'iifname { "eth0", "eth1" }': [match.iifname.in('eth0', 'eth1')],
  'oifname != "veth*"': [match.meta.oifname.ne('veth*')],
  'meta skuid 1000-2000': [match.meta.skuid.between(1000, 2000)],
  'fib daddr type local': [match.fib.type('daddr').eq('local')],
  'fib saddr . iif oif missing': [match.fib.oif('saddr', 'iif').missing()],
  'icmp type echo-request': [match.icmp.type.eq('echo-request')],
  'ether saddr 00:11:22:33:44:55': [match.ether.saddr.eq('00:11:22:33:44:55')],
  '@nh,96,32 0x01020304': [match.raw('nh', 96, 32).eq(0x01020304)],
  'limit rate over 10/minute burst 7 packets': [limit({ rate: 10, per: 'minute', burst: 7, inv: true })],
  'log prefix "abc: "': [log({ prefix: 'abc: ' })],
  'reject with tcp reset': [reject({ type: 'tcp reset' })],
  counter: [counter()],
  notrack: [notrack()],
  return: [verdict.return()],
  continue: [verdict.continue()],
  'goto other': [verdict.goto('other')],
  'tcp dport vmap { 80 : jump other, 443 : goto other }': [
    vmap(match.tcp.dport, [
      [80, verdict.jump('other')],
      [443, verdict.goto('other')],
    ]),
  ],
  'ct state vmap { established : accept, new : jump other }': [
    vmap(match.ct.state, { established: verdict.accept(), new: verdict.jump('other') }),
  ],
  'iifname . oifname { "eth0" . "eth1" }': [concat(match.iifname, match.oifname).in(['eth0', 'eth1'])],
  'dnat ip to ip daddr map @ma': [nat.dnat({ family: 'ip', map: { key: match.ip.daddr, data: '@ma' } })],
  'dnat ip to ip saddr map { 1.1.1.1 : 2.2.2.2, 3.3.3.3 : 4.4.4.4 }': [
    nat.dnat({
      family: 'ip',
      addr: map(match.ip.saddr, [
        ['1.1.1.1', '2.2.2.2'],
        ['3.3.3.3', '4.4.4.4'],
      ]),
    }),
  ],
  'masquerade random': [masquerade({ flags: 'random' })],
  'snat ip to 10.0.0.1': [nat.snat({ family: 'ip', addr: '10.0.0.1' })],
  'tcp dport 80 redirect to :8080': [match.tcp.dport.eq(80), redirect({ port: 8080 })],
}

describe('builders make the values of the model', () => {
  const cases = new Map(
    readCases()
      .filter(({ family }) => family === 'inet')
      .map(({ nft, expr }) => [nft, expr]),
  )
  test.each(Object.entries(written))('%s', (nft, expr) => {
    expect(cases.get(nft)).toBeDefined()
    expect(expr).toEqual(cases.get(nft))
  })

  test('every key of meta has its builder', () => {
    const keys: { readonly [K in MetaKey]: true } = {
      length: true,
      protocol: true,
      priority: true,
      random: true,
      mark: true,
      iif: true,
      iifname: true,
      iiftype: true,
      oif: true,
      oifname: true,
      oiftype: true,
      skuid: true,
      skgid: true,
      nftrace: true,
      rtclassid: true,
      ibrname: true,
      obrname: true,
      ibridgename: true,
      obridgename: true,
      ibriport: true,
      obriport: true,
      ibrpvid: true,
      ibrvproto: true,
      pkttype: true,
      cpu: true,
      iifgroup: true,
      oifgroup: true,
      cgroup: true,
      nfproto: true,
      l4proto: true,
      ipsec: true,
      secpath: true,
      secmark: true,
      time: true,
      day: true,
      hour: true,
      iifkind: true,
      oifkind: true,
      sdif: true,
      sdifname: true,
      broute: true,
      ibrhwaddr: true,
    }
    expect(Object.keys(match.meta).sort()).toEqual(Object.keys(keys).sort())
  })

  test('the values are plain: they survive JSON', () => {
    for (const expr of Object.values(written)) expect(JSON.parse(JSON.stringify(expr))).toEqual(expr)
  })

  test('wrong words do not compile', () => {
    // @ts-expect-error there is no such state
    expect(match.ct.state.in('old')).toBeDefined()
    // @ts-expect-error tcp has no such field
    expect(match.tcp.port).toBeUndefined()
    // @ts-expect-error an address is no number
    expect(match.ip.saddr.eq(5)).toBeDefined()
    // @ts-expect-error there is no such type of message
    expect(match.icmp.type.eq('ping')).toBeDefined()
    const wrong: Statement = {
      // @ts-expect-error a header and a field of another
      match: { op: '==', left: { payload: { protocol: 'udp', field: 'flags' } }, right: 1 },
    }
    expect(wrong).toBeDefined()
    // @ts-expect-error no such verdict
    const none: Statement = { allow: null }
    expect(none).toBeDefined()
  })
})
