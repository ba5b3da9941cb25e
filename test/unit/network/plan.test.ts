import { describe, expect, it } from 'vitest'
import type { Link } from '../../../src/network/container-link.js'
import type { ContainerOptions, LinkOption } from '../../../src/network/options.js'
import { planHostContainer } from '../../../src/network/plan/attach.js'
import { planBandwidth } from '../../../src/network/plan/bandwidth.js'
import {
  parseExposed,
  parseHostContainerOptions,
  parseLink,
  parseUnlink,
} from '../../../src/network/plan/container-settings.js'
import { planDetach } from '../../../src/network/plan/detach.js'
import { elementText, planElements } from '../../../src/network/plan/elements.js'
import { planExpose, planUnexpose } from '../../../src/network/plan/expose.js'
import { planStop } from '../../../src/network/plan/lifecycle.js'
import { planLink, planUnlink } from '../../../src/network/plan/link.js'
import type { Registry } from '../../../src/network/plan/registry.js'
import { withChange } from '../../../src/network/plan/view.js'
import {
  attach,
  carryOut,
  elementTexts,
  endpointOf,
  known,
  network,
  registryWith,
  thrown,
} from './fixtures.js'

const WEB = 'aaaaaaaaaaaa'
const APP = 'bbbbbbbbbbbb'

