import { describe, expect, it } from 'vitest'
import { planDetach } from '../../../src/network/plan/detach.js'
import { planStop } from '../../../src/network/plan/lifecycle.js'
import type { ContainerRecord } from '../../../src/network/plan/records.js'
import { attach, carryOut, elementTexts, endpointOf, network, registryWith, thrown } from './fixtures.js'

function addresses(containers: readonly ContainerRecord[]): string[] {
  return containers.flatMap(({ endpoints }) => endpoints.map(({ ipv4, ipv6 }) => String(ipv4 ?? ipv6)))
}

describe('several pools', () => {
  it('are used one after the other, and then the network is full', () => {
    const docker0 = network({ pools: [{ subnet: '10.0.0.0/30' }, { subnet: '10.0.1.0/30' }] })
    const registry = registryWith(docker0)
    expect(addresses(attach(registry, docker0, {}, {}))).toEqual(['10.0.0.2', '10.0.1.2'])
    expect(thrown(() => attach(registry, docker0, {}))).toMatchObject({
      code: 'NFB_POOL_FULL',
      path: 'containers[0]',
      reason: 'no address is free in 10.0.0.0/30, 10.0.1.0/30 of docker0',
    })
  })

  it('a call that finds one full takes no address', () => {
    const small = network({ subnet: '10.0.0.0/30' })
    const registry = registryWith(small)
    expect(thrown(() => attach(registry, small, {}, {}))).toMatchObject({
      code: 'NFB_POOL_FULL',
      path: 'containers[1]',
    })
    expect(addresses(attach(registry, small, {}))).toEqual(['10.0.0.2'])
  })

  it('hand out of their range, without the exclusions; what is fixed may lie outside of it', () => {
    const docker0 = network({
      pools: [{ subnet: '10.0.0.0/24', range: '10.0.0.128/30', exclude: ['10.0.0.129'] }],
    })
    const registry = registryWith(docker0)
    const containers = attach(registry, docker0, {}, {}, {}, { address: '10.0.0.7' })
    expect(addresses(containers)).toEqual(['10.0.0.128', '10.0.0.130', '10.0.0.131', '10.0.0.7'])
    expect(thrown(() => attach(registry, docker0, { address: '10.0.0.129' }))).toMatchObject({
      code: 'NFB_ADDRESS_TAKEN',
      reason: '10.0.0.129 is excluded from docker0, with 10.0.0.129/32',
    })
  })

  it('an address that was just freed is not the next', () => {
    const docker0 = network()
    const registry = registryWith(docker0)
    const [web] = attach(registry, docker0, { name: 'web' })
    if (web) carryOut(registry, planDetach(registry, [web]))
    expect(addresses(attach(registry, docker0, {}))).toEqual(['172.17.0.3'])
  })

  it('take up the order of an earlier process', () => {
    const docker0 = network()
    const registry = registryWith(docker0)
    const [web, app] = attach(registry, docker0, {}, {})
    if (web) carryOut(registry, planDetach(registry, [web]))
    const memories = JSON.parse(JSON.stringify(registry.poolMemories(docker0)))
    const next = registryWith(docker0)
    if (app) next.apply({ containers: new Map([[app.id, app]]) })
    next.restorePools(docker0, memories)
    expect(addresses(attach(next, docker0, {}))).toEqual(['172.17.0.4'])
    expect(next.poolMemories(docker0)['172.17.0.0/16']?.freed).toEqual(['172.17.0.2'])
  })
})

describe('both families', () => {
  const dual = () => network({ ipv6: true, pools: [{ subnet: '172.17.0.0/16' }, { subnet: 'fd00:17::/64' }] })

  it('give each container an address of each', () => {
    const docker0 = dual()
    const registry = registryWith(docker0)
    const [web] = attach(registry, docker0, {})
    expect(String(endpointOf(web).ipv4)).toBe('172.17.0.2')
    expect(String(endpointOf(web).ipv6)).toBe('fd00:17::2')
    expect(String(endpointOf(web).mac)).toBe('02:42:ac:11:00:02')
    const [fixed] = attach(registry, docker0, { ipv6Address: 'fd00:17::beef' })
    expect(String(endpointOf(fixed).ipv6)).toBe('fd00:17::beef')
    expect(endpointOf(fixed).fixed).toEqual({ ipv4: false, ipv6: true, mac: false })
  })

  it('are checked each by itself', () => {
    const docker0 = dual()
    const registry = registryWith(docker0)
    attach(registry, docker0, {})
    for (const [address, code] of [
      ['fd00:17::2', 'NFB_ADDRESS_TAKEN'],
      ['fd00:17::1', 'NFB_ADDRESS_TAKEN'],
      ['fd00:17::', 'NFB_ADDRESS_OUTSIDE_POOL'],
      ['fd00:18::2', 'NFB_ADDRESS_OUTSIDE_POOL'],
    ] as const) {
      expect(thrown(() => attach(registry, docker0, { ipv6Address: address }))).toMatchObject({
        code,
        path: 'containers[0].ipv6Address',
      })
    }
  })

  it('where one is full the network is; what the other gave is not lost', () => {
    const docker0 = network({
      ipv6: true,
      pools: [{ subnet: '10.0.0.0/30' }, { subnet: 'fd00:17::/64' }],
    })
    const registry = registryWith(docker0)
    const [web] = attach(registry, docker0, {})
    expect(thrown(() => attach(registry, docker0, {}))).toMatchObject({ code: 'NFB_POOL_FULL' })
    if (web) carryOut(registry, planDetach(registry, [web]))
    const [next] = attach(registry, docker0, {})
    expect(String(endpointOf(next).ipv4)).toBe('10.0.0.2')
    expect(String(endpointOf(next).ipv6)).toBe('fd00:17::3')
  })

  it('IPv6 alone gives the MAC, another one where somebody has it', () => {
    const only = network({ ipv4: false, ipv6: true, pools: [{ subnet: 'fd00:17::/64' }] })
    const registry = registryWith(only)
    const [web, app] = attach(registry, only, {}, { ipv6Address: 'fd00:17::1:0:2' })
    expect(endpointOf(web).ipv4).toBeUndefined()
    expect(String(endpointOf(web).mac)).toMatch(/^02:42:/)
    expect(String(endpointOf(app).mac)).toMatch(/^02:42:/)
    expect([String(endpointOf(web).mac), String(endpointOf(app).mac)]).toContain('02:42:00:00:00:02')
    expect(String(endpointOf(web).mac)).not.toBe(String(endpointOf(app).mac))
    expect(endpointOf(web).hostIndex).not.toBe(endpointOf(app).hostIndex)
  })
})

