import { expect, test } from 'vitest'
import { NfbridgeError } from '../../src/errors.js'
import { Namespace } from '../../src/netns/index.js'
import { applyInNamespace, failedOperations, Rtnl, type RtnlOperation } from '../../src/rtnl/index.js'
import { closeAfterEach } from '../support/namespaces.js'
import { ip, ipJson } from '../support/tools.js'

const keep = closeAfterEach()

async function world(): Promise<{ host: Namespace; rtnl: Rtnl }> {
  const host = keep(await Namespace.create())
  return { host, rtnl: keep(await Rtnl.open({ netns: host })) }
}

async function errorOf(promise: Promise<unknown>): Promise<NfbridgeError> {
  try {
    await promise
  } catch (error) {
    if (error instanceof NfbridgeError) return error
    throw error
  }
  throw new Error('it did not fail')
}

const bridge = (name: string, index?: number): RtnlOperation => ({
  kind: 'link',
  action: 'create',
  link: { kind: 'bridge', name, ...(index === undefined ? {} : { index }) },
})

test('input that is wrong is found before anything is sent, with its path', async () => {
  const { host, rtnl } = await world()
  const veth = (link: object): unknown => ({
    kind: 'link',
    action: 'create',
    link: { kind: 'veth', name: 'v0', ...link },
  })
  const cases: [unknown, string, string][] = [
    [veth({ name: 'sixteen-bytes-xx' }), 'NFB_INVALID_NAME', 'link.name'],
    [veth({ name: 'a/b' }), 'NFB_INVALID_NAME', 'link.name'],
    [veth({ name: '' }), 'NFB_INVALID_NAME', 'link.name'],
    [veth({ name: '..' }), 'NFB_INVALID_NAME', 'link.name'],
    [veth({ name: 'a b' }), 'NFB_INVALID_NAME', 'link.name'],
    [veth({ name: 'v%d' }), 'NFB_INVALID_NAME', 'link.name'],
    [veth({ peer: { name: 'ääääääää' } }), 'NFB_INVALID_NAME', 'link.peer.name'],
    [veth({ peer: { mac: '02:00' } }), 'NFB_INVALID_ADDRESS', 'link.peer.mac'],
    [veth({ peer: { index: 9 } }), 'NFB_INVALID_ARGUMENT', 'link.index'],
    [veth({ peer: { mtu: -1 } }), 'NFB_INVALID_ARGUMENT', 'link.peer.mtu'],
    [veth({ peer: { netns: { fd: -1 } } }), 'NFB_INVALID_ARGUMENT', 'link.peer.netns'],
    [veth({ mtu: 1.5 }), 'NFB_INVALID_ARGUMENT', 'link.mtu'],
    [veth({ index: 0 }), 'NFB_INVALID_ARGUMENT', 'link.index'],
    [veth({ alias: 'x'.repeat(256) }), 'NFB_INVALID_ARGUMENT', 'link.alias'],
    [veth({ port: { hairpin: true } }), 'NFB_INVALID_ARGUMENT', 'link.port'],
    [veth({ master: 5, port: { hairpin: 'yes' } }), 'NFB_INVALID_ARGUMENT', 'link.port.hairpin'],
    [veth({ master: 5, port: { cost: 2 ** 32 } }), 'NFB_INVALID_ARGUMENT', 'link.port.cost'],
    [veth({ mtuu: 1500 }), 'NFB_INVALID_ARGUMENT', 'link.mtuu'],
    [veth({ kind: 'wormhole' }), 'NFB_INVALID_ARGUMENT', 'link.kind'],
    [
      veth({ kind: 'bridge', bridge: { forwardDelay: 'x' } }),
      'NFB_INVALID_ARGUMENT',
      'link.bridge.forwardDelay',
    ],
    [
      veth({ kind: 'bridge', bridge: { forwardDealy: 1 } }),
      'NFB_INVALID_ARGUMENT',
      'link.bridge.forwardDealy',
    ],
    [{ kind: 'link', action: 'delete', link: { group: 0 } }, 'NFB_INVALID_ARGUMENT', 'link.group'],
    [{ kind: 'link', action: 'explode', link: {} }, 'NFB_INVALID_ARGUMENT', 'action'],
    [{ kind: 'star' }, 'NFB_INVALID_ARGUMENT', 'kind'],
    [
      { kind: 'address', action: 'add', address: { device: 1, address: '172.17.0.1' } },
      'NFB_INVALID_ADDRESS',
      'address.address',
    ],
    [
      { kind: 'address', action: 'add', address: { device: 1, address: '1.1.1.1/8', scope: 'far' } },
      'NFB_INVALID_ARGUMENT',
      'address.scope',
    ],
    [
      { kind: 'address', action: 'add', address: { device: -1, address: '1.1.1.1/8' } },
      'NFB_INVALID_ARGUMENT',
      'address.device',
    ],
    [
      { kind: 'address', action: 'put', address: { device: 1, address: '1.1.1.1/8' } },
      'NFB_INVALID_ARGUMENT',
      'action',
    ],
    [
      { kind: 'route', action: 'add', route: { destination: '10.0.0.1/8' } },
      'NFB_INVALID_ADDRESS',
      'route.destination',
    ],
    [
      { kind: 'route', action: 'add', route: { destination: '10.0.0.0/8', device: 1, nexthops: [] } },
      'NFB_INVALID_ARGUMENT',
      'route.nexthops',
    ],
    [
      {
        kind: 'route',
        action: 'add',
        route: { destination: '10.0.0.0/8', nexthops: [{}, { gateway: 'x' }] },
      },
      'NFB_INVALID_ADDRESS',
      'route.nexthops[1].gateway',
    ],
    [
      { kind: 'route', action: 'add', route: { destination: '10.0.0.0/8', nexthops: [{ weight: 900 }] } },
      'NFB_INVALID_ARGUMENT',
      'route.nexthops[0].weight',
    ],
    [
      { kind: 'neighbour', action: 'add', neighbour: { device: 1, address: '1.1.1', mac: '' } },
      'NFB_INVALID_ADDRESS',
      'neighbour.address',
    ],
    [{ kind: 'fdb', action: 'add', entry: { device: 1, mac: 'x' } }, 'NFB_INVALID_ADDRESS', 'entry.mac'],
  ]
  const problems: string[] = []
  for (const [operation, code, path] of cases) {
    const operations: RtnlOperation[] = JSON.parse(JSON.stringify([bridge('first'), operation]))
    const error = await errorOf(rtnl.apply(operations)).catch((other: unknown) => other)
    const got = error instanceof NfbridgeError ? `${error.code} ${error.path}` : String(error)
    if (got !== `${code} operations[1].${path}`) problems.push(`${JSON.stringify(operation)}: ${got}`)
  }
  expect(problems).toEqual([])
  expect((await ipJson(host, 'link')).map((link) => link.ifname)).toEqual(['lo']) // `first` was not sent either
})

