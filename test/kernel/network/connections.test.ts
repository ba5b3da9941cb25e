/** How many connections the host tracks of a container, by real packets: to the host, outside, and in by a published port. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Machine } from '../../../lab/machine.js'
import { parseAddress } from '../../../src/address/index.js'
import { Conntrack } from '../../../src/conntrack/index.js'
import { runIn } from '../../support/tools.js'
import { cleanUp, createSetting, openHost, type Setting } from './setting.js'

/** A datagram from each of many ports. */
const SEND = `
import socket, sys
address, port, first, count = sys.argv[1], *map(int, sys.argv[2:])
for source in range(first, first + count):
    s = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(('', source))
    try: s.sendto(b'x', (address, port))
    except OSError: pass
    s.close()`

async function send(from: Machine, to: string, port: number, count: number, first = 2000): Promise<void> {
  await runIn(from.namespace, 'python3', ['-c', SEND, to, `${port}`, `${first}`, `${count}`])
}

/** How many connections of an address the host tracks, as the one who begins or who answers. */
async function tracked({ host }: Pick<Setting, 'host'>, address: string): Promise<number> {
  const table = await Conntrack.open({ netns: host.namespace })
  try {
    return (await table.list({ address: parseAddress(address), protocol: 'udp' })).length
  } finally {
    table.close()
  }
}

const OUTSIDE = '198.51.100.7'
const HOST = '203.0.113.1'

async function setting(names: readonly string[], dual = false): Promise<Setting> {
  const made = await createSetting(
    names,
    dual ? { pools: [{ subnet: '172.17.0.0/16' }, { subnet: 'fd00:17::/64' }], subnet: undefined } : {},
  )
  // Nobody answers there, nor says that nobody does.
  await runIn(made.outside.namespace, 'ip', ['route', 'add', 'blackhole', '198.51.100.0/24'])
  await runIn(made.host.namespace, 'ip', ['route', 'add', '198.51.100.0/24', 'via', '203.0.113.2'])
  return made
}

describe('connections beyond maxConnections', () => {
  it.each([
    ['outside', 50, 300, 50],
    ['outside', 'unlimited', 300, 300],
    ['the host', 50, 300, 50],
    ['the host', 'unlimited', 300, 300],
    // Counted in slots by lot: all of them are full when ten times as many were tried.
    ['outside', 1600, 16_000, 1600],
  ] as const)('to %s: of %s', async (where, maxConnections, count, expected) => {
    const made = await setting(['evil', 'good'])
    const { attach, machine, bridgeHost, network } = made
    const evil = await attach('evil', { maxConnections })
    const good = await attach('good')
    const to = where === 'outside' ? OUTSIDE : network.gateway
    await send(machine('evil'), to, 7, count)
    expect(await tracked(made, evil.address)).toBe(expected)
    // The others have what they had.
    await send(machine('good'), to, 7, 100)
    expect(await tracked(made, good.address)).toBe(100)
    const found = (await bridgeHost.check()).filter(({ code }) => code === 'connections-refused')
    expect(found.map(({ subject }) => subject)).toEqual(count > expected ? ['evil'] : [])
  })

  it('in by a published port, and one that stands goes on', async () => {
    const made = await setting(['web'])
    const { attach, machine, outside } = made
    const web = await attach('web', { publish: ['8080:80/udp'], maxConnections: 20 })
    await machine('web').serveUdp(80)
    const held = await outside.holdUdp(HOST, 8080)
    await send(outside, HOST, 8080, 100)
    expect(await tracked(made, web.address)).toBe(20)
    expect(await held.send('after')).toBe('echo')
    expect(await outside.probeUdp(HOST, 8080, { timeoutMs: 500 })).toMatchObject({ outcome: 'timeout' })
  })

  it('in IPv6', async () => {
    const made = await setting(['evil'], true)
    const evil = await made.attach('evil', { maxConnections: 50 })
    const gateway = made.network.gateways.find((each) => each.includes(':')) ?? ''
    await send(made.machine('evil'), gateway, 7, 300)
    expect(await tracked(made, evil.ipv6Address ?? '')).toBe(50)
  })
})

