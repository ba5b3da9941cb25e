/** Properties that nothing of the model has are refused by name, wherever a plain object is taken. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NfbridgeError } from '../../../src/errors.js'
import { atOnce } from '../../../src/native/slices.js'
import { match, type Operation, prepare, slot, verdict } from '../../../src/nft/index.js'
import { unknownKeyOf } from '../../../src/nft/json/unknown-keys.js'
import { maps, rules, sets } from '../../support/nft-arbitraries.js'

const owner = { family: 'inet', table: 't' } as const

function foundIn(operation: object): string | undefined {
  const found = atOnce(unknownKeyOf(operation))
  return found && `${found.steps.join('.')}: ${found.message}`
}

const rule = (...expr: readonly unknown[]): object => ({ add: { rule: { ...owner, chain: 'c', expr } } })
const left = { payload: { protocol: 'tcp', field: 'dport' } }

test.for([
  [rule({ accept: null, drop: null }), 'rule.expr.0.drop: "accept" and "drop" do not go together'],
  [rule({ counter: null }, { acept: null }), 'rule.expr.1.acept: there is no property "acept" here'],
  [
    rule({ match: { left, right: 1, opp: '==' } }),
    'rule.expr.0.match.opp: there is no property "opp" here, only',
  ],
  [
    rule({ match: { op: '==', left, right: { set: [{ rang: [1, 2] }] } } }),
    'rule.expr.0.match.right.set.0.rang',
  ],
  [
    rule({ match: { op: '==', left: { payload: { ...left.payload, base: 'th' } }, right: 1 } }),
    'rule.expr.0.match.left.payload.',
  ],
  [{ add: { rule: { ...owner, chain: 'c', coment: 'x', expr: [] } } }, 'rule.coment'],
  [{ insert: { rule: { ...owner, chain: 'c', place: 1, expr: [] } } }, 'rule.place'],
  [
    { add: { table: { family: 'inet', name: 't', flag: ['dormant'] } } },
    'table.flag: there is no property "flag"',
  ],
  [{ create: { chain: { ...owner, name: 'c', priority: 0 } } }, 'chain.priority'],
  [{ add: { set: { ...owner, name: 's', type: 'mark', elements: [1] } } }, 'set.elements'],
  [
    { add: { set: { ...owner, name: 's', type: 'mark', elem: [1, { elem: { val: 2, coment: 'x' } }] } } },
    'set.elem.1.elem.coment',
  ],
  [
    {
      add: { map: { ...owner, name: 'm', type: 'mark', map: 'verdict', elem: [[1, { jump: { to: 'c' } }]] } },
    },
    'map.elem.0.1.jump.to',
  ],
  [{ add: { tabel: { family: 'inet', name: 't' } } }, 'tabel: there is no property "tabel" here'],
  [{ delete: { set: { ...owner, nam: 's' } } }, 'set.nam'],
  [{ flush: { ruleset: { famly: 'ip' } } }, 'ruleset.famly'],
  [{ rename: { chain: { ...owner, name: 'a', newname: 'b', to: 'c' } } }, 'chain.to'],
  [
    { add: { table: { family: 'inet', name: 't' } }, delete: {} },
    'delete: add and delete are two operations',
  ],
  [{ add: { rule: null } }, 'rule: an object with what is to be said of the rule is expected, not null'],
] as const)('%j', ([operation, expected]) => {
  expect(foundIn(operation)).toContain(expected)
})

test('of many elements, the one that is wrong', () => {
  const elem: unknown[] = Array.from({ length: 5000 }, (_, index) => ({ elem: { val: index } }))
  elem[4321] = { elem: { val: 4321, timout: 5 } }
  expect(foundIn({ add: { element: { ...owner, name: 's', type: 'mark', elem } } })).toContain(
    'element.elem.4321.elem.timout',
  )
})

test('what the model has is passed: objects in all their forms, deleted by all that is listed of them', () => {
  fc.assert(
    fc.property(rules, sets, maps, (expr, set, map) => {
      for (const object of [{ rule: { ...owner, chain: 'c', handle: 5, expr } }, { set }, { map }])
        for (const verb of ['add', 'create', 'delete', 'destroy'])
          expect(foundIn({ [verb]: object })).toBeUndefined()
    }),
  )
  expect(foundIn(rule({ opaque: { name: 'x', attributes: [] } }))).toBeUndefined()
  expect(foundIn({ add: { opaque: { kind: 'set', record: {} } } })).toBeUndefined()
  const own: Operation = { flush: { ruleset: null } }
  expect(foundIn(own)).toBeUndefined()
  expect(
    foundIn({ add: { rule: { ...owner, chain: 'c', comment: undefined, note: undefined, expr: [] } } }),
  ).toBeUndefined()
})

test('elements made of their set or map', () => {
  const own = {
    ...owner,
    name: 's',
    handle: 5,
    comment: 'x',
    size: 10,
    timeout: 60,
    'gc-interval': 5,
    policy: 'memory',
  }
  const set = { ...own, type: 'mark', flags: ['timeout'], stmt: [{ counter: null }] }
  const map = { ...own, type: 'mark', map: 'verdict' }
  for (const verb of ['add', 'create', 'delete', 'destroy']) {
    expect(foundIn({ [verb]: { element: { ...set, elem: [1] } } })).toBeUndefined()
    expect(foundIn({ [verb]: { element: { ...map, elem: [[1, { accept: null }]] } } })).toBeUndefined()
    expect(foundIn({ [verb]: { element: { ...set, elements: [1] } } })).toContain('element.elements')
    expect(foundIn({ [verb]: { element: { ...set, elem: [{ elem: { value: 1 } }] } } })).toContain(
      'element.elem.0.elem.value',
    )
  }
})

test('prepared rules', () => {
  const wrong = {
    rule: { ...owner, chain: 'c', coment: 'x', expr: [match.tcp.dport.eq(slot('port')), verdict.accept()] },
  } as const
  const error: unknown = (() => {
    try {
      return prepare(wrong)
    } catch (thrown) {
      return thrown
    }
  })()
  expect(error).toBeInstanceOf(NfbridgeError)
  expect(error).toMatchObject({ code: 'NFB_INVALID_ARGUMENT', path: 'rule.coment' })
})
