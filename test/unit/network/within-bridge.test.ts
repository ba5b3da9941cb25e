import { expect, test } from 'vitest'
import { concernsTrafficWithin } from '../../../src/network/rules/within-bridge.js'
import { type Expression, type MetaKey, match, type Statement, verdict } from '../../../src/nft/index.js'

const BRIDGES = ['docker0', 'br-web']

function requires(key: MetaKey, right: Expression): Statement {
  return { match: { op: '==', left: { meta: { key } }, right } }
}

const ADDRESS = match.ip.saddr.eq('10.0.0.1')
const COUNTER: Statement = { counter: null }

const ELSEWHERE: readonly (readonly [string, readonly Statement[]])[] = [
  ['an uplink', [match.iifname.eq('eth0'), verdict.drop()]],
  ['where it leaves', [match.oifname.eq('eth0'), verdict.drop()]],
  ['by its index', [requires('iif', 'lo'), verdict.drop()]],
  ['where it leaves, by its index', [requires('oif', 'eth0'), verdict.drop()]],
  ['behind another match', [ADDRESS, match.iifname.eq('eth0'), COUNTER, verdict.drop()]],
  ['several', [requires('iifname', { set: ['eth0', 'eth1'] }), verdict.drop()]],
  ['an element with a comment', [requires('iifname', { set: [{ elem: { val: 'eth0' } }] }), verdict.drop()]],
  ['all that begin alike', [match.iifname.eq('eth*'), verdict.drop()]],
  ['a star that is part of a name', [match.iifname.eq('docker\\*'), verdict.drop()]],
  ['a jump', [match.iifname.eq('eth0'), verdict.jump('mine')]],
  [
    'a bridge that it leaves by the uplink',
    [match.iifname.eq('docker0'), match.oifname.eq('eth0'), verdict.drop()],
  ],
  ['from a bridge to another', [match.iifname.eq('docker0'), match.oifname.eq('br-web'), verdict.drop()]],
  ['no effect, and an uplink', [match.iifname.eq('eth0')]],
]

test.each(ELSEWHERE)('does not concern a bridge: %s', (_, expr) => {
  expect(concernsTrafficWithin(expr, BRIDGES)).toBe(false)
})

const WITHIN: readonly (readonly [string, readonly Statement[]])[] = [
  ['addresses', [ADDRESS, verdict.drop()]],
  ['all', [verdict.accept()]],
  ['a bridge', [match.iifname.eq('docker0'), verdict.drop()]],
  ['in and out by the same', [match.iifname.eq('docker0'), match.oifname.eq('docker0'), verdict.drop()]],
  ['one of several', [requires('oifname', { set: ['eth0', 'br-web'] }), verdict.drop()]],
  ['one of several that begin alike', [requires('oifname', { set: ['eth0', 'br-*'] }), verdict.drop()]],
  ['all that begin alike', [match.iifname.eq('docker*'), verdict.drop()]],
  ['any name', [match.iifname.eq('*'), verdict.drop()]],
  ['all but an uplink', [match.iifname.ne('eth0'), verdict.drop()]],
  ['a counter', [COUNTER]],
  ['a counter in front', [COUNTER, match.iifname.eq('eth0'), verdict.drop()]],
  ['a log', [{ log: { prefix: 'seen' } }]],
  ['a jump', [verdict.jump('mine')]],
  ['a named set', [match.iifname.eq('@uplinks'), verdict.drop()]],
  ['a number', [requires('iif', 3), verdict.drop()]],
  [
    'an element that is not understood',
    [requires('iifname', { set: ['eth0', { range: ['a', 'b'] }] }), verdict.drop()],
  ],
  ['the kind of an interface', [requires('iifkind', 'bridge'), verdict.drop()]],
  ['a statement that is not understood', [{ opaque: { expressions: [{ name: 'new' }] } }, verdict.drop()]],
]

test.each(WITHIN)('may concern a bridge: %s', (_, expr) => {
  expect(concernsTrafficWithin(expr, BRIDGES)).toBe(true)
})

test('concerns nothing where there is no bridge', () => {
  expect(concernsTrafficWithin([verdict.drop()], [])).toBe(false)
})