describe('planning an attachment', () => {
  it('gives addresses in order, a MAC from the address, and names', () => {
    const docker0 = network()
    const registry = registryWith(docker0)
    const [web, app] = attach(registry, docker0, { name: 'web', id: WEB.repeat(4) }, {})
    expect(endpointOf(web)).toMatchObject({ network: 'docker0', bridge: 'docker0', interfaceName: 'eth0' })
    expect(String(endpointOf(web).ipv4)).toBe('172.17.0.2')
    expect(endpointOf(web).ipv6).toBeUndefined()
    expect(endpointOf(web).fixed).toEqual({ ipv4: false, ipv6: false, mac: false })
    expect(String(endpointOf(web).mac)).toBe('02:42:ac:11:00:02')
    expect(endpointOf(web).hostInterface).toMatch(/^veth[0-9a-f]{11}$/)
    expect(web?.hostname).toBe(WEB)
    expect(web?.state).toBe('running')
    expect(web?.netns).toBeUndefined()
    expect(String(endpointOf(app).ipv4)).toBe('172.17.0.3')
    expect(app?.name).toMatch(/^[a-z]+_[a-z]+$/)
    expect(app?.id).toMatch(/^[0-9a-f]{64}$/)
    expect(app?.hostname).toBe(app?.id.slice(0, 12))
    expect([web, app].map((each) => endpointOf(each).index)).toEqual([2, 2])
    expect([web, app].map((each) => endpointOf(each).hostIndex)).toEqual([65_536, 65_538])
  })

  it('takes what is asked for before it chooses', () => {
    const docker0 = network()
    const registry = registryWith(docker0)
    const [first, second] = attach(registry, docker0, {}, { address: '172.17.0.2' })
    expect(String(endpointOf(first).ipv4)).toBe('172.17.0.3')
    expect(String(endpointOf(second).ipv4)).toBe('172.17.0.2')
    expect(endpointOf(second).fixed).toEqual({ ipv4: true, ipv6: false, mac: false })
  })

  it('remembers a namespace that is a path, and the hosts file', () => {
    const docker0 = network()
    const registry = registryWith(docker0)
    const options = { netns: '/run/netns/web', hostsFile: '/var/lib/web/hosts' }
    const [web] = attach(registry, docker0, { ...options })
    expect(web).toMatchObject(options)
  })

  it('links containers of the same call, in any order', () => {
    const docker0 = network()
    const registry = registryWith(docker0)
    attach(registry, docker0, { name: 'app', links: ['web:db'] }, { name: 'web', expose: ['80/tcp', 53] })
    const links = elementTexts(registry).filter((text) => text.startsWith('links'))
    expect(links.sort()).toEqual([
      'links 172.17.0.2 . 172.17.0.3 . tcp . 53',
      'links 172.17.0.2 . 172.17.0.3 . tcp . 80',
    ])
  })

  it.each<[string, Omit<ContainerOptions, 'netns'>[], string, string]>([
    ['a name twice', [{ name: 'web' }], 'NFB_NAME_TAKEN', 'containers[0].name'],
    ['a name twice in one call', [{ name: 'x' }, { name: 'x' }], 'NFB_NAME_TAKEN', 'containers[1].name'],
    ['an id twice', [{ id: WEB }], 'NFB_NAME_TAKEN', 'containers[0].id'],
    ['a bad name', [{ name: 'a b' }], 'NFB_INVALID_NAME', 'containers[0].name'],
    ['an empty id', [{ id: '' }], 'NFB_INVALID_NAME', 'containers[0].id'],
    ['an id with a newline', [{ id: 'web\n' }], 'NFB_INVALID_NAME', 'containers[0].id'],
    ['an id that steers a terminal', [{ id: 'web\u001b[2J' }], 'NFB_INVALID_NAME', 'containers[0].id'],
    ['an id that turns the direction of text', [{ id: 'web\u202e' }], 'NFB_INVALID_NAME', 'containers[0].id'],
    ['an id with half a character', [{ id: 'web\ud83d' }], 'NFB_INVALID_NAME', 'containers[0].id'],
    ['an id with a space at its end', [{ id: 'web ' }], 'NFB_INVALID_NAME', 'containers[0].id'],
    ['a long id', [{ id: 'x'.repeat(256) }], 'NFB_INVALID_NAME', 'containers[0].id'],
    ["an id that is another's name", [{ id: 'web' }], 'NFB_NAME_TAKEN', 'containers[0].id'],
    ['the same in one call', [{ name: 'x' }, { id: 'x' }], 'NFB_NAME_TAKEN', 'containers[1].id'],
    ["a name that is another's id", [{ name: WEB }], 'NFB_NAME_TAKEN', 'containers[0].name'],
    ['the same in one call', [{ id: 'x' }, { name: 'x' }], 'NFB_NAME_TAKEN', 'containers[1].name'],
    [
      'a long interface name',
      [{ interfaceName: 'x'.repeat(16) }],
      'NFB_INVALID_NAME',
      'containers[0].interfaceName',
    ],
    [
      'a label that is no text',
      [{ labels: JSON.parse('{"a":1}') }],
      'NFB_INVALID_ARGUMENT',
      'containers[0].labels.a',
    ],
    [
      'labels that are a list',
      [{ labels: JSON.parse('["a"]') }],
      'NFB_INVALID_ARGUMENT',
      'containers[0].labels',
    ],
    ['a label without a name', [{ labels: { '': 'a' } }], 'NFB_INVALID_ARGUMENT', 'containers[0].labels'],
    [
      'a bad name on the host',
      [{ hostInterfaceName: 'a/b' }],
      'NFB_INVALID_NAME',
      'containers[0].hostInterfaceName',
    ],
    [
      'a name on the host twice',
      [{ hostInterfaceName: 'x' }, { hostInterfaceName: 'x' }],
      'NFB_NAME_TAKEN',
      'containers[1].hostInterfaceName',
    ],
    ['an MTU that no host has', [{ mtu: 575 }], 'NFB_INVALID_ARGUMENT', 'containers[0].mtu'],
    ["an MTU above the network's", [{ mtu: 1501 }], 'NFB_SETTING_CONFLICT', 'containers[0].mtu'],
    ['an address outside', [{ address: '10.0.0.1' }], 'NFB_ADDRESS_OUTSIDE_POOL', 'containers[0].address'],
    [
      'the broadcast address',
      [{ address: '172.17.255.255' }],
      'NFB_ADDRESS_OUTSIDE_POOL',
      'containers[0].address',
    ],
    [
      'an address of a family that is missing',
      [{ ipv6Address: 'fd00::2' }],
      'NFB_ADDRESS_OUTSIDE_POOL',
      'containers[0].ipv6Address',
    ],
    ['the gateway', [{ address: '172.17.0.1' }], 'NFB_ADDRESS_TAKEN', 'containers[0].address'],
    ["another's address", [{ address: '172.17.0.2' }], 'NFB_ADDRESS_TAKEN', 'containers[0].address'],
    [
      'an address twice in one call',
      [{ address: '172.17.0.9' }, { address: '172.17.0.9' }],
      'NFB_ADDRESS_TAKEN',
      'containers[1].address',
    ],
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
    ['a stopped server', [{ links: ['away'] }], 'NFB_LINK_REFUSED', 'containers[0].links[0]'],
    ["a server on the host's network", [{ links: ['sshd'] }], 'NFB_LINK_REFUSED', 'containers[0].links[0]'],
    ['an alias twice', [{ links: ['web:db', 'app:db'] }], 'NFB_NAME_TAKEN', 'containers[0].links[1]'],
    ['a priority of 1001', [{ priority: 1001 }], 'NFB_INVALID_ARGUMENT', 'containers[0].priority'],
    [
      'no rate',
      [{ bandwidth: { egress: { rate: 0 } } }],
      'NFB_INVALID_ARGUMENT',
      'containers[0].bandwidth.egress.rate',
    ],
    ['a relative hosts file', [{ hostsFile: 'hosts' }], 'NFB_INVALID_ARGUMENT', 'containers[0].hostsFile'],
  ])('refuses %s', (_, containers, code, path) => {
    const docker0 = network()
    const other = network({ name: 'other', subnet: '10.1.0.0/24' })
    const registry = registryWith(docker0, other)
    attach(
      registry,
      docker0,
      { name: 'web', id: WEB, hostname: 'web-host', publish: ['8080:80'] },
      { name: 'app' },
      { name: 'away' },
    )
    attach(registry, other, { name: 'far' })
    carryOut(registry, planStop(registry, [known(registry, 'away')]))
    carryOut(registry, planHostContainer(registry, parseHostContainerOptions({ name: 'sshd' })))
    const before = elementTexts(registry)
    expect(thrown(() => attach(registry, docker0, ...containers))).toMatchObject({ code, path })
    expect(elementTexts(registry)).toEqual(before)
  })

  it.each([
    ['www:db', "a host name is not a container's name or id"],
    ['away', 'is stopped'],
    ['sshd', "uses the host's network"],
    ['far', 'is on other, not on docker0'],
  ])('says why a link is refused: %s', (link, reason) => {
    const docker0 = network()
    const other = network({ name: 'other', subnet: '10.1.0.0/24' })
    const registry = registryWith(docker0, other)
    attach(registry, docker0, { name: 'web', hostname: 'www' }, { name: 'away' })
    attach(registry, other, { name: 'far' })
    carryOut(registry, planStop(registry, [known(registry, 'away')]))
    carryOut(registry, planHostContainer(registry, parseHostContainerOptions({ name: 'sshd' })))
    expect(thrown(() => attach(registry, docker0, { links: [link] }))).toMatchObject({
      reason: expect.stringContaining(reason),
    })
  })

  it('finds by name, id and short id', () => {
    const docker0 = network()
    const registry = registryWith(docker0)
    attach(registry, docker0, { name: 'web', id: WEB.repeat(2), hostname: 'www' })
    for (const reference of ['web', WEB, WEB.repeat(2)]) expect(registry.find(reference)?.name).toBe('web')
    expect(registry.find(WEB.slice(0, 11))).toBeUndefined()
    expect(registry.find('www')).toBeUndefined()
  })

  it("a container on the host's network has a name that nobody else gets, until it is removed", () => {
    const docker0 = network()
    const registry = registryWith(docker0)
    const sshd = planHostContainer(registry, parseHostContainerOptions({ name: 'sshd', id: WEB }))
    carryOut(registry, sshd)
    expect(sshd.container).toMatchObject({ state: 'host', endpoints: [] })
    for (const options of [{ name: 'sshd' }, { id: WEB }]) {
      expect(thrown(() => attach(registry, docker0, options))).toMatchObject({ code: 'NFB_NAME_TAKEN' })
    }
    expect(
      thrown(() => planHostContainer(registry, parseHostContainerOptions({ name: 'sshd' }))),
    ).toMatchObject({ code: 'NFB_NAME_TAKEN', path: 'name' })
    carryOut(registry, planDetach(registry, [sshd.container]))
    attach(registry, docker0, { name: 'sshd', id: WEB })
  })
})

