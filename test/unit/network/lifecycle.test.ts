import { describe, expect, it } from 'vitest'
import type { ConnectOptions, EndpointOptions } from '../../../src/network/options.js'
import { planHostContainer } from '../../../src/network/plan/attach.js'
import { planBandwidth } from '../../../src/network/plan/bandwidth.js'
import {
  parseConnectOptions,
  parseHostContainerOptions,
  parseLink,
} from '../../../src/network/plan/container-settings.js'
import { parseBandwidth } from '../../../src/network/plan/endpoint-settings.js'
import { planConnect, planDisconnect, planStart, planStop } from '../../../src/network/plan/lifecycle.js'
import { planLink } from '../../../src/network/plan/link.js'
import { planPublish, planUnpublish } from '../../../src/network/plan/publish.js'
import { parsePublished } from '../../../src/network/plan/publish-settings.js'
import { byMetric, type NetworkRecord, publishedText } from '../../../src/network/plan/records.js'
import type { Registry } from '../../../src/network/plan/registry.js'
import {
  attach,
  carryOut,
  elementTexts,
  endpointOf,
  freePorts,
  known,
  network,
  registryWith,
  thrown,
} from './fixtures.js'

function stop(registry: Registry, ...names: string[]): void {
  carryOut(
    registry,
    planStop(
      registry,
      names.map((name) => known(registry, name)),
    ),
  )
}

function start(registry: Registry, name: string, ...taken: string[]): void {
  carryOut(registry, planStart(registry, known(registry, name), freePorts(...taken)))
}

function connect(registry: Registry, name: string, to: NetworkRecord, options: ConnectOptions = {}): void {
  carryOut(registry, planConnect(registry, known(registry, name), to, parseConnectOptions(options)))
}

function address(registry: Registry, name: string, on?: string): string {
  return String(endpointOf(known(registry, name), on).ipv4)
}

