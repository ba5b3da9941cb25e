import { expect, test } from 'vitest'
import { Namespace } from '../../src/netns/index.js'
import { Rtnl } from '../../src/rtnl/index.js'
import { closeAfterEach } from '../support/namespaces.js'
import { ip } from '../support/tools.js'

const keep = closeAfterEach()

async function open(): Promise<{ host: Namespace; rtnl: Rtnl }> {
  const host = keep(await Namespace.create())
  return { host, rtnl: keep(await Rtnl.open({ netns: host })) }
}

test('routing rules are added and deleted, as ip shows them', async () => {
  const { host, rtnl } = await open()
  const before = [await ip(host, 'rule', 'show'), await ip(host, '-6', 'rule', 'show')]
  const rules = [
    { priority: 100, source: '172.17.0.0/16', destination: '10.0.0.0/8', table: 52 },
    { priority: 101, inputDevice: 'lo', mark: 0xca6c, mask: 0xffff, table: 51820 },
    { priority: 102, suppressPrefixLength: 0 },
    { family: 6, priority: 103, source: 'fd00::2/128', table: 1852192769 },
  ] as const
  for (const rule of rules) await rtnl.rules.add(rule)
  expect((await ip(host, 'rule', 'show')).replaceAll('\t', ' ')).toBe(
    [
      '0: from all lookup local',
      '100: from 172.17.0.0/16 to 10.0.0.0/8 lookup 52',
      '101: from all fwmark 0xca6c/0xffff iif lo lookup 51820',
      '102: from all lookup main suppress_prefixlength 0',
      '32766: from all lookup main',
      '32767: from all lookup default',
      '',
    ].join('\n'),
  )
  expect(await ip(host, '-6', 'rule', 'show')).toContain('103:\tfrom fd00::2 lookup 1852192769')
  const listed = await rtnl.rules.list()
  expect(listed.filter(({ priority }) => priority === 102).map((each) => each.suppressPrefixLength)).toEqual([
    0,
  ])
  expect(
    listed.filter(({ priority }) => priority !== 102).some((each) => 'suppressPrefixLength' in each),
  ).toBe(false)
  await expect(rtnl.rules.add(rules[0])).rejects.toMatchObject({ code: 'NFB_EXISTS' })
  for (const rule of rules) await rtnl.rules.delete(rule)
  expect([await ip(host, 'rule', 'show'), await ip(host, '-6', 'rule', 'show')]).toEqual(before)
  await expect(rtnl.rules.delete(rules[0])).rejects.toMatchObject({ code: 'NFB_MISSING' })
})

test('what is wrong about a routing rule is told with its path', async () => {
  const { rtnl } = await open()
  for (const [rule, code, path] of [
    [{ priority: 0 }, 'NFB_INVALID_ARGUMENT', 'operations[0].rule.priority'],
    [{ priority: 9, source: '172.17.0.1/16' }, 'NFB_INVALID_ADDRESS', 'operations[0].rule.source'],
    [
      { priority: 9, source: '172.17.0.0/16', destination: 'fd00::/8' },
      'NFB_INVALID_ARGUMENT',
      'operations[0].rule.destination',
    ],
    [{ priority: 9, inputDevice: 'a/b' }, 'NFB_INVALID_NAME', 'operations[0].rule.inputDevice'],
  ] as const)
    await expect(rtnl.rules.add(rule)).rejects.toMatchObject({ code, path })
})

test('a whole route has its destination, its MTU and all of its nexthops', async () => {
  const { host, rtnl } = await open()
  for (const name of ['x', 'y']) {
    await ip(host, 'link', 'add', name, 'type', 'veth', 'peer', 'name', `${name}p`)
    await ip(host, 'link', 'set', `${name}p`, 'up')
    await ip(host, 'link', 'set', name, 'up')
  }
  await ip(host, 'route', 'add', '10.0.0.0/8', 'mtu', '1400', 'nexthop', 'dev', 'x', 'nexthop', 'dev', 'y')
  const one = await rtnl.routes.lookup({ destination: '10.1.2.3' })
  expect(one.reachable && `${one.route.destination} ${one.route.nexthops?.length}`).toBe(
    '10.1.2.3/32 undefined',
  )
  const whole = await rtnl.routes.lookup({ destination: '10.1.2.3', wholeRoute: true })
  expect(
    whole.reachable && `${whole.route.destination} ${whole.route.nexthops?.length} ${whole.route.mtu}`,
  ).toBe('10.0.0.0/8 2 1400')
})