describe('links', () => {
  function pair(): { registry: Registry; link(option: LinkOption): void } {
    const docker0 = network()
    const registry = registryWith(docker0)
    attach(registry, docker0, { name: 'web', id: WEB, expose: ['80/tcp'] }, { name: 'app', id: APP })
    return {
      registry,
      link: (option) =>
        carryOut(registry, planLink(registry, known(registry, 'app'), parseLink(option, 'link'))),
    }
  }

  it('are one element, once, whatever the number of aliases', () => {
    const { registry, link } = pair()
    const plan = planLink(registry, known(registry, 'app'), parseLink('web:db', 'link'))
    const change = planElements(registry, withChange(registry, plan.change), plan.touched)
    expect(change.add.map(elementText)).toEqual([
      'links 172.17.0.3 . 172.17.0.2 . tcp . 80',
      'linked 172.17.0.3 . 172.17.0.2',
      'linked 172.17.0.2 . 172.17.0.3',
    ])
    expect(change.delete).toEqual([])
    link('web:db')
    const second = planLink(registry, known(registry, 'app'), parseLink(`${WEB}:store`, 'link'))
    expect(planElements(registry, withChange(registry, second.change), second.touched)).toEqual({
      add: [],
      delete: [],
    })
  })

  it('with icc open nothing that is not open', () => {
    const open = network({ icc: true })
    const registry = registryWith(open)
    attach(registry, open, { name: 'web', expose: [80] }, { name: 'app', links: ['web'] })
    expect(elementTexts(registry).filter((text) => text.startsWith('links'))).toEqual([])
  })

  it("follow the server's exposed ports", () => {
    const { registry, link } = pair()
    link('web:db')
    const links = (): string[] => elementTexts(registry).filter((text) => text.startsWith('links'))
    carryOut(registry, planExpose(registry, known(registry, 'web'), parseExposed(['53/udp', 80], 'ports')))
    expect(links()).toEqual([
      'links 172.17.0.3 . 172.17.0.2 . tcp . 80',
      'links 172.17.0.3 . 172.17.0.2 . udp . 53',
    ])
    carryOut(registry, planUnexpose(registry, known(registry, 'web'), parseExposed([80], 'ports')))
    expect(links()).toEqual(['links 172.17.0.3 . 172.17.0.2 . udp . 53'])
    expect(
      thrown(() => planUnexpose(registry, known(registry, 'web'), parseExposed([80], 'ports'))),
    ).toMatchObject({ code: 'NFB_NOT_FOUND', path: 'ports' })
  })

  it('unlinking by server or by alias takes the elements away; what does not stand is an error', () => {
    for (const reference of ['web', WEB, 'db']) {
      const { registry, link } = pair()
      const before = elementTexts(registry)
      link('web:db')
      carryOut(registry, planUnlink(registry, known(registry, 'app'), parseUnlink(reference)))
      expect(elementTexts(registry)).toEqual(before)
      expect(
        thrown(() => planUnlink(registry, known(registry, 'app'), parseUnlink(reference))),
      ).toMatchObject({
        code: 'NFB_NOT_FOUND',
      })
    }
  })

  it('is taken back by what it was made with, by what it is listed as, and by the container', () => {
    const listed: Link = { alias: 'db', container: 'web', address: '172.17.0.2', ports: ['80/tcp'] }
    const forms: [LinkOption, LinkOption, string[]][] = [
      ['web:db', 'web:db', ['store']],
      ['web:db', { container: 'web', alias: 'db' }, ['store']],
      [{ container: 'web', alias: 'db' }, { container: { id: WEB }, alias: 'db' }, ['store']],
      ['web:db', listed, ['store']],
      ['web:db', { id: WEB }, []],
      ['web:db', { container: WEB }, []],
      [{ id: WEB }, 'web:web', ['store']],
    ]
    for (const [made, unmade, left] of forms) {
      const { registry, link } = pair()
      link('web:store')
      link(made)
      carryOut(registry, planUnlink(registry, known(registry, 'app'), parseUnlink(unmade)))
      expect(known(registry, 'app').links.map(({ alias }) => alias)).toEqual(left)
    }
    const { registry, link } = pair()
    link('web:db')
    expect(
      thrown(() => planUnlink(registry, known(registry, 'app'), parseUnlink('web:other'))),
    ).toMatchObject({ code: 'NFB_NOT_FOUND', reason: expect.stringContaining('"other"') })
  })

  it('an alias goes before a name of the same text', () => {
    const { registry, link } = pair()
    attach(registry, network(), { name: 'db', expose: ['1/tcp'] })
    link('web:db')
    link('db:x')
    carryOut(registry, planUnlink(registry, known(registry, 'app'), parseUnlink('db')))
    expect(known(registry, 'app').links.map(({ alias }) => alias)).toEqual(['x'])
  })

  it('detaching a server leaves nothing that names it, and its clients without the link', () => {
    const { registry, link } = pair()
    link('web:db')
    carryOut(registry, planDetach(registry, [known(registry, 'web')]))
    expect(elementTexts(registry).filter((text) => text.includes('172.17.0.2'))).toEqual([])
    expect(known(registry, 'app').links).toEqual([])
    expect([...registry.clientsOf(WEB)]).toEqual([])
    // A stranger with its name and its address inherits nothing.
    attach(registry, network(), { name: 'web', address: '172.17.0.2', expose: ['80/tcp'] })
    expect(elementTexts(registry).filter((text) => text.startsWith('links'))).toEqual([])
  })
})