describe('stopping and starting', () => {
  /** A server with everything, and a client. */
  function linked(web: EndpointOptions = {}): { registry: Registry; docker0: NetworkRecord } {
    const docker0 = network()
    const registry = registryWith(docker0)
    attach(
      registry,
      docker0,
      { name: 'web', expose: ['80/tcp'], publish: ['8080:80', '443'], hostname: 'www', ...web },
      { name: 'app', links: ['web:db'] },
    )
    return { registry, docker0 }
  }

  it('leaves no element, and brings back the same ones', () => {
    const { registry } = linked()
    const before = elementTexts(registry).sort()
    const record = known(registry, 'web')
    stop(registry, 'web')
    expect(elementTexts(registry).filter((text) => text.includes('172.17.0.2'))).toEqual([])
    expect(known(registry, 'web')).toEqual({ ...record, state: 'stopped' })
    expect(known(registry, 'app').links).toHaveLength(1)
    expect(registry.portsOf('docker0')).toBe(1)
    start(registry, 'web')
    expect(known(registry, 'web')).toEqual(record)
    expect(elementTexts(registry).sort()).toEqual(before)
    expect(registry.portsOf('docker0')).toBe(2)
  })

  it('the client too', () => {
    const { registry } = linked()
    const before = elementTexts(registry).sort()
    stop(registry, 'app')
    expect(elementTexts(registry).filter((text) => text.startsWith('links'))).toEqual([])
    start(registry, 'app')
    expect(elementTexts(registry).sort()).toEqual(before)
  })

  it('several in one call, those that are stopped already passed over', () => {
    const { registry } = linked()
    stop(registry, 'app')
    const plan = planStop(registry, [known(registry, 'web'), known(registry, 'app')])
    expect(plan.touched.containers).toEqual([known(registry, 'web').id])
    carryOut(registry, plan)
    expect(elementTexts(registry).filter((text) => text.includes('172.17.0.2'))).toEqual([])
    expect(planStop(registry, [known(registry, 'web')])).toEqual({
      change: { containers: new Map() },
      touched: { containers: [], pairs: [] },
    })
  })

  it('the old address goes to a stranger: the link leads to the new one, and never to the stranger', () => {
    const { registry, docker0 } = linked()
    stop(registry, 'web')
    attach(registry, docker0, { name: 'stranger', address: '172.17.0.2', expose: ['80/tcp'] })
    const links = (): string[] => elementTexts(registry).filter((text) => text.startsWith('links'))
    expect(links()).toEqual([])
    start(registry, 'web')
    expect(address(registry, 'web')).toBe('172.17.0.4')
    expect(String(endpointOf(known(registry, 'web')).mac)).toBe('02:42:ac:11:00:04')
    expect(links().sort()).toEqual([
      'links 172.17.0.3 . 172.17.0.4 . tcp . 443',
      'links 172.17.0.3 . 172.17.0.4 . tcp . 80',
    ])
    expect(elementTexts(registry)).toContain('publish_any tcp . 8080 : 172.17.0.4 . 80')
  })

  it('a fixed address or MAC is asked for again, and refused if somebody has it', () => {
    const { registry, docker0 } = linked({ address: '172.17.0.77', mac: '02:00:00:00:00:77' })
    stop(registry, 'web')
    attach(registry, docker0, { name: 'thief', address: '172.17.0.77' })
    const refused = { code: 'NFB_ADDRESS_TAKEN', operation: 'Container.start', path: undefined }
    expect(thrown(() => planStart(registry, known(registry, 'web'), freePorts()))).toMatchObject(refused)
    stop(registry, 'thief')
    attach(registry, docker0, { name: 'forger', mac: '02:00:00:00:00:77' })
    expect(thrown(() => planStart(registry, known(registry, 'web'), freePorts()))).toMatchObject(refused)
    stop(registry, 'forger')
    start(registry, 'web')
    expect(address(registry, 'web')).toBe('172.17.0.77')
    expect(String(endpointOf(known(registry, 'web')).mac)).toBe('02:00:00:00:00:77')
  })

  it('its host ports are free; who has one then is named', () => {
    const { registry, docker0 } = linked()
    stop(registry, 'web')
    attach(registry, docker0, { name: 'other', publish: ['8080:1'] })
    expect(thrown(() => planStart(registry, known(registry, 'web'), freePorts()))).toMatchObject({
      code: 'NFB_PORT_TAKEN',
      reason: expect.stringContaining('port 8080/tcp is published by "other"'),
    })
  })

  it('a port that was chosen is chosen again, if need be another one', () => {
    const { registry, docker0 } = linked()
    const published = (): string[] => known(registry, 'web').published.map(publishedText)
    expect(published()).toEqual(['8080:80/tcp', '49153:443/tcp'])
    stop(registry, 'web')
    start(registry, 'web')
    expect(published()[1]).toBe('49153:443/tcp')
    stop(registry, 'web')
    attach(registry, docker0, { publish: ['127.0.0.1:49153:1'] })
    start(registry, 'web', 'tcp/49154')
    expect(published()).toEqual(['8080:80/tcp', '49155:443/tcp'])
    stop(registry, 'web')
    start(registry, 'web', 'tcp/49155')
    expect(published()[1]).toBe('49156:443/tcp')
  })

  it('another namespace is remembered, the former one otherwise', () => {
    const { registry } = linked()
    stop(registry, 'web')
    const web = known(registry, 'web')
    expect(planStart(registry, web, freePorts(), '/run/netns/web').container.netns).toBe('/run/netns/web')
    expect(planStart(registry, { ...web, netns: '/run/a' }, freePorts()).container.netns).toBe('/run/a')
  })

  it("what runs is not started, and what is on the host's network neither stopped nor started", () => {
    const { registry, docker0 } = linked()
    expect(thrown(() => planStart(registry, known(registry, 'web'), freePorts()))).toMatchObject({
      code: 'NFB_SETTING_CONFLICT',
      reason: expect.stringContaining('is running'),
    })
    carryOut(registry, planHostContainer(registry, parseHostContainerOptions({ name: 'sshd' })))
    const sshd = known(registry, 'sshd')
    for (const work of [
      () => planStop(registry, [sshd]),
      () => planStart(registry, sshd, freePorts()),
      () => planConnect(registry, sshd, docker0, parseConnectOptions({})),
      () => planPublish(registry, sshd, parsePublished(['80:80'], 'ports'), true, freePorts()),
    ]) {
      expect(thrown(work)).toMatchObject({
        code: 'NFB_SETTING_CONFLICT',
        reason: expect.stringContaining("uses the host's network"),
      })
    }
    expect(thrown(() => planLink(registry, sshd, parseLink('web', 'link')))).toMatchObject({
      code: 'NFB_LINK_REFUSED',
      reason: expect.stringContaining("uses the host's network"),
    })
  })

  it('a stopped container may change: what it publishes then is published when it starts', () => {
    const { registry } = linked()
    stop(registry, 'web')
    const plan = planPublish(
      registry,
      known(registry, 'web'),
      parsePublished(['9000:90'], 'p'),
      true,
      freePorts(),
    )
    carryOut(registry, plan)
    expect(
      thrown(() =>
        planPublish(registry, known(registry, 'web'), parsePublished(['9000:91'], 'p'), true, freePorts()),
      ),
    ).toMatchObject({ code: 'NFB_PORT_TAKEN' })
    carryOut(registry, planUnpublish(registry, known(registry, 'web'), parsePublished(['8080:80'], 'p')))
    start(registry, 'web')
    const texts = elementTexts(registry)
    expect(texts).toContain('publish_any tcp . 9000 : 172.17.0.2 . 90')
    expect(texts.some((text) => text.includes('8080'))).toBe(false)
  })
})

