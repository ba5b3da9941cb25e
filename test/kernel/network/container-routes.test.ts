import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { untilRunning } from '../../../lab/wiring.js'
import type { NetworkOptions } from '../../../src/index.js'
import { ip } from '../../support/tools.js'
import { cleanUp, createSetting, expectReached, failureOf, openHost, type Setting } from './setting.js'

/** The routes of a container, without spaces at the ends; those of the kernel's own making left out. */
async function routesOf({ machine }: Setting, name = 'web'): Promise<string[]> {
  const text = await ip(machine(name).namespace, 'route', 'show')
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.includes('proto kernel'))
}

/** A machine with 172.17.0.254 on the bridge, and 198.51.100.1 behind it. */
async function putRouter({ host, machine }: Setting): Promise<void> {
  const { namespace } = machine('router')
  await ip(
    host.namespace,
    'link',
    'add',
    'rt0',
    'type',
    'veth',
    'peer',
    'name',
    'lan0',
    'netns',
    namespace.path(),
  )
  await ip(host.namespace, 'link', 'set', 'rt0', 'master', 'docker0', 'up')
  await ip(namespace, 'address', 'add', '172.17.0.254/16', 'dev', 'lan0')
  await ip(namespace, 'link', 'set', 'lan0', 'up')
  await untilRunning(host, 'rt0')
  await untilRunning({ namespace }, 'lan0')
  await ip(namespace, 'address', 'add', '198.51.100.1/32', 'dev', 'lo')
  await ip(namespace, 'link', 'set', 'lo', 'up')
  await machine('router').serveTcp(80)
}

describe('routes of containers', () => {
  const routes = [
    { destination: '198.51.100.0/24', gateway: '172.17.0.254' },
    { destination: '10.0.0.0/8', type: 'unreachable' },
  ] as const

  it('are those of the network and those of their own, in the container, and lead there', async () => {
    const setting = await createSetting(['web', 'router'], { routes, metric: 50 })
    await putRouter(setting)
    const web = await setting.attach('web', {
      routes: [
        { destination: '10.1.0.0/16', metric: 7 },
        { destination: '192.0.2.0/24', type: 'blackhole' },
      ],
    })
    expect(await routesOf(setting)).toEqual([
      'default via 172.17.0.1 dev eth0 proto static metric 50',
      'unreachable 10.0.0.0/8 proto 110 metric 50',
      '10.1.0.0/16 via 172.17.0.1 dev eth0 proto static metric 7',
      'blackhole 192.0.2.0/24 proto 110 metric 50',
      '198.51.100.0/24 via 172.17.0.254 dev eth0 proto static metric 50',
    ])
    await expectReached(setting.machine('web'), '198.51.100.1', 80, web.address)
    expect((await setting.machine('web').probeTcp('10.9.9.9', 80)).outcome).toBe('unreachable')
    expect((await setting.bridgeHost.inspect()).networks[0]).toMatchObject({
      metric: 50,
      routes: [
        { destination: '198.51.100.0/24', gateway: '172.17.0.254', metric: null, type: 'unicast' },
        {},
      ],
    })
    // Again in the same namespace: what refuses belongs to no interface, and is there.
    await web.stop()
    await web.start({ netns: setting.machine('web').namespace })
    expect(await routesOf(setting)).toHaveLength(5)
  })

  it('are remembered, with all that belongs to them', async () => {
    const state = mkdtempSync(join(tmpdir(), 'nfbridge-routes-'))
    cleanUp(async () => rmSync(state, { recursive: true, force: true }))
    const options = { routes, defaultRoute: false, metric: 9, defaultGateway: undefined } as const
    const setting = await createSetting(['web', 'late'], options, { state })
    await setting.attach('web', { defaultRoute: true, routes: [{ destination: '10.1.0.0/16' }] })
    const before = await setting.bridgeHost.inspect()
    await setting.bridgeHost.close()
    const again = await openHost(setting.host, { state })
    const after = await again.inspect()
    expect([after.networks, after.containers]).toEqual([before.networks, before.containers])
    const network = again.network('docker0')
    await network?.attach({ name: 'late', netns: setting.machine('late').namespace })
    expect(await routesOf(setting, 'late')).toEqual([
      'unreachable 10.0.0.0/8 proto 110 metric 9',
      '198.51.100.0/24 via 172.17.0.254 dev eth0 proto static metric 9',
    ])
  })

  it('lack a default route where none is wanted', async () => {
    const setting = await createSetting(['web', 'app'], { defaultRoute: false })
    const web = await setting.attach('web')
    await setting.attach('app', { defaultRoute: true })
    expect(await routesOf(setting)).toEqual([])
    expect(await routesOf(setting, 'app')).toEqual([expect.stringContaining('default via 172.17.0.1')])
    await setting.machine('web').serveTcp(80)
    await expectReached(setting.machine('app'), web.address, 80, '172.17.0.3')
    expect((await setting.machine('web').probeTcp('203.0.113.2', 80)).outcome).toBe('unreachable')
  })

  it('have the metric that was asked for, another one where that is taken', async () => {
    const setting = await createSetting(['web'], { metric: 100 })
    const { bridgeHost, attach } = setting
    const other = await bridgeHost.createNetwork({ name: 'other', subnet: '172.20.0.0/16', metric: 100 })
    const third = await bridgeHost.createNetwork({ name: 'third', subnet: '172.21.0.0/16' })
    const web = await attach('web')
    await web.connect(other, { netns: setting.machine('web').namespace })
    expect(
      await failureOf(web.connect(third, { netns: setting.machine('web').namespace, metric: 101 })),
    ).toMatchObject({ code: 'NFB_SETTING_CONFLICT', path: 'metric' })
    await web.connect(third, { netns: setting.machine('web').namespace, metric: 3 })
    expect((await routesOf(setting)).map((line) => /dev (\S+) .*metric (\d+)/.exec(line)?.slice(1))).toEqual([
      ['eth2', '3'],
      ['eth0', '100'],
      ['eth1', '101'],
    ])
  })
})

