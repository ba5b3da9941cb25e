import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { type HeldConnection, type Machine, SILENCE_MS } from '../../../lab/machine.js'
import type { BridgeHost, HostOptions } from '../../../src/index.js'
import { counter } from '../../../src/nft/index.js'
import { conntrack, ip, nft, nftFile } from '../../support/tools.js'
import { cleanUp, createMachines, createSetting, failureOf, openHost, type Setting } from './setting.js'

/** Of conntrack, where the kernel has flowtables, built in or as modules. */
const hasFlowtables = existsSync('/proc/sys/net/netfilter/nf_flowtable_tcp_timeout')

const HOST = '203.0.113.1'
const OUTSIDE = '203.0.113.2'

async function offloading(bridgeHost: BridgeHost) {
  return (await bridgeHost.inspect()).host.offloading
}

describe('offload, in a kernel without flowtables', () => {
  beforeEach(({ skip }) => skip(hasFlowtables, 'this kernel has flowtables'))

  it('is refused where it must be, before anything is changed', async () => {
    const { host } = await createMachines()
    const failure = await failureOf(openHost(host, { offload: true }))
    expect(failure).toMatchObject({
      code: 'NFB_NOT_SUPPORTED',
      operation: 'BridgeHost.open',
      path: 'offload',
      message: expect.stringMatching(/has no flowtables .*leave offload: 'auto'/),
    })
    expect(await nft(host.namespace, 'list', 'ruleset')).toBe('')
  })

  it('is off by itself, says why, and leaves the rules as they are without it', async () => {
    const { host, bridgeHost } = await createSetting([])
    expect((await bridgeHost.inspect()).host).toMatchObject({
      offload: 'auto',
      offloading: {
        on: false,
        devices: [],
        reason: expect.stringContaining('this kernel has no flowtables'),
      },
    })
    await bridgeHost.userRules.forward.append([counter()])
    await bridgeHost.userRules.forward.delete(0)
    expect(await nft(host.namespace, 'list', 'ruleset')).not.toMatch(/flow|offload/)
    expect(await bridgeHost.check()).toEqual([])
  })
})

describe('offload', () => {
  it('is off on request', async () => {
    const { bridgeHost } = await createSetting([], {}, { offload: false })
    expect((await bridgeHost.inspect()).host).toMatchObject({
      offload: false,
      offloading: { on: false, devices: [], reason: 'offload is false' },
    })
  })

  it('is off without rules, and before there is a network', async () => {
    const { host } = await createMachines()
    const without = await openHost(host, { firewall: false })
    expect((await offloading(without)).reason).toBe('firewall is false')
    const bridgeHost = await openHost(host, { name: 'other' })
    expect((await offloading(bridgeHost)).reason).toBe('there is no network')
  })
})

interface Offloaded extends Setting {
  readonly outward: HeldConnection
  readonly inward: HeldConnection
}

/** A container with a connection outward and one by a published port, both offloaded. */
async function createOffloaded(options: Omit<HostOptions, 'netns'> = {}): Promise<Offloaded> {
  const setting = await createSetting(['web'], {}, options)
  const { attach, machine, outside, host } = setting
  await attach('web', { publish: ['8080:80'] })
  await machine('web').serveTcp(80)
  await outside.serveTcp(80)
  const [outward, inward] = [
    await machine('web').holdTcp(OUTSIDE, 80),
    await outside.holdTcp(HOST, 8080),
  ] as const
  for (const held of [outward, inward]) {
    cleanUp(() => held.close())
    await expectEcho(held)
  }
  await expectOffloaded(host, 2)
  return { ...setting, outward, inward }
}

async function expectEcho(held: HeldConnection): Promise<void> {
  for (let count = 0; count < 3; count += 1) expect(await held.send(`message ${count}`)).toBe('echo')
}

async function expectOffloaded({ namespace }: Machine, count: number): Promise<void> {
  const marked = (await conntrack(namespace, '-L', '-p', 'tcp')).match(/\[OFFLOAD\]/g) ?? []
  expect(marked).toHaveLength(count)
}

/** A chain of another program, and how many packets it has seen. */
async function countForwarded({ namespace }: Machine): Promise<() => Promise<number>> {
  await nftFile(
    namespace,
    'table ip other { chain forward { type filter hook forward priority 0; counter; }; }',
  )
  return async () =>
    Number(/packets (\d+)/.exec(await nft(namespace, 'list', 'chain', 'ip', 'other', 'forward'))?.[1])
}

