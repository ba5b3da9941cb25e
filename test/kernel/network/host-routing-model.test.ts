import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Cidr } from '../../../src/address/index.js'
import { Namespace } from '../../../src/netns/index.js'
import { diversions } from '../../../src/network/plan/host-routing.js'
import { type RouteSpec, type RoutingRuleSpec, Rtnl } from '../../../src/rtnl/index.js'
import { closeAfterEach } from '../../support/namespaces.js'

const keep = closeAfterEach()

const POOL = Cidr.parse('172.17.0.0/16')
const BRIDGE = 10
const UPLINK = 20
/** Each asks for one address: a route for a part of the pool must have this one. */
const CONTAINER = '172.17.0.2'

const table = fc.constantFrom<number | 'main'>(52, 100, 'main')
const plain: fc.Arbitrary<RoutingRuleSpec> = fc.record({
  priority: fc.integer({ min: 1, max: 40_000 }),
  table,
})
const special: fc.Arbitrary<RoutingRuleSpec> = fc.record(
  {
    priority: fc.integer({ min: 1, max: 40_000 }),
    table,
    source: fc.constantFrom('172.17.0.0/16', '192.0.2.2/32', '172.17.0.1/32', '10.0.0.0/8'),
    destination: fc.constantFrom('172.17.0.0/16', '172.16.0.0/12', '10.0.0.0/8'),
    inputDevice: fc.constantFrom('lo', 'out0'),
    mark: fc.constantFrom(0, 7),
    suppressPrefixLength: fc.constantFrom(0, 12, 16),
  },
  { requiredKeys: ['priority', 'table'] },
)
const rule = fc.oneof({ weight: 1, arbitrary: plain }, { weight: 2, arbitrary: special })
const route: fc.Arbitrary<RouteSpec> = fc
  .record({
    destination: fc.constantFrom('default', '172.16.0.0/12', '172.17.0.0/16', '172.17.0.2/32', '10.0.0.0/8'),
    table: fc.constantFrom(52, 100),
    metric: fc.constantFrom(1, 2),
    type: fc.constantFrom('unicast' as const, 'unreachable' as const, 'throw' as const),
  })
  // Of a pool that is taken but for one address, that one says nothing.
  .filter(({ destination, type }) => destination !== '172.17.0.2/32' || type !== 'throw')

/** What is random is the rules; that the model is right is told by the kernel's own answers, for three packets each. */
test('what is said to lead packets away from a pool is what the kernel does', async () => {
  const host = keep(await Namespace.create())
  const rtnl = keep(await Rtnl.open({ netns: host }))
  await host.writeSysctl('net.ipv4.ip_forward', '1')
  await rtnl.apply([
    { kind: 'link', action: 'change', link: { device: 1, up: true } },
    {
      kind: 'link',
      action: 'create',
      link: { kind: 'veth', name: 'in0', index: BRIDGE, up: true, peer: { name: 'in1', index: 11 } },
    },
    {
      kind: 'link',
      action: 'create',
      link: { kind: 'veth', name: 'out0', index: UPLINK, up: true, peer: { name: 'out1', index: 21 } },
    },
    { kind: 'link', action: 'change', link: { device: 11, up: true } },
    { kind: 'link', action: 'change', link: { device: 21, up: true } },
    { kind: 'address', action: 'add', address: { device: BRIDGE, address: '172.17.0.1/16' } },
    { kind: 'address', action: 'add', address: { device: UPLINK, address: '192.0.2.2/24' } },
    { kind: 'route', action: 'add', route: { destination: 'default', gateway: '192.0.2.1' } },
  ])
  let diverted = 0
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(rule, { minLength: 1, maxLength: 4, selector: ({ priority }) => priority }),
      fc.uniqueArray(route, {
        minLength: 1,
        maxLength: 4,
        selector: ({ destination, table: id, metric }) => `${destination} ${id} ${metric}`,
      }),
      async (rules, routes) => {
        const specs = routes.map((each) => (each.type === 'unicast' ? { ...each, device: UPLINK } : each))
        for (const each of specs) await rtnl.routes.add(each)
        for (const each of rules) await rtnl.rules.add({ family: 4, ...each })
        try {
          const listed = {
            rules: await rtnl.rules.list({ family: 4 }),
            routes: await rtnl.routes.list({ table: 'all' }),
          }
          const found = diversions(
            listed,
            POOL,
            Cidr.parse('172.17.0.1/32').address,
            (each) => each.device === BRIDGE,
          )
          const ways = await Promise.all(
            [
              { destination: CONTAINER },
              { destination: CONTAINER, source: '172.17.0.1' },
              { destination: CONTAINER, source: '198.51.100.77', inputDevice: 'out0' },
            ].map((question) => rtnl.routes.lookup(question)),
          )
          const isAway = ways.map((way) => !(way.reachable && way.device === BRIDGE))
          // The third comes in by an interface that a rule may name.
          const named = listed.rules.some(({ inputDevice }) => inputDevice === 'out0')
          const expected = isAway[0] || isAway[1] || (!named && isAway[2])
          const all = found.filter(({ of }) => of === 'all').length > 0
          if (all) diverted += 1
          if (!named) expect(all, JSON.stringify({ rules, routes })).toBe(expected)
          else if (expected) expect(found.length, JSON.stringify({ rules, routes })).toBeGreaterThan(0)
        } finally {
          for (const each of rules) await rtnl.rules.delete({ family: 4, ...each })
          for (const each of specs) await rtnl.routes.delete(each)
        }
      },
    ),
    { numRuns: 200, seed: 9 },
  )
  // Otherwise nothing was compared.
  expect(diverted).toBeGreaterThan(20)
})