test('what exists, what is missing, what is taken: by code, with errno and path', async () => {
  const { rtnl } = await world()
  await rtnl.apply([bridge('br0', 50), bridge('br1')])

  const exists = await errorOf(rtnl.links.create({ kind: 'bridge', name: 'br0' }))
  expect(exists).toMatchObject({ code: 'NFB_EXISTS', errno: 'EEXIST', operation: 'rtnl.links.create' })
  expect(exists.message).toContain('create bridge br0')

  expect(await errorOf(rtnl.links.create({ kind: 'bridge', name: 'br2', index: 50 }))).toMatchObject({
    code: 'NFB_EXISTS',
  })
  expect(await errorOf(rtnl.links.get('nobody'))).toMatchObject({ code: 'NFB_MISSING', errno: 'ENODEV' })
  expect(await errorOf(rtnl.links.get(4711))).toMatchObject({ code: 'NFB_MISSING' })
  expect(await errorOf(rtnl.links.delete({ device: 'nobody' }))).toMatchObject({ code: 'NFB_MISSING' })
  expect(await errorOf(rtnl.links.delete({ group: 4711 }))).toMatchObject({ code: 'NFB_MISSING' })
  expect(await errorOf(rtnl.links.list({ master: 'nobody' }))).toMatchObject({
    code: 'NFB_MISSING',
    path: 'master',
  })
  expect(await errorOf(rtnl.links.change({ device: 'br1', name: 'br0' }))).toMatchObject({
    code: 'NFB_EXISTS',
  })

  const device = await errorOf(
    rtnl.apply([
      bridge('br3'),
      { kind: 'address', action: 'add', address: { device: 'nobody', address: '10.0.0.1/8' } },
    ]),
  )
  expect(device).toMatchObject({ code: 'NFB_MISSING', path: 'operations[1].address.device' })
  expect(device.message).toContain('nobody')
  expect(await errorOf(rtnl.links.get('br3'))).toMatchObject({ code: 'NFB_MISSING' }) // nothing was sent

  const add = { device: 50, address: '10.0.0.1/8' }
  await rtnl.addresses.add(add)
  expect(await errorOf(rtnl.addresses.add(add))).toMatchObject({ code: 'NFB_EXISTS', path: 'operations[0]' })
  expect(await errorOf(rtnl.addresses.delete({ device: 50, address: '10.0.0.2/8' }))).toMatchObject({
    code: 'NFB_MISSING',
    errno: 'EADDRNOTAVAIL',
  })
  expect(await errorOf(rtnl.addresses.add({ device: 4711, address: '10.0.0.1/8' }))).toMatchObject({
    code: 'NFB_MISSING',
  })
  expect(await errorOf(rtnl.routes.delete({ destination: '10.99.0.0/16' }))).toMatchObject({
    code: 'NFB_MISSING',
  })
  const gateway = await errorOf(rtnl.routes.add({ destination: 'default', gateway: '99.9.9.9' }))
  expect(gateway).toMatchObject({ code: 'NFB_REJECTED', errno: 'ENETUNREACH' })
  expect(gateway.kernelMessage).toMatch(/gateway/i)
  const tooSmall = await errorOf(
    rtnl.links.create({ kind: 'veth', name: 'v0', mtu: 20, peer: { name: 'v1' } }),
  )
  expect(tooSmall).toMatchObject({ code: 'NFB_REJECTED', errno: 'EINVAL' })
  expect(await errorOf(rtnl.neighbours.delete({ device: 50, address: '10.0.0.7' }))).toMatchObject({
    code: 'NFB_MISSING',
  })
  expect(await errorOf(rtnl.fdb.delete({ device: 50, mac: '02:00:00:00:00:77' }))).toMatchObject({
    operation: 'rtnl.fdb.delete',
  })
})

