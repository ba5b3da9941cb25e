import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Namespace } from '../../src/netns/index.js'
import { Rtnl, type RtnlEvent } from '../../src/rtnl/index.js'
import { closeAfterEach } from '../support/namespaces.js'
import { bridge, ip } from '../support/tools.js'

const keep = closeAfterEach()

async function world(): Promise<{ host: Namespace; rtnl: Rtnl }> {
  const host = keep(await Namespace.create())
  return { host, rtnl: keep(await Rtnl.open({ netns: host })) }
}

/** Takes events until one is what is looked for, with a time limit. */
async function until(
  events: AsyncIterator<RtnlEvent>,
  wanted: (event: RtnlEvent) => boolean,
): Promise<RtnlEvent[]> {
  const seen: RtnlEvent[] = []
  const limit = sleep(60_000, undefined, { ref: false }).then(() => {
    throw new Error(`did not come, after ${seen.map((event) => event.kind).join(', ')}`)
  })
  for (;;) {
    const result = await Promise.race([events.next(), limit])
    if (result.done) throw new Error('the events ended')
    seen.push(result.value)
    if (wanted(result.value)) return seen
  }
}

test('what another program does is seen: links, ports, addresses, routes, neighbours, forwarding entries', async () => {
  const { host, rtnl } = await world()
  const events = keep(await rtnl.events())
  await ip(host, 'link', 'add', 'br0', 'type', 'bridge')
  const [created] = (await until(events, (event) => event.kind === 'link')).slice(-1)
  expect(created).toMatchObject({ kind: 'link', action: 'set', link: { name: 'br0', kind: 'bridge' } })
  const index = created?.kind === 'link' ? created.link.index : 0

  await ip(host, 'link', 'add', 'v0', 'master', 'br0', 'type', 'veth', 'peer', 'name', 'v1')
  const port = (await until(events, (event) => event.kind === 'port')).at(-1)
  expect(port).toMatchObject({ kind: 'port', action: 'set', master: index })
  await ip(host, 'link', 'set', 'br0', 'up')
  await ip(host, 'address', 'add', '10.0.0.1/8', 'dev', 'br0')
  const address = (await until(events, (event) => event.kind === 'address' && event.address.family === 4)).at(
    -1,
  )
  expect(address).toMatchObject({ action: 'set', address: { device: index } })
  await ip(host, 'route', 'add', '11.0.0.0/8', 'via', '10.0.0.2')
  const routes = await until(
    events,
    (event) => event.kind === 'route' && `${event.route.destination}` === '11.0.0.0/8',
  )
  expect(routes.at(-1)).toMatchObject({
    kind: 'route',
    action: 'set',
    route: { device: index, table: 'main' },
  })
  await ip(host, 'route', 'del', '11.0.0.0/8')
  await until(
    events,
    (event) => event.kind === 'route' && event.action === 'delete' && event.route.gateway !== undefined,
  )
  await ip(host, 'neighbour', 'add', '10.0.0.7', 'lladdr', '02:00:00:00:00:07', 'dev', 'br0')
  const neighbour = (
    await until(events, (event) => event.kind === 'neighbour' && event.neighbour.family === 4)
  ).at(-1)
  expect(neighbour).toMatchObject({ action: 'set', neighbour: { device: index, state: 'permanent' } })
  await bridge(host, 'fdb', 'add', '02:00:00:00:00:55', 'dev', 'v0', 'master', 'static')
  const entry = (
    await until(events, (event) => event.kind === 'fdb' && `${event.entry.mac}` === '02:00:00:00:00:55')
  ).at(-1)
  expect(entry).toMatchObject({ action: 'set', entry: { state: 'static', master: index } })
  await bridge(host, 'fdb', 'del', '02:00:00:00:00:55', 'dev', 'v0', 'master')
  await until(
    events,
    (event) => event.kind === 'fdb' && event.action === 'delete' && event.entry.state === 'static',
  )
  await ip(host, 'address', 'del', '10.0.0.1/8', 'dev', 'br0')
  await until(events, (event) => event.kind === 'address' && event.action === 'delete')
  // A port that is taken off its bridge is not a link that is gone.
  await ip(host, 'link', 'set', 'v0', 'nomaster')
  const seen = await until(events, (event) => event.kind === 'port' && event.action === 'delete')
  expect(seen.some((event) => event.kind === 'link' && event.action === 'delete')).toBe(false)
  await ip(host, 'link', 'del', 'v0')
  const gone = (await until(events, (event) => event.kind === 'link' && event.action === 'delete')).at(-1)
  expect(gone).toMatchObject({ kind: 'link', action: 'delete' })
})