describe('a burst', () => {
  it('is one packet at least, its Ethernet header included', () => {
    const [docker0, jumbo] = [network(), network({ name: 'jumbo', subnet: '172.18.0.0/16', mtu: 9000 })]
    const registry = registryWith(docker0, jumbo)
    const limit = (burst: number) => ({ bandwidth: { egress: { rate: 8e6, burst } } })
    const refused = { code: 'NFB_INVALID_ARGUMENT', path: 'containers[0].bandwidth.egress.burst' }
    for (const burst of [1, 1513])
      expect(thrown(() => attach(registry, docker0, limit(burst)))).toMatchObject(refused)
    expect(thrown(() => attach(registry, jumbo, limit(9013)))).toMatchObject(refused)
    expect(attach(registry, jumbo, limit(9014))).toHaveLength(1)
    // The container's own MTU is less.
    expect(attach(registry, jumbo, { mtu: 1500, ...limit(1514) })).toHaveLength(1)
    const [web] = attach(registry, docker0, { name: 'web', ...limit(1514) })
    if (!web) throw new Error('it is attached')
    const change = (burst: number): unknown =>
      planBandwidth(registry, web, undefined, { ingress: { rate: 8e6, burst }, egress: undefined })
    expect(thrown(() => change(1))).toMatchObject({
      code: 'NFB_INVALID_ARGUMENT',
      operation: 'Container.setBandwidth',
      path: 'bandwidth.ingress.burst',
    })
    expect(change(1514)).toMatchObject({ container: { name: 'web' } })
  })
})