describe('several bridges', () => {
  it('are filled evenly, to 1,023 each; then it is said, with the remedy', () => {
    const wide = network({
      bridges: 2,
      ipv6: true,
      pools: [{ subnet: '10.0.0.0/16' }, { subnet: 'fd00::/48' }],
    })
    const registry = registryWith(wide)
    const [first = '', second = ''] = wide.bridges
    const containers = attach(registry, wide, ...Array.from({ length: 1500 }, () => ({})))
    expect([registry.portsOf(first), registry.portsOf(second)]).toEqual([750, 750])
    for (const { endpoints } of containers) {
      for (const { bridge, ipv4, ipv6 } of endpoints) {
        const own = wide.pools.filter((pool) => pool.bridge === bridge).map(({ subnet }) => subnet)
        expect(
          [ipv4, ipv6].every((address) => address && own.some((subnet) => subnet.contains(address))),
        ).toBe(true)
      }
    }
    expect(new Set(addresses(containers)).size).toBe(1500)
    expect(new Set(containers.flatMap(({ endpoints }) => endpoints.map(({ mac }) => String(mac)))).size).toBe(
      1500,
    )
    attach(registry, wide, ...Array.from({ length: 546 }, () => ({})))
    expect(thrown(() => attach(registry, wide, {}))).toMatchObject({
      code: 'NFB_BRIDGE_FULL',
      path: 'containers[0]',
      reason: expect.stringContaining('`bridges: 3`'),
    })
    // A container that is stopped needs no port, one that is detached neither.
    const [one, other] = containers
    if (!one || !other) throw new Error('they are there')
    carryOut(registry, planStop(registry, [one]))
    expect(endpointOf(attach(registry, wide, {})[0]).bridge).toBe(endpointOf(one).bridge)
    carryOut(registry, planDetach(registry, [one, other]))
    expect(endpointOf(attach(registry, wide, {})[0]).bridge).toBe(endpointOf(other).bridge)
    expect(thrown(() => attach(registry, wide, {}))).toMatchObject({ code: 'NFB_BRIDGE_FULL' })
  })

  it('a fixed address says which; two say the same', () => {
    const wide = network({
      bridges: 2,
      ipv6: true,
      pools: [{ subnet: '10.0.0.0/16' }, { subnet: 'fd00::/48' }],
    })
    const registry = registryWith(wide)
    const [web] = attach(registry, wide, { address: '10.0.128.9' })
    expect(endpointOf(web).bridge).toBe(wide.bridges[1])
    expect(
      wide.pools.find(
        ({ subnet }) => endpointOf(web).ipv6 && subnet.contains(endpointOf(web).ipv6 ?? subnet.address),
      )?.bridge,
    ).toBe(wide.bridges[1])
    expect(
      thrown(() => attach(registry, wide, { address: '10.0.128.10', ipv6Address: 'fd00::10' })),
    ).toMatchObject({ code: 'NFB_SETTING_CONFLICT', path: 'containers[0].ipv6Address' })
  })

  it('one whose pool is full is passed over', () => {
    const wide = network({ bridges: 2, pools: [{ subnet: '10.0.0.0/29' }] })
    const registry = registryWith(wide)
    const containers = attach(registry, wide, {}, {})
    expect(containers.map((each) => endpointOf(each).bridge)).toEqual([...wide.bridges])
    expect(thrown(() => attach(registry, wide, {}))).toMatchObject({ code: 'NFB_POOL_FULL' })
  })

  it('links hold across them', () => {
    const wide = network({ bridges: 2, pools: [{ subnet: '10.0.0.0/29' }] })
    const registry = registryWith(wide)
    attach(registry, wide, { name: 'web', expose: [80] }, { links: ['web'] })
    expect(elementTexts(registry)).toContain('links 10.0.0.6 . 10.0.0.2 . tcp . 80')
  })
})
