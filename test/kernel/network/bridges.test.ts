import { describe, expect, it } from 'vitest'
import { Namespace } from '../../../src/index.js'
import { testMachines } from '../../support/machines.js'
import { cleanUp, createMachines, expectBlocked, expectReached, openHost } from './setting.js'

/** Namespaces without a thread: what is attached is not used. */
async function emptyNamespaces(count: number): Promise<Namespace[]> {
  const namespaces = await Promise.all(Array.from({ length: count }, () => Namespace.create()))
  cleanUp(async () => {
    for (const namespace of namespaces) namespace.close()
  })
  return namespaces
}

describe('a network of more containers than a bridge takes', () => {
  it('is full at 1,023, by its own code; over two bridges it goes on, with icc and links between them', async () => {
    const { host } = await createMachines()
    const bridgeHost = await openHost(host)
    const [one, ...others] = await emptyNamespaces(1100)
    if (!one) throw new Error('no namespace')
    const single = await bridgeHost.createNetwork({ name: 'single', subnet: '10.1.0.0/16' })
    await single.attachAll(others.slice(0, 1022).map((netns) => ({ netns })))
    await single.attach({ netns: one, name: 'last' })
    const [beyond] = others.slice(1022)
    if (!beyond) throw new Error('no namespace')
    await expect(single.attach({ netns: beyond })).rejects.toMatchObject({ code: 'NFB_BRIDGE_FULL' })
    expect(bridgeHost.network('single')?.containers).toHaveLength(1023)
    await single.destroy()

    const wide = await bridgeHost.createNetwork({
      name: 'wide',
      subnet: '10.2.0.0/16',
      icc: false,
      bridges: 2,
    })
    const [web, app, top] = await testMachines(['web', 'app', 'top'])
    const server = await wide.attach({ name: 'web', netns: web.namespace, expose: ['80'] })
    await wide.attachAll(others.map((netns) => ({ netns })))
    const client = await wide.attach({ name: 'app', netns: app.namespace, links: ['web:db'] })
    const stranger = await wide.attach({ name: 'top', netns: top.namespace })
    expect(wide.containers.length).toBeGreaterThan(1023)
    await web.serveTcp(80)
    await web.serveTcp(81)
    // They are on different bridges: the host routes, and everybody is seen under their own address.
    expect(client.address.split('.')[2]).not.toBe(server.address.split('.')[2])
    await expectReached(app, server.address, 80, client.address)
    await expectBlocked(app, server.address, 81)
    await expectBlocked(top, server.address, 80)
    await wide.update({ icc: true })
    await expectReached(top, server.address, 81, stranger.address)
    await wide.destroy()
  })
})
