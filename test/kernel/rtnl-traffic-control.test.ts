import { expect, test } from 'vitest'
import { untilRunning } from '../../lab/wiring.js'
import type { Namespace } from '../../src/netns/index.js'
import { type FilterSpec, type QdiscSpec, Rtnl } from '../../src/rtnl/index.js'
import { closeAfterEach, newNamespaces } from '../support/namespaces.js'
import { runIn } from '../support/tools.js'

const keep = closeAfterEach()

/** `host` with `v0` (10) to `eth0` (2) in `container`: 10.0.0.1/24 and 10.0.0.2/24. */
async function joined(): Promise<{ host: Namespace; container: Namespace; rtnl: Rtnl }> {
  const [host, container] = await newNamespaces(keep, 2)
  if (host === undefined || container === undefined) throw new Error('no namespaces')
  const rtnl = keep(await Rtnl.open({ netns: host }))
  const inner = keep(await Rtnl.open({ netns: container }))
  await rtnl.links.create({
    kind: 'veth',
    name: 'v0',
    index: 10,
    up: true,
    peer: { name: 'eth0', index: 2, netns: container },
  })
  await rtnl.addresses.add({ device: 10, address: '10.0.0.1/24' })
  await inner.apply([
    { kind: 'link', action: 'change', link: { device: 2, up: true } },
    { kind: 'address', action: 'add', address: { device: 2, address: '10.0.0.2/24' } },
  ])
  await untilRunning({ namespace: host }, 'v0')
  await untilRunning({ namespace: container }, 'eth0')
  return { host, container, rtnl }
}

const tc = (namespace: Namespace, ...args: string[]): Promise<string> => runIn(namespace, 'tc', args)

test('token buckets: `tc` shows what was asked for, and so does the listing', async () => {
  const { host, rtnl } = await joined()
  for (const [settings, shown, limit] of [
    [{ rate: 8_000_000, burst: 10_240, latency: 50 }, 'rate 8Mbit burst 10Kb lat 50ms', 60_240],
    [{ rate: 1_000_000_000, burst: 131_072 }, 'rate 1Gbit burst 13\\d{4}b lat 50ms', 6_381_072],
    [{ rate: 512_000, burst: 3200, limit: 9600 }, 'rate 512Kbit burst 3200b lat 100ms', 9600],
    // More bytes a second than 32 bits hold.
    [{ rate: 80_000_000_000, burst: 1_048_576, latency: 10 }, 'rate 80Gbit burst \\S+ lat 10ms', 101_048_576],
  ] as const) {
    await rtnl.qdiscs.replace({ kind: 'tbf', device: 'v0', ...settings })
    expect(await tc(host, 'qdisc', 'show', 'dev', 'v0')).toMatch(
      new RegExp(`^qdisc tbf [0-9a-f]+: root refcnt \\d+ ${shown} *\n$`),
    )
    const [qdisc, ...others] = await rtnl.qdiscs.list({ device: 'v0' })
    expect(others).toEqual([])
    expect(qdisc).toMatchObject({ kind: 'tbf', device: 10, parent: 'root' })
    expect(qdisc?.tbf).toMatchObject({ rate: settings.rate, limit })
    // The kernel keeps the time that the burst takes, in units of 64 ns.
    const unit = Math.ceil((settings.rate / 8) * 64e-9)
    expect(Math.abs((qdisc?.tbf?.burst ?? 0) - settings.burst)).toBeLessThanOrEqual(unit)
  }
  const spec = { kind: 'tbf', device: 'v0', rate: 8_000_000, burst: 10_240 } as const
  await expect(rtnl.qdiscs.add(spec)).rejects.toMatchObject({
    code: 'NFB_EXISTS',
    path: 'operations[0]',
  })
  await rtnl.qdiscs.delete({ device: 'v0', parent: 'root' })
  expect(await tc(host, 'qdisc', 'show', 'dev', 'v0')).toBe('qdisc noqueue 0: root refcnt 2 \n')
  expect((await rtnl.qdiscs.list({ device: 10 })).map(({ kind, handle }) => [kind, handle])).toEqual([
    ['noqueue', 0],
  ])
  await expect(rtnl.qdiscs.delete({ device: 'v0', parent: 'root' })).rejects.toMatchObject({
    code: 'NFB_MISSING',
    path: 'operations[0]',
  })
})