test('the property that the kernel objects to is named as the caller wrote it', async () => {
  const { host, rtnl } = await world()
  await ip(host, 'link', 'add', 'br0', 'type', 'bridge')
  const property = await errorOf(
    rtnl.apply([
      bridge('other'),
      {
        kind: 'address',
        action: 'add',
        address: { device: 'br0', address: '10.0.0.1/8', label: 'br0:far-too-long' },
      },
    ]),
  )
  expect(property).toMatchObject({
    code: 'NFB_REJECTED',
    errno: 'ERANGE',
    path: 'operations[1].address.label',
  })
  expect(property.kernelMessage).toMatch(/./)
  expect(failedOperations(property)).toEqual([1])
})

test('when some of a batch fail, each is told by its index, and the others were carried out', async () => {
  const { host, rtnl } = await world()
  const error = await errorOf(
    rtnl.apply([
      bridge('br0', 50),
      bridge('br0'),
      {
        kind: 'link',
        action: 'create',
        link: { kind: 'veth', name: 'v0', master: 50, port: { hairpin: true } },
      },
      {
        kind: 'link',
        action: 'create',
        link: { kind: 'veth', name: 'v0', master: 4711, port: { hairpin: true } },
      },
      { kind: 'link', action: 'delete', link: { device: 'nobody' } },
      { kind: 'address', action: 'add', address: { device: 50, address: '10.0.0.1/8' } },
    ]),
  )
  expect(error).toMatchObject({ code: 'NFB_EXISTS', path: 'operations[1]' })
  expect(failedOperations(error)).toEqual([1, 3, 4])
  expect(error.related.map((each) => each.code)).toEqual(['NFB_EXISTS', 'NFB_MISSING'])
  expect((await rtnl.links.get('v0')).port).toMatchObject({ hairpin: true })
  expect(await ip(host, 'address', 'show', 'br0')).toContain('10.0.0.1/8')
})