test('only the topics that were asked for come', async () => {
  const { rtnl } = await world()
  const events = keep(await rtnl.events({ topics: ['address'] }))
  await rtnl.links.create({ kind: 'bridge', name: 'br0', up: true })
  await rtnl.addresses.add({ device: 'br0', address: '10.0.0.1/8' })
  const seen = await until(events, (event) => event.kind === 'address' && event.address.family === 4)
  expect(new Set(seen.map((event) => event.kind))).toEqual(new Set(['address']))
})

test('leaving the loop ends the subscription, and next() says so', async () => {
  const { rtnl } = await world()
  const events = await rtnl.events({ topics: ['link'] })
  await rtnl.links.create({ kind: 'bridge', name: 'br0' })
  for await (const event of events) {
    expect(event.kind).toBe('link')
    break
  }
  await rtnl.links.create({ kind: 'bridge', name: 'br1' })
  expect(await events.next()).toEqual({ done: true, value: undefined })

  const waiting = await rtnl.events({ topics: ['link'] })
  const next = waiting.next()
  waiting.close()
  waiting.close()
  expect(await next).toEqual({ done: true, value: undefined })
})

test('two callers of next() get different events, in order', async () => {
  const { rtnl } = await world()
  const events = keep(await rtnl.events({ topics: ['link'] }))
  const both = Promise.all([events.next(), events.next()])
  await rtnl.apply([
    { kind: 'link', action: 'create', link: { kind: 'bridge', name: 'br0' } },
    { kind: 'link', action: 'create', link: { kind: 'bridge', name: 'br1' } },
  ])
  const names = (await both).map(({ value }) => (value?.kind === 'link' ? value.link.name : value?.kind))
  expect(names).toEqual(['br0', 'br1'])
})

test('events that nobody takes are given up for one `lost`, and later ones follow', async () => {
  const { rtnl } = await world()
  const events = keep(await rtnl.events({ topics: ['address'], limit: 10 }))
  await rtnl.links.create({ kind: 'bridge', name: 'br0', index: 50 })
  await rtnl.apply(
    Array.from({ length: 14 }, (_, number) => ({
      kind: 'address' as const,
      action: 'add' as const,
      address: { device: 50, address: `10.0.${number}.1/24` },
    })),
  )
  // The eleventh found ten waiting: `lost` took the place of all eleven, and three came after it.
  await expect.poll(() => events.waiting).toBe(4)
  const seen = await until(
    events,
    (event) => event.kind === 'address' && `${event.address.address}` === '10.0.13.1/24',
  )
  expect(seen[0]).toEqual({ kind: 'lost' })
  expect(seen.filter((event) => event.kind === 'lost')).toHaveLength(1)
  expect(seen.length).toBeLessThanOrEqual(10)
  await rtnl.addresses.delete({ device: 50, address: '10.0.3.1/24' })
  await until(events, (event) => event.kind === 'address' && event.action === 'delete')
})

test('a subscription outlives the Rtnl that it was made by', async () => {
  const { host, rtnl } = await world()
  const events = keep(await rtnl.events({ topics: ['link'] }))
  rtnl.close()
  await ip(host, 'link', 'add', 'br0', 'type', 'bridge')
  expect((await until(events, (event) => event.kind === 'link')).at(-1)).toMatchObject({
    link: { name: 'br0' },
  })
})
