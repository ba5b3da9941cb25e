import { describe, expect, it } from 'vitest'
import { containerFromJson, containerToJson } from '../../../src/network/apply/container-json.js'
import { planHostContainer } from '../../../src/network/plan/attach.js'
import {
  parseConnectOptions,
  parseHostContainerOptions,
} from '../../../src/network/plan/container-settings.js'
import { planConnect, planStop } from '../../../src/network/plan/lifecycle.js'
import { type ContainerRecord, publishedText } from '../../../src/network/plan/records.js'
import { attach, carryOut, known, network, registryWith, thrown } from './fixtures.js'

function throughFile(container: ContainerRecord): ContainerRecord {
  return containerFromJson(JSON.parse(JSON.stringify(containerToJson(container))))
}

/** Containers with everything that a record may hold, and with nothing. */
function containers(): ContainerRecord[] {
  const front = network({ name: 'front', pools: [{ subnet: '10.1.0.0/24' }, { subnet: 'fd00:1::/64' }] })
  const back = network({ name: 'back', ipv4: false, ipv6: true, pools: [{ subnet: 'fd00:2::/64' }] })
  const registry = registryWith(front, back)
  const full = {
    name: 'web',
    netns: '/run/netns/web',
    hostname: 'web.example',
    domainname: 'example.com',
    addHosts: ['db:192.0.2.7', 'six=2001:db8::7', 'host.docker.internal:host-gateway'],
    aliases: ['store', 'shop'],
    address: '10.1.0.9',
    ipv6Address: 'fd00:1::9',
    mac: '02:00:00:00:00:09',
    interfaceName: 'lan0',
    hostInterfaceName: 'web-lan',
    mtu: 1400,
    sysctls: { 'net.ipv4.conf.IFNAME.rp_filter': 2, 'net.ipv6.neigh.IFNAME.retrans_time_ms': '100' },
    priority: -7,
    bandwidth: { ingress: { rate: 100_000_000_000 }, egress: { rate: 8, burst: 2000 } },
    allowForgedSource: true,
    expose: ['80/tcp', '53/udp', '8000-8002/sctp'],
    publish: [
      '127.0.0.1:8080:80',
      '[2001:db8::1]:8080:80',
      '9000-9001:90-91/udp',
      '443',
      '0.0.0.0:1:1',
      '[::]:1:1',
      '7000-7009:70',
      { hostPort: 21, containerPort: 21, helper: 'ftp' as const },
    ],
    hostsFile: '/var/lib/web/hosts',
    labels: { 'com.example.tier': 'front', empty: '', 7: 'ä\u0000', ['__proto__']: 'x' },
  }
  const several = {
    addresses: ['10.1.0.20', '10.1.0.21', 'fd00:1::20'],
    linkLocalAddresses: ['169.254.1.1', 'fe80::1'],
  }
  attach(registry, front, full, { name: 'app', links: ['web:db', 'web:store'], ...several })
  const connect = parseConnectOptions({ priority: 1000 })
  carryOut(registry, planConnect(registry, known(registry, 'web'), back, connect))
  carryOut(registry, planHostContainer(registry, parseHostContainerOptions({ name: 'sshd' })))
  attach(registry, back, { name: 'away' })
  carryOut(registry, planStop(registry, [known(registry, 'away')]))
  return [...registry.containers]
}

describe('a container in the state directory', () => {
  it.each(containers().map((container) => [container.name, container] as const))(
    'is %s again',
    (_, container) => {
      expect(throughFile(container)).toEqual(container)
    },
  )

  it('of an earlier version is published as it was: on 0.0.0.0 meant on every address of both families', () => {
    const [web] = containers()
    if (!web) throw new Error('it is there')
    const port = (text: string, automatic?: true) => ({ port: text, automatic })
    const former = {
      ...containerToJson(web),
      publish: [
        port('0.0.0.0:8080:80/tcp'),
        port('127.0.0.1:53:53/udp'),
        port('[2001:db8::1]:1-2:3-4/tcp'),
        port('0.0.0.0:49153:443/tcp', true),
      ],
    }
    const { published } = containerFromJson(JSON.parse(JSON.stringify(former)))
    expect(published.map((each) => `${publishedText(each)} ${each.chosenOf}`)).toEqual([
      '8080:80/tcp undefined',
      '127.0.0.1:53:53/udp undefined',
      '[2001:db8::1]:1-2:3-4/tcp undefined',
      '49153:443/tcp dynamic',
    ])
  })

  it('of a version that knew less is read, and all lines of its hosts file are taken for ours', () => {
    const [web] = containers()
    if (!web) throw new Error('it is there')
    const { domainname: _, addHosts, ...file } = JSON.parse(JSON.stringify(containerToJson(web)))
    expect(addHosts).toHaveLength(3)
    for (const endpoint of file.endpoints) {
      delete endpoint.aliases
      delete endpoint.hostIndex
      endpoint.index = 0x2c110002
    }
    const old = containerFromJson(file)
    expect(old).toMatchObject({ domainname: undefined, addHosts: [], hostsFileUnmarked: true })
    expect(old.endpoints[0]).toMatchObject({ aliases: [], index: 0x2c110002, hostIndex: 0x3c110002 })
    expect(throughFile(old)).toEqual(old)
  })

  it.each<[string, (file: Record<string, unknown>) => unknown]>([
    ['no state', (file) => ({ ...file, state: undefined })],
    ['a state that there is not', (file) => ({ ...file, state: 'paused' })],
    ['no endpoints', (file) => ({ ...file, endpoints: undefined })],
    ['an endpoint that is none', (file) => ({ ...file, endpoints: [7] })],
    ['a bad port', (file) => ({ ...file, expose: ['http'] })],
    ['a bad publication', (file) => ({ ...file, publish: [{ publication: '80' }, { port: 'x:y' }] })],
    ['a link without server', (file) => ({ ...file, links: [{ alias: 'db' }] })],
    [
      'a link-local address that is none',
      (file) => ({
        ...file,
        endpoints: [{ ...(Array.isArray(file.endpoints) ? file.endpoints[0] : {}), linkLocal: ['10.1.0.1'] }],
      }),
    ],
    [
      'an MTU that none can be',
      (file) => ({
        ...file,
        endpoints: [{ ...(Array.isArray(file.endpoints) ? file.endpoints[0] : {}), mtu: 67 }],
      }),
    ],
    [
      'a setting of another interface',
      (file) => ({
        ...file,
        endpoints: [
          {
            ...(Array.isArray(file.endpoints) ? file.endpoints[0] : {}),
            sysctls: { 'net.ipv4.conf.all.forwarding': '1' },
          },
        ],
      }),
    ],
    ['a label that is no text', (file) => ({ ...file, labels: { tier: 7 } })],
    ['a name of another type', (file) => ({ ...file, name: 7 })],
  ])('is refused with %s', (_, damage) => {
    const [web] = containers()
    if (!web) throw new Error('it is there')
    const damaged: unknown = damage(JSON.parse(JSON.stringify(containerToJson(web))))
    if (typeof damaged !== 'object' || damaged === null) throw new Error('an object')
    expect(thrown(() => containerFromJson(damaged))).toBeInstanceOf(Error)
  })
})