describe('offload, in a kernel with flowtables', () => {
  beforeEach(({ skip }) => skip(!hasFlowtables, 'this kernel has no flowtables'))

  it('has connections outward and by published ports go past the hooks', async () => {
    const { host, bridgeHost, outward, inward } = await createOffloaded({ offload: true })
    expect(await offloading(bridgeHost)).toEqual({ on: true, devices: ['uplink', 'docker0'], reason: null })
    const seen = await countForwarded(host)
    for (const held of [outward, inward]) await expectEcho(held)
    expect(await seen()).toBe(0)
    expect(await bridgeHost.check()).toEqual([])
    await bridgeHost.network('docker0')?.destroy()
    expect(await nft(host.namespace, 'list', 'flowtables')).not.toMatch(/offloaded/)
  })

  it('ends what is revoked at once, and nothing else', async () => {
    const { bridgeHost, outward, inward, host } = await createOffloaded()
    await bridgeHost.container('web')?.unpublish('8080:80')
    expect(await inward.send('still there?', { timeoutMs: SILENCE_MS })).not.toBe('echo')
    await expectEcho(outward)
    await expectOffloaded(host, 1)
    await bridgeHost.container('web')?.detach()
    expect(await outward.send('still there?', { timeoutMs: SILENCE_MS })).not.toBe('echo')
    await expectOffloaded(host, 0)
  })

  it('judges who sends before: a frame with the MAC of nobody is dropped', async () => {
    const { machine, outward } = await createOffloaded()
    const { namespace } = machine('web')
    const [, mac = ''] = /link\/ether (\S+)/.exec(await ip(namespace, 'link', 'show', 'eth0')) ?? []
    await ip(namespace, 'link', 'set', 'eth0', 'address', '02:00:00:00:00:99')
    expect(await outward.send('forged', { timeoutMs: SILENCE_MS })).toBe('timeout')
    await ip(namespace, 'link', 'set', 'eth0', 'address', mac)
    await expect.poll(() => outward.send('again')).toBe('echo')
  })

  it('ends with a rule of the users, and begins again without', async () => {
    const { bridgeHost, host, outward, inward } = await createOffloaded()
    await bridgeHost.userRules.forward.append([counter()])
    expect(await offloading(bridgeHost)).toMatchObject({
      on: false,
      reason: expect.stringContaining('rules of the users'),
    })
    for (const held of [outward, inward]) await expectEcho(held)
    await expectOffloaded(host, 0)
    const [rule] = await bridgeHost.userRules.forward.list()
    expect(rule?.text).toMatch(/packets [1-9]/)
    await bridgeHost.userRules.forward.delete(0)
    for (const held of [outward, inward]) await expectEcho(held)
    await expectOffloaded(host, 2)
  })

  it('ends while another program has a chain on the way', async () => {
    const { bridgeHost, host, outward, inward } = await createOffloaded()
    const seen = await countForwarded(host)
    await expect
      .poll(() => offloading(bridgeHost))
      .toMatchObject({ on: false, reason: expect.stringContaining('chain forward of table ip other') })
    for (const held of [outward, inward]) await expectEcho(held)
    expect(await seen()).toBeGreaterThan(10)
    await nft(host.namespace, 'delete', 'table', 'ip', 'other')
    await expect.poll(() => offloading(bridgeHost)).toMatchObject({ on: true })
  })

  it('follows ways out that come, networks, and a restart', async () => {
    const state = mkdtempSync(join(tmpdir(), 'nfbridge-'))
    cleanUp(async () => rmSync(state, { recursive: true, force: true }))
    const { bridgeHost, host, outward, inward } = await createOffloaded({ state })
    const second = await bridgeHost.createNetwork({ name: 'br2' })
    expect((await offloading(bridgeHost)).devices).toEqual(['uplink', 'docker0', 'br2'])
    await second.destroy()
    // The kernel takes it out of the flowtable when it goes.
    for (const _ of ['it comes', 'it comes again']) {
      await ip(host.namespace, 'link', 'add', 'other', 'type', 'dummy')
      await ip(host.namespace, 'address', 'add', '198.18.0.1/24', 'dev', 'other')
      await ip(host.namespace, 'link', 'set', 'other', 'up')
      await expect.poll(() => nft(host.namespace, 'list', 'flowtables')).toContain('other')
      await ip(host.namespace, 'link', 'delete', 'other')
      expect(await nft(host.namespace, 'list', 'flowtables')).not.toContain('other')
    }
    await bridgeHost.close()
    const again = await openHost(host, { state })
    expect(await offloading(again)).toMatchObject({ on: true })
    for (const held of [outward, inward]) await expectEcho(held)
    await expectOffloaded(host, 2)
    await again.destroy()
    expect(await nft(host.namespace, 'list', 'ruleset')).toBe('')
  })
})