describe('a default route by another machine on the bridge', () => {
  it.each<[string, Partial<NetworkOptions>]>([
    ['the bridge has its address', {}],
    ['the bridge has none', { gatewayMode: 'isolated' }],
  ])('leads there: %s', async (_, options) => {
    const setting = await createSetting(['web', 'router'], {
      defaultGateway: '172.17.0.254',
      range: '172.17.0.253-172.17.0.254',
      ...options,
    })
    await putRouter(setting)
    const web = await setting.attach('web')
    expect(web.address).toBe('172.17.0.253')
    expect(await routesOf(setting)).toEqual([expect.stringMatching(/^default via 172\.17\.0\.254 dev eth0/)])
    await expectReached(setting.machine('web'), '198.51.100.1', 80, web.address)
    const shown = await ip(setting.host.namespace, 'address', 'show', 'docker0')
    expect(shown.includes('172.17.0.1/16')).toBe(options.gatewayMode === undefined)
    expect(await failureOf(setting.attach('router', { address: '172.17.0.254' }))).toMatchObject({
      code: 'NFB_ADDRESS_TAKEN',
    })
  })
})

describe('routes that no container could have', () => {
  it.each<[Partial<NetworkOptions>, string, string]>([
    [
      { routes: [{ destination: '10.0.0.0/8', gateway: '10.0.0.1' }] },
      'NFB_ADDRESS_OUTSIDE_POOL',
      'routes[0].gateway',
    ],
    [{ routes: [{ destination: 'fd00::/8' }] }, 'NFB_SETTING_CONFLICT', 'routes[0].destination'],
    [{ routes: [{ destination: '10.0.0.1/8' }] }, 'NFB_INVALID_ADDRESS', 'routes[0].destination'],
    [{ routes: [{ destination: '10.0.0.0/8', metric: 0 }] }, 'NFB_INVALID_ARGUMENT', 'routes[0].metric'],
    [
      { routes: [{ destination: '10.0.0.0/8', gateway: '172.20.0.9', type: 'blackhole' }] },
      'NFB_SETTING_CONFLICT',
      'routes[0].gateway',
    ],
    [{ defaultGateway: '172.21.0.1' }, 'NFB_ADDRESS_OUTSIDE_POOL', 'defaultGateway'],
    [{ defaultGateway: '172.20.0.9', internal: true }, 'NFB_SETTING_CONFLICT', 'defaultGateway'],
    [{ defaultGateway: '172.20.0.9', icc: false }, 'NFB_SETTING_CONFLICT', 'defaultGateway'],
    [{ defaultGateway: '172.20.0.9', defaultRoute: false }, 'NFB_SETTING_CONFLICT', 'defaultGateway'],
    [{ defaultGateway: '172.20.0.9', bridges: 2 }, 'NFB_SETTING_CONFLICT', 'defaultGateway'],
    [{ metric: 0 }, 'NFB_INVALID_ARGUMENT', 'metric'],
  ])('are refused: %j', async (options, code, path) => {
    const { bridgeHost } = await createSetting([])
    expect(
      await failureOf(bridgeHost.createNetwork({ name: 'other', subnet: '172.20.0.0/16', ...options })),
    ).toMatchObject({ code, path })
    expect(bridgeHost.network('other')).toBeUndefined()
  })

  it('by the options of a container, with the path there', async () => {
    const { attach } = await createSetting(['web'])
    for (const [options, code, path] of [
      [
        { routes: [{ destination: '10.0.0.0/8', gateway: '10.0.0.1' }] },
        'NFB_ADDRESS_OUTSIDE_POOL',
        'routes[0].gateway',
      ],
      [{ metric: 1, priority: 1 }, 'NFB_SETTING_CONFLICT', 'metric'],
    ] as const)
      expect(await failureOf(attach('web', options))).toMatchObject({ code, path })
  })
})