describe('the limits of connections', () => {
  it('are a sixteenth of what the kernel has room for, where nothing is said', async () => {
    const { attach, host, bridgeHost } = await setting(['app'])
    const app = await attach('app')
    const room = Number(await host.namespace.readSysctl('net.netfilter.nf_conntrack_max'))
    const [first] = (await bridgeHost.inspect()).containers
    expect(first).toMatchObject({ maxConnections: Math.floor(room / 16), newConnectionsPerSecond: null })
    expect(await bridgeHost.check()).toEqual([])
    const answer = await bridgeHost.explain({ from: app, to: OUTSIDE, port: 7, protocol: 'udp' })
    expect(answer.reached).toBe(true)
  })

  it('change while it runs, and of one who is stopped', async () => {
    const made = await setting(['evil'])
    const { attach, machine, bridgeHost } = made
    const evil = await attach('evil', { maxConnections: 10 })
    await send(machine('evil'), OUTSIDE, 7, 30)
    expect(await tracked(made, evil.address)).toBe(10)
    await evil.update({ maxConnections: 25 })
    // It counts from now on.
    await send(machine('evil'), OUTSIDE, 7, 40, 3000)
    expect(await tracked(made, evil.address)).toBe(35)
    await evil.stop()
    expect(await tracked(made, evil.address)).toBe(0)
    await evil.update({ maxConnections: 2000, newConnectionsPerSecond: 5 })
    await evil.start()
    expect((await bridgeHost.inspect()).containers[0]).toMatchObject({
      maxConnections: 2000,
      newConnectionsPerSecond: 5,
    })
    expect(await bridgeHost.check()).toMatchObject([{ code: 'connections-refused', subject: 'evil' }])
  })

  it.each([
    [{ newConnectionsPerSecond: 20 }, 60],
    [{}, 400],
  ] as const)('of those that begin in a second: %j', async (options, most) => {
    const made = await setting(['evil'])
    const evil = await made.attach('evil', options)
    const start = performance.now()
    await send(made.machine('evil'), OUTSIDE, 7, 400)
    const seconds = (performance.now() - start) / 1000
    const count = await tracked(made, evil.address)
    expect(count).toBeLessThanOrEqual(most === 400 ? 400 : 20 + 20 * seconds)
    expect(count).toBeGreaterThanOrEqual(most === 400 ? 400 : 20)
    expect(await made.bridgeHost.check()).toHaveLength(most === 400 ? 0 : 1)
  })

  it.each([0, -1, Number.NaN, 1.5, 2 ** 32, '5', null])('are no %s', async (value) => {
    const { attach, bridgeHost, machine } = await setting(['app', 'other'])
    const app = await attach('app')
    const before = bridgeHost.statistics
    for (const property of ['maxConnections', 'newConnectionsPerSecond']) {
      const options = { [property]: value }
      const refused = { code: 'NFB_INVALID_ARGUMENT', path: property }
      await expect(app.update(options)).rejects.toMatchObject(refused)
      await expect(attach('other', options)).rejects.toMatchObject(refused)
    }
    expect(bridgeHost.statistics).toEqual(before)
    expect(machine('other').name).toBe('other')
  })

  it('are remembered', async () => {
    const state = mkdtempSync(join(tmpdir(), 'nfbridge-'))
    cleanUp(() => rmSync(state, { recursive: true }))
    const { host, machines, bridgeHost, network } = await createSetting(['app'], {}, { state })
    const app = machines.get('app')
    if (!app) throw new Error('no machine')
    const options = { maxConnections: 77, newConnectionsPerSecond: 8 } as const
    await network.attach({ name: 'app', netns: app.namespace, ...options })
    await bridgeHost.close()
    const again = await openHost(host, { state })
    expect((await again.inspect()).containers).toMatchObject([options])
    expect(await again.check()).toEqual([])
  })
})
