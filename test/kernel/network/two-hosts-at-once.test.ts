import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Machine } from '../../../lab/machine.js'
import { withNamespaceLock } from '../../../src/netns/index.js'
import { nft } from '../../support/tools.js'
import { allSettings } from './all-settings.js'
import { cleanUp, createMachines, openHost } from './setting.js'

const RED = { name: 'red', pools: [{ subnet: '172.18.0.0/16' }, { subnet: 'fd00:18::/64' }] }
const BLUE = { name: 'blue', pools: [{ subnet: '172.19.0.0/16' }, { subnet: 'fd00:19::/64' }] }
const RED6 = { name: 'red6', pools: [{ subnet: 'fd00:1806::/64' }], ipv4: false }
const BLUE6 = { name: 'blue6', pools: [{ subnet: 'fd00:1906::/64' }], ipv4: false }

type Calls = readonly [() => Promise<unknown>, () => Promise<unknown>]

/** By so many reads of a setting the one call begins after the other. */
const LAGS = [0, 1, 3, 8, 20, 45]
const INTERLEAVINGS = LAGS.flatMap((lag) => [
  { lag, swapped: false },
  { lag, swapped: true },
])

/** Begins both, and waits for both. */
async function atOnce(
  { namespace }: Machine,
  { lag, swapped }: (typeof INTERLEAVINGS)[number],
  calls: Calls,
): Promise<void> {
  const [early, late] = swapped ? [calls[1], calls[0]] : calls
  const delayed = async (): Promise<void> => {
    for (let read = 0; read < lag; read += 1) await namespace.readSysctl('net.ipv4.ip_forward')
    await late()
  }
  await Promise.all([early(), delayed()])
}

async function forwarding({ namespace }: Machine): Promise<string> {
  const names = ['net.ipv4.ip_forward', 'net.ipv6.conf.all.forwarding']
  return (await Promise.all(names.map((name) => namespace.readSysctl(name)))).join(' ')
}

/** Runs a round in each interleaving; after each of them all is as it was before the first. */
async function eachInterleaving(
  round: (host: Machine, together: (...calls: Calls) => Promise<void>) => Promise<void>,
): Promise<void> {
  const { host } = await createMachines()
  const before = await allSettings(host)
  for (const interleaving of INTERLEAVINGS) {
    await round(host, (...calls) => atOnce(host, interleaving, calls))
    expect(await allSettings(host), JSON.stringify(interleaving)).toEqual(before)
    expect(await nft(host.namespace, 'list', 'tables')).toBe('')
  }
}

/** Two hosts, and a network of the first one, which turned forwarding on. */
async function openTwo(host: Machine, state?: string) {
  const first = await openHost(host, { name: 'first' })
  await first.createNetwork(RED)
  return { first, second: await openHost(host, { name: 'second', ...(state && { state }) }) }
}

describe('of two hosts in one namespace', () => {
  it('both are destroyed at the same time', () =>
    eachInterleaving(async (host, together) => {
      const { first, second } = await openTwo(host)
      await second.createNetwork(BLUE)
      await together(
        () => first.destroy(),
        () => second.destroy(),
      )
    }))

  it('both make their first network at the same time', () =>
    eachInterleaving(async (host, together) => {
      const [first, second] = [
        await openHost(host, { name: 'first' }),
        await openHost(host, { name: 'second' }),
      ]
      await together(
        () => first.createNetwork(RED),
        () => second.createNetwork(BLUE),
      )
      expect(await forwarding(host)).toBe('1 1')
      await first.destroy()
      expect(await forwarding(host)).toBe('1 1')
      await second.destroy()
    }))

  it('one is destroyed while the other one makes its first network', () =>
    eachInterleaving(async (host, together) => {
      const { first, second } = await openTwo(host)
      await together(
        () => first.destroy(),
        () => second.createNetwork(BLUE),
      )
      expect(await forwarding(host)).toBe('1 1')
      expect(await second.check()).toEqual([])
      await second.destroy()
    }))

  it('one is destroyed while the other one is opened and adopts its network', () =>
    eachInterleaving(async (host, together) => {
      const state = mkdtempSync(join(tmpdir(), 'nfbridge-two-'))
      cleanUp(async () => rmSync(state, { recursive: true }))
      const { first, second } = await openTwo(host, state)
      await second.createNetwork(BLUE)
      await second.close()
      await together(
        () => first.destroy(),
        () => openHost(host, { name: 'second', state }).then((again) => again.close()),
      )
      expect(await forwarding(host)).toBe('1 1')
      await (await openHost(host, { name: 'second', state })).destroy()
    }))

  it('both destroy their last network of a family at the same time, and keep those of the other', () =>
    eachInterleaving(async (host, together) => {
      const [first, second] = [
        await openHost(host, { name: 'first' }),
        await openHost(host, { name: 'second' }),
      ]
      await first.createNetwork({ name: 'red', subnet: '172.18.0.0/16' })
      await second.createNetwork({ name: 'blue', subnet: '172.19.0.0/16' })
      const [red, blue] = [await first.createNetwork(RED6), await second.createNetwork(BLUE6)]
      expect(await forwarding(host)).toBe('1 1')
      await together(
        () => red.destroy(),
        () => blue.destroy(),
      )
      expect(await forwarding(host)).toBe('1 0')
      await first.destroy()
      await second.destroy()
    }))

  it('one that must make its rules anew keeps what the other one left to it', async () => {
    const { host } = await createMachines()
    const before = await allSettings(host)
    const { first, second } = await openTwo(host)
    await second.createNetwork(BLUE)
    await first.destroy()
    // What is left is taken with the next network; the rules come first.
    await nft(host.namespace, 'flush', 'chain', 'inet', 'second', 'forward')
    await second.addPeer({ subnet: '10.9.0.0/24', via: '203.0.113.2' })
    expect(await second.check()).toEqual([])
    await second.destroy()
    expect(await allSettings(host)).toEqual(before)
  })

  it('neither begins while a third one is at it', async () => {
    const { host } = await createMachines()
    const { first } = await openTwo(host)
    let destroyed: Promise<void> | undefined
    await withNamespaceLock(host.namespace, async () => {
      destroyed = first.destroy()
      for (let read = 0; read < 100; read += 1) expect(await forwarding(host)).toBe('1 1')
    })
    await destroyed
    expect(await forwarding(host)).toBe('0 0')
  })
})