describe('several networks', () => {
  function two(): { registry: Registry; front: NetworkRecord; back: NetworkRecord } {
    const front = network({ name: 'front', subnet: '10.1.0.0/24' })
    const back = network({ name: 'back', subnet: '10.2.0.0/24' })
    const registry = registryWith(front, back)
    attach(registry, front, { name: 'web', expose: [80], publish: ['8080:80'] }, { name: 'app' })
    attach(registry, back, { name: 'db', expose: [5432] })
    return { registry, front, back }
  }

  it('a container has an interface on each, by its own name', () => {
    const { registry, back } = two()
    connect(registry, 'web', back, { netns: '/run/netns/web' })
    const web = known(registry, 'web')
    expect(web.netns).toBe('/run/netns/web')
    expect(web.endpoints.map(({ interfaceName }) => interfaceName)).toEqual(['eth0', 'eth1'])
    expect(new Set(web.endpoints.map(({ hostInterface }) => hostInterface)).size).toBe(2)
    expect(new Set(web.endpoints.map(({ index }) => index)).size).toBe(2)
    expect(address(registry, 'web', 'back')).toBe('10.2.0.3')
    expect(registry.containersOf('back').map(({ name }) => name)).toEqual(['db', 'web'])
    carryOut(registry, planDisconnect(registry, web, { name: 'front' }))
    connect(registry, 'web', network({ name: 'front', subnet: '10.1.0.0/24' }))
    expect(known(registry, 'web').endpoints.map(({ interfaceName }) => interfaceName)).toEqual([
      'eth1',
      'eth0',
    ])
  })

  it('a link holds for each network that both are on, comes with it and goes with it', () => {
    const { registry, front, back } = two()
    const links = (): string[] =>
      elementTexts(registry)
        .filter((text) => text.startsWith('links'))
        .sort()
    expect(thrown(() => connect(registry, 'app', back, { links: ['nobody'] }))).toMatchObject({
      code: 'NFB_NOT_FOUND',
      path: 'links[0]',
    })
    connect(registry, 'app', back, { links: ['db'] })
    expect(links()).toEqual(['links 10.2.0.3 . 10.2.0.2 . tcp . 5432'])
    connect(registry, 'db', front)
    expect(links()).toEqual([
      'links 10.1.0.3 . 10.1.0.4 . tcp . 5432',
      'links 10.2.0.3 . 10.2.0.2 . tcp . 5432',
    ])
    carryOut(registry, planDisconnect(registry, known(registry, 'db'), back))
    expect(links()).toEqual(['links 10.1.0.3 . 10.1.0.4 . tcp . 5432'])
    carryOut(registry, planDisconnect(registry, known(registry, 'app'), front))
    expect(links()).toEqual([])
    connect(registry, 'db', back)
    expect(links()).toEqual(['links 10.2.0.3 . 10.2.0.4 . tcp . 5432'])
  })

  it('the default route goes by priority, then by time; published ports follow it', () => {
    const { registry, back } = two()
    const order = (): string[] => byMetric(known(registry, 'web').endpoints).map(({ network }) => network)
    connect(registry, 'web', back)
    expect(order()).toEqual(['front', 'back'])
    expect(elementTexts(registry)).toContain('publish_any tcp . 8080 : 10.1.0.2 . 80')
    carryOut(registry, planDisconnect(registry, known(registry, 'web'), back))
    connect(registry, 'web', back, { priority: 1 })
    expect(order()).toEqual(['back', 'front'])
    expect(elementTexts(registry)).toContain('publish_any tcp . 8080 : 10.2.0.4 . 80')
    carryOut(registry, planDisconnect(registry, known(registry, 'web'), back))
    expect(elementTexts(registry)).toContain('publish_any tcp . 8080 : 10.1.0.2 . 80')
    connect(registry, 'web', back, { priority: -1000 })
    expect(order()).toEqual(['front', 'back'])
  })

  it('among equals the one that was connected first goes first, also after others have left', () => {
    const networks = Array.from({ length: 65 }, (_, index) =>
      network({ name: `net${index}`, subnet: `10.${index}.0.0/24` }),
    )
    const [first, second, third, ...others] = networks
    if (!first || !second || !third) throw new Error('they are there')
    const registry = registryWith(...networks)
    attach(registry, first, { name: 'web', priority: 1000 })
    const order = (): string[] => byMetric(known(registry, 'web').endpoints).map((each) => each.network)
    connect(registry, 'web', second, { priority: 1000 })
    carryOut(registry, planDisconnect(registry, known(registry, 'web'), first))
    connect(registry, 'web', third, { priority: 1000 })
    connect(registry, 'web', first, { priority: 1000 })
    expect(order()).toEqual(['net1', 'net2', 'net0'])
    for (const each of others.slice(0, 61)) connect(registry, 'web', each)
    const metrics = known(registry, 'web').endpoints.map(({ metric }) => metric)
    expect(new Set(metrics).size).toBe(64)
    // 0 would be 1024 in IPv6.
    expect(Math.min(...metrics)).toBeGreaterThan(0)
    expect(thrown(() => connect(registry, 'web', others[61] ?? first))).toMatchObject({
      code: 'NFB_SETTING_CONFLICT',
      reason: 'a container is on 64 networks at most',
    })
  })

  it('refuses what can not be', () => {
    const { registry, front, back } = two()
    expect(thrown(() => connect(registry, 'web', front))).toMatchObject({ code: 'NFB_SETTING_CONFLICT' })
    expect(thrown(() => connect(registry, 'web', back, { address: '10.2.0.2' }))).toMatchObject({
      code: 'NFB_ADDRESS_TAKEN',
      operation: 'Container.connect',
      path: 'address',
    })
    expect(thrown(() => connect(registry, 'web', back, { interfaceName: 'eth0' }))).toMatchObject({
      code: 'NFB_NAME_TAKEN',
      path: 'interfaceName',
    })
    expect(thrown(() => planDisconnect(registry, known(registry, 'web'), back))).toMatchObject({
      code: 'NFB_NOT_FOUND',
      path: 'network',
    })
  })

  it('starts on all of them again, also when a published port has lost its network', () => {
    const { registry, back, front } = two()
    connect(registry, 'web', back, { address: '10.2.0.9' })
    stop(registry, 'web')
    attach(registry, front, { address: '10.1.0.2' })
    start(registry, 'web')
    expect([address(registry, 'web', 'front'), address(registry, 'web', 'back')]).toEqual([
      '10.1.0.4',
      '10.2.0.9',
    ])
    for (const each of [front, back])
      carryOut(registry, planDisconnect(registry, known(registry, 'web'), each))
    expect(elementTexts(registry).some((text) => text.includes('8080'))).toBe(false)
    stop(registry, 'web')
    start(registry, 'web')
    expect(known(registry, 'web')).toMatchObject({ state: 'running', endpoints: [] })
    connect(registry, 'web', front)
    expect(elementTexts(registry).some((text) => text.includes('8080'))).toBe(true)
  })

  it('a stopped container may be connected: it is there when it starts', () => {
    const { registry, back } = two()
    stop(registry, 'web')
    connect(registry, 'web', back)
    expect(registry.portsOf('back')).toBe(1)
    // The address was not held.
    attach(registry, back, { name: 'quick' })
    expect(address(registry, 'quick')).toBe('10.2.0.3')
    start(registry, 'web')
    expect(address(registry, 'web', 'back')).toBe('10.2.0.4')
  })
})