test('what came from `tc` is listed with its values', async () => {
  const { host, rtnl } = await joined()
  await tc(host, ...'qdisc add dev v0 root handle 1: tbf rate 20mbit burst 32kb latency 400ms'.split(' '))
  expect(await rtnl.qdiscs.list({ device: 'v0' })).toMatchObject([
    { kind: 'tbf', handle: 0x10000, tbf: { rate: 20_000_000, burst: 32_768, limit: 1_032_768 } },
  ])
  await tc(host, ...'qdisc replace dev v0 root handle 2: htb default 1'.split(' '))
  await tc(host, ...'class add dev v0 parent 2: classid 2:1 htb rate 1mbit'.split(' '))
  await tc(host, ...'qdisc add dev v0 parent 2:1 pfifo limit 10'.split(' '))
  const listed = await rtnl.qdiscs.list({ device: 'v0' })
  expect(listed.map(({ kind, parent }) => [kind, parent])).toEqual([
    ['htb', 'root'],
    ['pfifo', 0x20001],
  ])
})

test('received packets are redirected to an ifb in one batch; `tc` shows the filter', async () => {
  const { host, rtnl } = await joined()
  await rtnl.apply([
    { kind: 'link', action: 'create', link: { kind: 'ifb', name: 'ifb0', index: 30, up: true } },
    { kind: 'qdisc', action: 'add', qdisc: { kind: 'tbf', device: 30, rate: 80_000_000, burst: 65_536 } },
    { kind: 'qdisc', action: 'add', qdisc: { kind: 'ingress', device: 'v0' } },
    { kind: 'filter', action: 'add', filter: { device: 'v0', priority: 1, redirect: 'ifb0' } },
  ])
  expect(await tc(host, 'qdisc', 'show', 'dev', 'v0', 'ingress')).toBe(
    'qdisc ingress ffff: parent ffff:fff1 ---------------- \n',
  )
  const shown = await tc(host, 'filter', 'show', 'dev', 'v0', 'ingress')
  expect(shown).toContain('protocol all pref 1 u32 chain 0 fh 800::800 order 2048 key ht 800 bkt 0 terminal')
  expect(shown).toContain('match 00000000/00000000 at 0')
  expect(shown).toMatch(/action order 1: mirred \(Egress Redirect to device ifb0\) stolen/)
  const filters = await rtnl.filters.list({ device: 'v0' })
  expect(filters).toMatchObject([
    { kind: 'u32', device: 10, parent: 'ingress', priority: 1, protocol: 'all', redirect: 30 },
  ])

  // It is what happens: the ifb has counted the request for the address and the echo request.
  await runIn(host, 'ping', ['-c', '1', '-W', '1', '10.0.0.2'])
  expect(await tc(host, '-s', 'qdisc', 'show', 'dev', 'ifb0')).toMatch(/Sent [1-9]\d* bytes [1-9]\d* pkt/)

  await rtnl.filters.add({ device: 'v0', priority: 7, protocol: 'ipv6', redirect: 30 })
  expect(
    (await rtnl.filters.list({ device: 10 })).map(({ priority, protocol }) => [priority, protocol]),
  ).toEqual([
    [1, 'all'],
    [7, 'ipv6'],
  ])
  const twice: FilterSpec = { device: 'v0', priority: 1, redirect: 'ifb0' }
  await expect(rtnl.filters.add(twice)).rejects.toMatchObject({ path: 'operations[0]' })
  await rtnl.filters.delete({ device: 'v0', priority: 1 })
  expect((await rtnl.filters.list({ device: 'v0' })).map(({ priority }) => priority)).toEqual([7])
  await expect(rtnl.filters.delete({ device: 'v0', priority: 1 })).rejects.toMatchObject({
    code: 'NFB_MISSING',
  })
  await rtnl.qdiscs.delete({ device: 'v0', parent: 'ingress' })
  expect(await tc(host, 'filter', 'show', 'dev', 'v0', 'ingress')).toBe('')
  expect(await rtnl.filters.list({ device: 'v0' })).toEqual([])
})

/** Sends 600 kB in datagrams of 1000 bytes, as fast as it goes, and tells how many seconds that took. */
const SEND = `
import socket, sys, time
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
begin = time.monotonic()
for _ in range(600): sender.sendto(b'x' * 1000, (sys.argv[1], 9000))
print(time.monotonic() - begin)
`

