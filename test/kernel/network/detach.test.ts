import { describe, expect, it } from 'vitest'
import { SILENCE_MS } from '../../../lab/machine.js'
import { createNamespaces, testMachines } from '../../support/machines.js'
import { conntrack, ip, nft } from '../../support/tools.js'
import { createMachines, createSetting, expectBlocked, expectReached, openHost } from './setting.js'
import { stateOf } from './state.js'

describe('detaching', () => {
  it('removes every element that names the container, in one transaction, and its connections', async () => {
    const { attach, machine, host, outside, bridgeHost } = await createSetting(['web', 'app', 'top'], {
      icc: false,
    })
    const web = await attach('web', { expose: ['80/tcp'], publish: ['8080:80', '203.0.113.1:9000:80'] })
    await attach('app', { links: ['web:db'] })
    await attach('top')
    await machine('web').serveTcp(80)
    const linked = await machine('app').holdTcp(web.address, 80)
    const published = await outside.holdTcp('203.0.113.1', 8080)
    const before = bridgeHost.statistics.transactions
    const { hostInterface } = web
    expect(await ip(host.namespace, '-br', 'link')).toContain(hostInterface)
    await web.detach()
    expect(bridgeHost.statistics.transactions - before).toBe(1)
    expect(await nft(host.namespace, 'list', 'ruleset')).not.toContain('172.17.0.2')
    expect(await conntrack(host.namespace, '-L')).not.toContain('172.17.0.2')
    expect(await ip(host.namespace, '-br', 'link')).not.toContain(hostInterface)
    expect(await linked.send('after', { timeoutMs: SILENCE_MS })).not.toBe('echo')
    expect(await published.send('after', { timeoutMs: SILENCE_MS })).not.toBe('echo')
    expect(bridgeHost.container('app')?.links).toEqual([])
    await expect(web.detach()).rejects.toMatchObject({ code: 'NFB_NOT_FOUND' })
  })

  it('leaves nothing for a stranger who gets the address', async () => {
    const { attach, machine, outside } = await createSetting(['web', 'app', 'evil'], { icc: false })
    const web = await attach('web', { address: '172.17.0.9', expose: ['80/tcp'], publish: ['8080:80'] })
    await attach('app', { links: ['web:db'] })
    await web.detach()
    await attach('evil', { address: '172.17.0.9' })
    await machine('evil').serveTcp(80)
    await expectBlocked(machine('app'), '172.17.0.9', 80)
    expect((await outside.probeTcp('203.0.113.1', 8080)).outcome).toBe('refused')
  })

  it("works when the container's namespace is gone already", async () => {
    const { host, network } = await createSetting([], { icc: false })
    const [gone] = await testMachines(['gone'])
    const container = await network.attach({ name: 'gone', netns: gone.namespace, publish: ['8080:80'] })
    await gone.close()
    await expect.poll(() => ip(host.namespace, '-br', 'link')).not.toContain(container.hostInterface)
    await container.detach()
    expect(await nft(host.namespace, 'list', 'ruleset')).not.toContain('172.17.0.2')
  })

  it('keeps the connections of the others', async () => {
    const { attach, machine } = await createSetting(['web', 'app', 'top'])
    const web = await attach('web')
    await attach('app')
    const top = await attach('top')
    await machine('web').serveTcp(80)
    const kept = await machine('app').holdTcp(web.address, 80)
    await top.detach()
    expect(await kept.send('still')).toBe('echo')
  })

  it('and attaching again gives the container its network back', async () => {
    const { attach, machine } = await createSetting(['web', 'app'])
    await machine('web').serveTcp(80)
    await attach('app')
    for (let round = 0; round < 3; round += 1) {
      const web = await attach('web')
      await expectReached(machine('app'), web.address, 80, '172.17.0.2')
      await web.detach()
    }
  })

  it('goes on after somebody flushed our tables, and puts right what is left', async () => {
    const { attach, machine, host, network } = await createSetting(['web', 'app', 'top'], { icc: false })
    const web = await attach('web', { expose: ['80/tcp'] })
    await attach('app', { links: ['web'] })
    const top = await attach('top')
    await machine('web').serveTcp(80)
    await nft(host.namespace, 'flush', 'ruleset')
    await top.detach()
    expect(network.containers.map(({ name }) => name)).toEqual(['web', 'app'])
    await expectReached(machine('app'), web.address, 80, '172.17.0.3')
    await expectBlocked(machine('web'), '172.17.0.3', 80)
  })
})

describe('destroying', () => {
  it('leaves the namespace as it was found: rules, links, routes, sysctls', async () => {
    const { host, machines } = await createMachines('web', 'app')
    await nft(host.namespace, 'add', 'table', 'inet', 'theirs')
    const before = await stateOf(host.namespace)
    const bridgeHost = await openHost(host)
    const [one, two] = [
      await bridgeHost.createNetwork({ name: 'docker0', icc: false }),
      await bridgeHost.createNetwork({ name: 'br1', mtu: 1400 }),
    ]
    const [web, app] = [machines.get('web'), machines.get('app')]
    if (!web || !app) throw new Error('two machines')
    await one.attach({ name: 'web', netns: web.namespace, expose: [80], publish: ['8080:80'] })
    await two.attach({ name: 'app', netns: app.namespace })
    expect(await ip(app.namespace, 'link', 'show', 'eth0')).toContain('mtu 1400')
    await one.destroy()
    expect(await stateOf(host.namespace)).not.toBe(before)
    await expect(one.attach({ netns: web.namespace })).rejects.toMatchObject({ code: 'NFB_NOT_FOUND' })
    await two.destroy()
    expect(await stateOf(host.namespace)).toBe(before)
    const again = await bridgeHost.createNetwork({ name: 'docker0' })
    await again.attach({ name: 'web', netns: web.namespace })
    await bridgeHost.destroy()
    expect(await stateOf(host.namespace)).toBe(before)
    await expect(bridgeHost.createNetwork({ name: 'docker0' })).rejects.toMatchObject({ code: 'NFB_CLOSED' })
  })

  it('takes hundreds of containers away at once', async () => {
    const { host, network } = await createSetting([], { icc: false })
    const count = 60
    const namespaces = await createNamespaces(count)
    await network.attachAll(namespaces.map((netns, index) => ({ name: `c${index}`, netns })))
    expect(
      (await ip(host.namespace, '-br', 'link', 'show', 'master', 'docker0')).trim().split('\n'),
    ).toHaveLength(count)
    await network.destroy()
    expect(await ip(host.namespace, '-br', 'link', 'show', 'type', 'veth')).not.toContain('veth')
  })
})
