import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Machine } from '../../../lab/machine.js'
import type { BridgeHost, HostOptions, NetworkOptions } from '../../../src/index.js'
import { ip, nft } from '../../support/tools.js'
import { cleanUp, createMachines, expectBlocked, expectReached, failureOf, openHost } from './setting.js'

/** Two programs with a network and a container each, in one namespace. */
async function createTwo(
  options: Partial<NetworkOptions> = {},
  hosts: { readonly first?: Omit<HostOptions, 'netns'>; readonly second?: Omit<HostOptions, 'netns'> } = {},
) {
  const { host, outside, machines } = await createMachines('one', 'two')
  const [one, two] = [machines.get('one'), machines.get('two')]
  if (!one || !two) throw new Error('two machines')
  for (const machine of [one, two, outside]) await machine.serveTcp(80)
  const first = await openHost(host, hosts.first)
  const red = await first.createNetwork({ name: 'red', subnet: '172.18.0.0/16', ...options })
  const second = await openHost(host, { name: 'other', ...hosts.second })
  const blue = await second.createNetwork({ name: 'blue', subnet: '172.19.0.0/16', ...options })
  // Both call it the same: ids are each program's own.
  const id = 'aaaaaaaaaaaa'
  const atRed = await red.attach({ name: 'c', id, netns: one.namespace, publish: ['8081:80'] })
  const atBlue = await blue.attach({ name: 'c', id, netns: two.namespace, publish: ['8082:80'] })
  return { host, outside, one, two, first, second, red, blue, atRed, atBlue }
}

/** All of a namespace that a host could have left. */
async function remains({ namespace }: Machine): Promise<string> {
  const links = (await ip(namespace, '-o', 'link')).split('\n').map((line) => line.split(':')[1]?.trim())
  return `${links.join(' ')}\n${await nft(namespace, 'list', 'ruleset')}`
}

const UPLINK = '203.0.113.1'
const OUTSIDE = '203.0.113.2'