/** What a token bucket let pass, in bytes, and how many packets it dropped, by the kernel's own count. */
async function counted(host: Namespace, device: string): Promise<{ bytes: number; drops: number }> {
  const text = await tc(host, '-s', 'qdisc', 'show', 'dev', device, 'root')
  const [, bytes, drops] = /Sent (\d+) bytes \d+ pkt \(dropped (\d+)/.exec(text) ?? []
  return { bytes: Number(bytes), drops: Number(drops) }
}

/**
 * Sends through a token bucket: of so much at once passes what the bucket holds, what waits in its queue, and what the rate gives
 * while it is sent; the rest is dropped.
 */
async function expectBounded(
  host: Namespace,
  bucket: { device: string; rate: number; burst: number; latency: number },
  from: Namespace,
  address: string,
): Promise<void> {
  const queue = (bucket.rate / 8) * (bucket.latency / 1000) + bucket.burst
  const seconds = Number(await runIn(from, 'python3', ['-c', SEND, address]))
  await expect
    .poll(() => tc(host, '-s', 'qdisc', 'show', 'dev', bucket.device, 'root'))
    .toMatch(/backlog 0b 0p/)
  const { bytes, drops } = await counted(host, bucket.device)
  expect(bytes).toBeGreaterThan(bucket.burst / 2)
  expect(bytes).toBeLessThan(bucket.burst + queue + (bucket.rate / 8) * seconds)
  expect(drops).toBeGreaterThan(0)
}

test('the rate is bounded, of what leaves and of what comes in by way of an ifb', async () => {
  const { host, container, rtnl } = await joined()
  // That all of it would pass: with a rate that holds nothing back.
  await rtnl.qdiscs.add({ kind: 'tbf', device: 'v0', rate: 10_000_000_000, burst: 1_000_000 })
  await runIn(host, 'python3', ['-c', SEND, '10.0.0.2'])
  expect((await counted(host, 'v0')).bytes).toBeGreaterThan(600_000)
  await rtnl.qdiscs.delete({ device: 'v0', parent: 'root' })

  const slow = { rate: 2_000_000, burst: 10_000, latency: 100 }
  await rtnl.qdiscs.add({ kind: 'tbf', device: 'v0', ...slow })
  await expectBounded(host, { device: 'v0', ...slow }, host, '10.0.0.2')
  await rtnl.apply([
    { kind: 'qdisc', action: 'delete', qdisc: { device: 'v0', parent: 'root' } },
    { kind: 'link', action: 'create', link: { kind: 'ifb', name: 'ifb0', index: 30, up: true } },
    { kind: 'qdisc', action: 'add', qdisc: { kind: 'tbf', device: 30, ...slow } },
    { kind: 'qdisc', action: 'add', qdisc: { kind: 'ingress', device: 10 } },
    { kind: 'filter', action: 'add', filter: { device: 10, priority: 1, redirect: 30 } },
  ])
  await expectBounded(host, { device: 'ifb0', ...slow }, container, '10.0.0.1')
})

test('what is wrong is told before anything is sent', async () => {
  const { rtnl } = await joined()
  const refused = (qdisc: object): Promise<unknown> =>
    rtnl.qdiscs.add(qdisc as QdiscSpec).catch(({ code, path }) => [code, path])
  const good = { kind: 'tbf', device: 'v0', rate: 8000, burst: 2000 }
  const at = (property: string): unknown => ['NFB_INVALID_ARGUMENT', `operations[0].qdisc.${property}`]
  expect(await refused({ ...good, rate: 7 })).toEqual(at('rate'))
  expect(await refused({ ...good, burst: 0 })).toEqual(at('burst'))
  expect(await refused({ ...good, latency: 1, limit: 1 })).toEqual(at('limit'))
  expect(await refused({ ...good, rate: 8e13, latency: 1000 })).toEqual(at('latency'))
  expect(await refused({ ...good, kind: 'cake' })).toEqual(at('rate'))
  expect(await refused({ kind: 'cake', device: 'v0' })).toEqual(at('kind'))
  expect(await refused({ ...good, device: 'none0' })).toEqual(['NFB_MISSING', 'operations[0].qdisc.device'])
  await expect(rtnl.filters.add({ device: 'v0', priority: 0, redirect: 'v0' })).rejects.toMatchObject({
    code: 'NFB_INVALID_ARGUMENT',
    path: 'operations[0].filter.priority',
  })
  // The kernel's own refusals: no discipline to hang it on.
  await expect(rtnl.filters.add({ device: 'v0', priority: 1, redirect: 'v0' })).rejects.toMatchObject({
    code: 'NFB_REJECTED',
    path: 'operations[0]',
    kernelMessage: expect.any(String),
  })
})
