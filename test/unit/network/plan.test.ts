import { describe, expect, it } from 'vitest'
import { Cidr, IPv4Address } from '../../../src/address/index.js'
import type { ContainerOptions } from '../../../src/network/options.js'
import { parseLink, parsePublished } from '../../../src/network/plan/container-settings.js'
import { planDetach } from '../../../src/network/plan/detach.js'
import { elementsOf, elementText, everything, planElements } from '../../../src/network/plan/elements.js'
import { planLink, planUnlink } from '../../../src/network/plan/link.js'
import { planPublish, planUnpublish } from '../../../src/network/plan/publish.js'
import type { Registry } from '../../../src/network/plan/registry.js'
import { withChange } from '../../../src/network/plan/view.js'
import { attach, network, registryWith, thrown } from './fixtures.js'

const WEB = 'aaaaaaaaaaaa'
const APP = 'bbbbbbbbbbbb'

function texts(registry: Registry): string[] {
  return [...elementsOf(registry, everything(registry)).keys()]
}

describe('planning an attachment', () => {
  it('gives addresses in order, a MAC from the address, and names from the id', () => {
    const docker0 = network()
    const registry = registryWith(docker0)
    const [web, app] = attach(registry, docker0, { name: 'web', id: WEB.repeat(4) }, {})
    expect(String(web?.address)).toBe('172.17.0.2')
    expect(String(web?.mac)).toBe('02:42:ac:11:00:02')
    expect(web?.hostname).toBe(WEB)
    expect(web?.hostInterface).toMatch(/^veth[0-9a-f]{11}$/)
    expect(String(app?.address)).toBe('172.17.0.3')
    expect(app?.name).toBe(app?.id.slice(0, 12))
    expect(app?.id).toMatch(/^[0-9a-f]{64}$/)
  })

  it('links containers of the same call, in any order', () => {
    const docker0 = network()
    const registry = registryWith(docker0)
    attach(registry, docker0, { name: 'app', links: ['web:db'] }, { name: 'web', expose: ['80/tcp', 53] })
    expect(texts(registry)).toContain('links 172.17.0.2 . 172.17.0.3 . tcp . 80')
    expect(texts(registry)).toContain('links 172.17.0.2 . 172.17.0.3 . tcp . 53')
    expect(texts(registry).filter((text) => text.startsWith('links'))).toHaveLength(2)
  })

  it.each<[string, Omit<ContainerOptions, 'netns'>[], string, string]>([
    ['a name twice', [{ name: 'web' }], 'NFB_NAME_TAKEN', 'containers[0].name'],
    ['a name twice in one call', [{ name: 'x' }, { name: 'x' }], 'NFB_NAME_TAKEN', 'containers[1].name'],
    ['an id twice', [{ id: WEB }], 'NFB_NAME_TAKEN', 'containers[0].id'],
    ['a bad name', [{ name: 'a b' }], 'NFB_INVALID_NAME', 'containers[0].name'],
    ['a bad id', [{ id: 'web' }], 'NFB_INVALID_NAME', 'containers[0].id'],
    [
      'a long interface name',
      [{ interfaceName: 'x'.repeat(16) }],
      'NFB_INVALID_NAME',
      'containers[0].interfaceName',
    ],
    ['an address outside', [{ address: '10.0.0.1' }], 'NFB_ADDRESS_OUTSIDE_POOL', 'containers[0].address'],
    [
      'the broadcast address',
      [{ address: '172.17.255.255' }],
      'NFB_ADDRESS_OUTSIDE_POOL',
      'containers[0].address',
    ],
    ['the gateway', [{ address: '172.17.0.1' }], 'NFB_ADDRESS_TAKEN', 'containers[0].address'],
    ["another's address", [{ address: '172.17.0.2' }], 'NFB_ADDRESS_TAKEN', 'containers[0].address'],
    ["another's MAC", [{ mac: '02:42:ac:11:00:02' }], 'NFB_ADDRESS_TAKEN', 'containers[0].mac'],
    ["the gateway's MAC", [{ mac: '02:42:ac:11:00:01' }], 'NFB_ADDRESS_TAKEN', 'containers[0].mac'],
    ['leading zeros', [{ address: '172.17.0.02' }], 'NFB_INVALID_ADDRESS', 'containers[0].address'],
    ['port 0', [{ expose: ['80', '0/tcp'] }], 'NFB_INVALID_PORT', 'containers[0].expose[1]'],
    ['port 65536', [{}, { expose: [65_536] }], 'NFB_INVALID_PORT', 'containers[1].expose[0]'],
    ['a published port twice', [{ publish: ['8080:81'] }], 'NFB_PORT_TAKEN', 'containers[0].publish[0]'],
    [
      'a port of one address',
      [{ publish: ['127.0.0.1:8080:80'] }],
      'NFB_PORT_TAKEN',
      'containers[0].publish[0]',
    ],
    [
      'a port twice in one call',
      [{ publish: ['1.2.3.4:1:1'] }, { publish: ['9:9', '1:1'] }],
      'NFB_PORT_TAKEN',
      'containers[1].publish[1]',
    ],
    ['an unknown server', [{ links: ['nobody'] }], 'NFB_NOT_FOUND', 'containers[0].links[0]'],
    ['a host name', [{ links: ['web-host'] }], 'NFB_NOT_FOUND', 'containers[0].links[0]'],
    ['itself', [{ name: 'me', links: ['me'] }], 'NFB_LINK_REFUSED', 'containers[0].links[0]'],
    ['another network', [{ links: ['far'] }], 'NFB_LINK_REFUSED', 'containers[0].links[0]'],
    ['an alias twice', [{ links: ['web:db', 'app:db'] }], 'NFB_NAME_TAKEN', 'containers[0].links[1]'],
  ])('refuses %s', (_, containers, code, path) => {
    const docker0 = network()
    const other = network({
      name: 'other',
      subnet: Cidr.parse('10.1.0.0/24'),
      gateway: IPv4Address.parse('10.1.0.1'),
    })
    const registry = registryWith(docker0, other)
    attach(
      registry,
      docker0,
      { name: 'web', id: WEB, hostname: 'web-host', publish: ['8080:80'] },
      { name: 'app' },
    )
    attach(registry, other, { name: 'far' })
    const before = texts(registry)
    expect(thrown(() => attach(registry, docker0, ...containers))).toMatchObject({ code, path })
    expect(texts(registry)).toEqual(before)
  })

  it('says that a host name is no key', () => {
    const docker0 = network()
    const registry = registryWith(docker0)
    attach(registry, docker0, { name: 'web', hostname: 'www' })
    expect(thrown(() => attach(registry, docker0, { links: ['www:db'] }))).toMatchObject({
      reason: expect.stringContaining("a host name is not a container's name or id"),
    })
  })

  it('refuses a container when the pool is full, and takes no address for it', () => {
    const small = network({ subnet: Cidr.parse('10.0.0.0/30'), gateway: IPv4Address.parse('10.0.0.1') })
    const registry = registryWith(small)
    expect(thrown(() => attach(registry, small, {}, {}))).toMatchObject({
      code: 'NFB_POOL_FULL',
      path: 'containers[1]',
    })
    expect(attach(registry, small, {}).map(({ address }) => String(address))).toEqual(['10.0.0.2'])
  })

  it('finds by name, id and short id', () => {
    const docker0 = network()
    const registry = registryWith(docker0)
    attach(registry, docker0, { name: 'web', id: WEB.repeat(2) })
    for (const reference of ['web', WEB, WEB.repeat(2)]) expect(registry.find(reference)?.name).toBe('web')
    expect(registry.find(WEB.slice(0, 11))).toBeUndefined()
  })
})