describe('two programs in one namespace', () => {
  it('have no bridge in common: of another host, or one that both would adopt', async () => {
    const { host, first, second } = await createTwo()
    await ip(host.namespace, ...'link add lan type bridge'.split(' '))
    await first.createNetwork({ name: 'lan', adopt: true, subnet: '10.5.0.0/24' })
    const before = await nft(host.namespace, 'list', 'ruleset')
    for (const name of ['red', 'lan'])
      expect(
        await failureOf(second.createNetwork({ name, adopt: true, subnet: '10.9.0.0/24' })),
      ).toMatchObject({
        code: 'NFB_NAME_TAKEN',
        path: 'name',
        message: expect.stringContaining('"nfbridge"'),
      })
    expect(await nft(host.namespace, 'list', 'ruleset')).toBe(before)
    expect(await first.check()).toEqual([])
    // The control: given up by the one, it is the other's to adopt.
    await first.network('lan')?.destroy()
    await second.createNetwork({ name: 'lan', adopt: true, subnet: '10.9.0.0/24' })
  })

  it('have no pool in common, nor does a peer of the one take the way to the other', async () => {
    const { host, second } = await createTwo()
    const before = await nft(host.namespace, 'list', 'ruleset')
    for (const subnet of ['172.18.0.0/24', '172.16.0.0/12', '172.18.0.0/16'])
      expect(await failureOf(second.addPeer({ subnet, via: OUTSIDE })), subnet).toMatchObject({
        code: 'NFB_POOL_OVERLAP',
        path: 'subnet',
      })
    expect(await nft(host.namespace, 'list', 'ruleset')).toBe(before)
    // (control)
    await second.addPeer({ subnet: '172.20.0.0/16', via: OUTSIDE })
  })

  it('explain does not say that nobody has what a machine of the other one has', async () => {
    const { host, first, second, atBlue } = await createTwo()
    const question = { from: 'host', to: atBlue.address, port: 80 }
    const unknown = { reached: 'unknown', decisive: { kind: 'address', name: atBlue.address } }
    expect(await first.explain(question)).toMatchObject({
      ...unknown,
      because: expect.stringMatching(
        new RegExp(
          `${atBlue.address} is at ${atBlue.addressOn('blue')?.mac}, behind ${atBlue.hostInterface} of blue`,
        ),
      ),
    })
    // So it is with whoever somebody else puts on a bridge of ours.
    await ip(host.namespace, ...'link add stranger type veth peer name inner'.split(' '))
    await ip(host.namespace, ...'link set stranger master red up'.split(' '))
    expect(await first.explain({ ...question, to: '172.18.0.99' })).toMatchObject({
      reached: 'unknown',
      because: expect.stringContaining('is not known: behind stranger is'),
    })
    expect(await first.check()).toEqual([])
    // The controls: the other one knows; and where everybody is known, nobody has it.
    expect(await second.explain(question)).toMatchObject({ reached: true, target: { namespace: 'c' } })
    await ip(host.namespace, ...'link delete stranger'.split(' '))
    expect(await first.explain({ ...question, to: '172.18.0.99' })).toMatchObject({
      reached: false,
      because: 'nobody on red has the address 172.18.0.99',
    })
    await expectReached(host, atBlue.address, 80, '172.19.0.1')
  })

  it('have their own tables and interfaces, and neither cuts the other off', async () => {
    const { host, outside, one, two, first, second, atRed, atBlue } = await createTwo()
    const tables = await nft(host.namespace, 'list', 'tables')
    for (const name of ['inet nfbridge', 'bridge nfbridge', 'inet other', 'bridge other'])
      expect(tables).toContain(`table ${name}`)
    for (const [from, published] of [
      [one, 8081],
      [two, 8082],
    ] as const) {
      // Outward under the host's address, and in by the published port; the other's policy is drop.
      await expectReached(from, OUTSIDE, 80, UPLINK)
      await expectReached(outside, UPLINK, published, OUTSIDE)
      expect((await host.probeTcp('127.0.0.1', published)).outcome).toBe('reached')
    }
    // By the other's published port a container is seen as it is; not by its address: both are isolated.
    await expectReached(one, UPLINK, 8082, atRed.address)
    await expectReached(two, UPLINK, 8081, atBlue.address)
    await expectBlocked(one, atBlue.address, 80)
    await expectBlocked(two, atRed.address, 80)
    for (const each of [first, second]) expect(await each.check()).toEqual([])
    expect((await second.inspect()).host.name).toBe('other')
    // Without what each tells the other, each one's policy meets the other's containers.
    for (const table of ['nfbridge', 'other'])
      await nft(host.namespace, 'flush', 'set', 'inet', table, 'host_bridges')
    await nft(host.namespace, ...'add rule inet other forward meta nfproto ipv4 drop'.split(' '))
    await expectBlocked(two, OUTSIDE, 80)
    await expectBlocked(one, OUTSIDE, 80)
  })

  it.each([
    ['none', 'none', true],
    ['none', 'default', true],
    ['default', 'none', true],
    ['default', 'default', false],
    ['strict', 'none', false],
    ['none', 'strict', false],
  ] as const)('isolation %s here and %s there: %s', async (isolation, other, open) => {
    const { one, red, blue, atRed, atBlue, two, first, second, host } = await createTwo({ isolation })
    const { address } = atBlue
    await blue.destroy()
    const again = await second.createNetwork({ name: 'blue', subnet: '172.19.0.0/16', isolation: other })
    const container = await again.attach({ name: 'again', netns: two.namespace, address })
    if (open) {
      await expectReached(one, container.address, 80, atRed.address)
      await expectReached(two, atRed.address, 80, container.address)
    } else {
      await expectBlocked(one, container.address, 80)
      await expectBlocked(two, atRed.address, 80)
    }
    expect(await first.check()).toEqual([])
    await red.destroy()
    expect(await nft(host.namespace, 'list', 'set', 'inet', 'other', 'host_bridges')).not.toContain('red')
  })

  it.each(['first', 'second'] as const)(
    'when the %s goes, the other goes on; the last leaves nothing',
    async (leaves) => {
      const { host, outside } = await createMachines()
      const before = await remains(host)
      await outside.close()
      const two = await createTwo()
      const { first, second } = two
      const [gone, stays] = leaves === 'first' ? [first, second] : [second, first]
      const [machine, port] = leaves === 'first' ? [two.two, 8082] : [two.one, 8081]
      await gone.destroy()
      await expectReached(machine, OUTSIDE, 80, UPLINK)
      await expectReached(two.outside, UPLINK, port, OUTSIDE)
      expect(await two.host.namespace.readSysctl('net.ipv4.ip_forward')).toBe('1')
      expect(await stays.check()).toEqual([])
      await stays.destroy()
      expect(await two.host.namespace.readSysctl('net.ipv4.ip_forward')).toBe('0')
      expect(await remains(two.host)).toBe(before)
    },
  )

  it('what one turned on and left is given back by the other, also after it was opened anew', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'nfbridge-two-'))
    cleanUp(async () => rmSync(directory, { recursive: true }))
    const { host, first, second } = await createTwo({}, { second: { state: directory } })
    // Nobody's but the first one's: turned on for it, with what the kernel overwrote.
    await first.destroy()
    await second.close()
    const again = await openHost(host, { name: 'other', state: directory })
    expect((await again.inspect()).host.forwarding.ipv4).toEqual({ on: true, turnedOn: true, policy: 'drop' })
    await again.destroy()
    expect(await host.namespace.readSysctl('net.ipv4.ip_forward')).toBe('0')
    expect(await host.namespace.readSysctl('net.ipv4.conf.all.accept_redirects')).toBe('1')
  })

  it('survive each other being opened again: rules made anew know the other', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'nfbridge-two-'))
    cleanUp(async () => rmSync(directory, { recursive: true }))
    const { host, one, two, first } = await createTwo({}, { first: { state: directory } })
    await first.close()
    const again = await openHost(host, { state: directory })
    await expectReached(two, OUTSIDE, 80, UPLINK)
    await expectReached(one, OUTSIDE, 80, UPLINK)
    expect(await again.check()).toEqual([])
  })

  it('make their networks at the same time', async () => {
    const { host } = await createMachines()
    const hosts = await Promise.all(['a1', 'b1', 'c1'].map((name) => openHost(host, { name })))
    await Promise.all(hosts.map((each) => each.defaultNetwork()))
    for (const each of hosts) {
      expect(await each.check()).toEqual([])
      const { name } = (await each.inspect()).host
      const known = await nft(host.namespace, 'list', 'set', 'inet', name, 'host_bridges')
      for (const bridge of ['a10', 'b10', 'c10']) expect(known).toContain(bridge)
    }
    const pools = hosts.flatMap(({ networks }) => networks.flatMap(({ subnet }) => subnet ?? []))
    expect(new Set(pools).size).toBe(3)
  })

  it('do not open the same state: that of another name is refused, and one in use is waited for', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'nfbridge-two-'))
    cleanUp(async () => rmSync(directory, { recursive: true }))
    const { host } = await createMachines()
    const first = await openHost(host, { state: directory })
    await first.createNetwork({ name: 'red' })
    expect(await failureOf(openHost(host, { state: directory }))).toMatchObject({
      code: 'NFB_BUSY',
      path: 'state',
    })
    expect(await failureOf(openHost(host, { state: directory, wait: 30 }))).toMatchObject({
      code: 'NFB_BUSY',
    })
    const waiting: Promise<BridgeHost> = openHost(host, { state: directory, wait: 600_000 })
    await first.close()
    const second = await waiting
    expect(second.networks.map(({ name }) => name)).toEqual(['red'])
    await second.close()
    expect(await failureOf(openHost(host, { name: 'other', state: directory }))).toMatchObject({
      code: 'NFB_SETTING_CONFLICT',
      path: 'name',
    })
  })
})