describe('bandwidth', () => {
  it('has a burst of a hundredth of a second, or ten packets', () => {
    const docker0 = network({ mtu: 1400 })
    const registry = registryWith(docker0)
    attach(registry, docker0, {
      name: 'web',
      bandwidth: { ingress: { rate: 1_000_000_000 }, egress: { rate: 1000 } },
    })
    expect(endpointOf(known(registry, 'web'))).toMatchObject({
      ingress: { rate: 1_000_000_000, burst: 1_250_000 },
      egress: { rate: 1000, burst: 14_000 },
    })
  })

  it('is changed on one network or on all; what is not given has no limit any more', () => {
    const front = network({ name: 'front', subnet: '10.1.0.0/24' })
    const back = network({ name: 'back', subnet: '10.2.0.0/24' })
    const registry = registryWith(front, back)
    attach(registry, front, { name: 'web', bandwidth: { ingress: { rate: 8000, burst: 2000 } } })
    connect(registry, 'web', back)
    const limit = (on: string | undefined, options: object): void =>
      carryOut(
        registry,
        planBandwidth(registry, known(registry, 'web'), on, parseBandwidth(options, 'test', 'bandwidth')),
      )
    limit('back', { egress: { rate: 9000, burst: 3000 } })
    const limits = (): unknown[] =>
      known(registry, 'web').endpoints.map(({ ingress, egress }) => [ingress, egress])
    expect(limits()).toEqual([
      [{ rate: 8000, burst: 2000 }, undefined],
      [undefined, { rate: 9000, burst: 3000 }],
    ])
    limit(undefined, {})
    expect(limits()).toEqual([
      [undefined, undefined],
      [undefined, undefined],
    ])
    expect(thrown(() => limit('side', {}))).toMatchObject({ code: 'NFB_NOT_FOUND', path: 'network' })
    // Its addresses are still its own.
    expect(thrown(() => attach(registry, front, { address: '10.1.0.2' }))).toMatchObject({
      code: 'NFB_ADDRESS_TAKEN',
    })
  })
})