test('a link made in the same batch is named where it has an index, and not where the kernel chooses it', async () => {
  const { host, rtnl } = await world()
  const veth: RtnlOperation = {
    kind: 'link',
    action: 'create',
    link: { kind: 'veth', name: 'v0', master: 'br0' },
  }
  const error = await errorOf(rtnl.apply([bridge('br0'), veth]))
  expect(error).toMatchObject({ code: 'NFB_INVALID_ARGUMENT', path: 'operations[1].link.master' })
  expect((await ipJson(host, 'link')).map((link) => link.ifname)).toEqual(['lo'])
  await rtnl.apply([
    bridge('br0', 50),
    veth,
    { kind: 'link', action: 'change', link: { device: 'br0', name: 'br9' } },
  ])
  expect((await rtnl.links.get('v0')).master).toBe(50)
  expect((await rtnl.links.get('br9')).index).toBe(50)
})

test('applySync and applyInNamespace do what apply does', async () => {
  const { host, rtnl } = await world()
  rtnl.applySync([
    bridge('br0', 50),
    { kind: 'address', action: 'add', address: { device: 'br0', address: '10.0.0.1/8' } },
  ])
  rtnl.applySync([{ kind: 'address', action: 'add', address: { device: 'br0', address: '10.0.0.2/8' } }])
  await applyInNamespace(host, [
    bridge('br1'),
    { kind: 'link', action: 'change', link: { device: 'lo', up: true } },
  ])
  await applyInNamespace(host, [
    { kind: 'address', action: 'add', address: { device: 'br1', address: '10.1.0.1/16' } },
  ])
  await rtnl.apply([])
  const addresses = (await rtnl.addresses.list({ family: 4 })).map((each) => `${each.address}`).sort()
  expect(addresses).toEqual(['10.0.0.1/8', '10.0.0.2/8', '10.1.0.1/16', '127.0.0.1/8'])
  expect(() => rtnl.applySync([bridge('br0')])).toThrow(/EEXIST/)
  expect(await errorOf(applyInNamespace(host, [bridge('x'), bridge('br0')]))).toMatchObject({
    code: 'NFB_EXISTS',
    path: 'operations[1]',
    operation: 'rtnl.applyInNamespace',
  })
})

test('a handle that is closed says so', async () => {
  const { host, rtnl } = await world()
  const pending = errorOf(rtnl.links.list())
  rtnl.close()
  rtnl.close()
  await pending.catch(() => {}) // settled before or after the close, never left pending
  expect(await errorOf(rtnl.links.list())).toMatchObject({ code: 'NFB_CLOSED' })
  expect(await errorOf(rtnl.apply([bridge('x')]))).toMatchObject({ code: 'NFB_CLOSED' })
  expect(() => rtnl.applySync([bridge('x')])).toThrow(/closed/)
  // Also where there is nothing to send.
  expect(await errorOf(rtnl.apply([]))).toMatchObject({ code: 'NFB_CLOSED' })
  expect(() => rtnl.applySync([])).toThrow(/closed/)
  expect(await errorOf(rtnl.links.getAll([]))).toMatchObject({ code: 'NFB_CLOSED' })
  expect(await errorOf(rtnl.events())).toMatchObject({ code: 'NFB_CLOSED' })
  expect((await ipJson(host, 'link')).length).toBe(1)
})

test('a namespace that is gone, and what is none', async () => {
  for (const netns of [
    '/run/netns/there-is-none',
    '/proc/999999999/ns/net',
    { pid: 999_999_999 },
    '/etc/passwd',
    '/',
  ]) {
    const error = await errorOf(Rtnl.open({ netns }))
    expect(error).toMatchObject({ code: 'NFB_NAMESPACE_GONE', path: 'netns' })
    expect(error.message).toContain('is not a network namespace')
  }
  const closed = await Namespace.create()
  closed.close()
  expect(await errorOf(Rtnl.open({ netns: closed }))).toMatchObject({ code: 'NFB_CLOSED' })
})