describe('links and publications', () => {
  function pair(): { registry: Registry; link(text: string): void } {
    const docker0 = network()
    const registry = registryWith(docker0)
    attach(registry, docker0, { name: 'web', id: WEB, expose: ['80/tcp'] }, { name: 'app', id: APP })
    return {
      registry,
      link: (text) => {
        const app = registry.container(APP)
        if (app) registry.apply(planLink(registry, app, parseLink(text, 'link')).change)
      },
    }
  }

  it('a link is one element, once, whatever the number of its aliases', () => {
    const { registry, link } = pair()
    const app = registry.container(APP)
    if (!app) throw new Error('app is there')
    const plan = planLink(registry, app, parseLink('web:db', 'link'))
    const change = planElements(registry, withChange(registry, plan.change), plan.touched)
    expect(change.add.map(elementText)).toEqual(['links 172.17.0.3 . 172.17.0.2 . tcp . 80'])
    expect(change.delete).toEqual([])
    link('web:db')
    const again = registry.container(APP)
    if (!again) throw new Error('app is there')
    const second = planLink(registry, again, parseLink(`${WEB}:store`, 'link'))
    expect(planElements(registry, withChange(registry, second.change), second.touched)).toEqual({
      add: [],
      delete: [],
    })
  })

  it('with icc a link opens nothing that is not open', () => {
    const open = network({ icc: true })
    const registry = registryWith(open)
    attach(registry, open, { name: 'web', expose: [80] }, { name: 'app', links: ['web'] })
    expect(texts(registry).filter((text) => text.startsWith('links'))).toEqual([])
  })

  it('publishing opens the port to the clients of a link, and unpublishing closes it again', () => {
    const { registry, link } = pair()
    link('web:db')
    const before = texts(registry)
    const web = registry.container(WEB)
    if (!web) throw new Error('web is there')
    const plan = planPublish(registry, web, parsePublished(['10.0.0.1:8443:443'], 'ports'), true)
    const change = planElements(registry, withChange(registry, plan.change), plan.touched)
    expect(change.add.map(elementText).sort()).toEqual([
      'hairpin 172.17.0.2 . 172.17.0.2',
      'links 172.17.0.3 . 172.17.0.2 . tcp . 443',
      'publish 10.0.0.1 . tcp . 8443 : 172.17.0.2 . 443',
      'published 172.17.0.2 . tcp . 443',
    ])
    registry.apply(plan.change)
    const now = registry.container(WEB)
    if (!now) throw new Error('web is there')
    registry.apply(planUnpublish(registry, now, parsePublished(['10.0.0.1:8443:443'], 'ports')).change)
    expect(texts(registry)).toEqual(before)
  })

  it('unlinking by server or by alias takes the elements away; what does not stand is an error', () => {
    for (const reference of ['web', WEB, 'db']) {
      const { registry, link } = pair()
      const before = texts(registry)
      link('web:db')
      const app = registry.container(APP)
      if (!app) throw new Error('app is there')
      registry.apply(planUnlink(registry, app, reference).change)
      expect(texts(registry)).toEqual(before)
      const now = registry.container(APP)
      if (!now) throw new Error('app is there')
      expect(thrown(() => planUnlink(registry, now, reference))).toMatchObject({ code: 'NFB_NOT_FOUND' })
    }
  })

  it('an alias goes before a name of the same text', () => {
    const { registry, link } = pair()
    const docker0 = registry.network('docker0')
    if (!docker0) throw new Error('docker0 is there')
    attach(registry, docker0, { name: 'db', expose: ['1/tcp'] })
    link('web:db')
    link('db:x')
    const app = registry.container(APP)
    if (!app) throw new Error('app is there')
    registry.apply(planUnlink(registry, app, 'db').change)
    expect(registry.container(APP)?.links.map(({ alias }) => alias)).toEqual(['x'])
  })

  it('detaching a server leaves nothing that names it, and its clients without the link', () => {
    const { registry, link } = pair()
    link('web:db')
    const web = registry.container(WEB)
    if (!web) throw new Error('web is there')
    registry.apply(planDetach(registry, [web]).change)
    expect(texts(registry).filter((text) => text.includes('172.17.0.2'))).toEqual([])
    expect(registry.container(APP)?.links).toEqual([])
    expect([...registry.clientsOf(WEB)]).toEqual([])
  })

  it('refuses publications where no rules are made', () => {
    const { registry } = pair()
    const web = registry.container(WEB)
    if (!web) throw new Error('web is there')
    expect(
      thrown(() =>
        planPublish(registry, web, parsePublished([{ hostPort: 1, containerPort: 1 }], 'ports'), false),
      ),
    ).toMatchObject({
      code: 'NFB_SETTING_CONFLICT',
      path: 'ports[0]',
    })
  })
})
