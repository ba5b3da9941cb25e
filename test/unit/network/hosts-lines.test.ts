import { describe, expect, it } from 'vitest'
import { parseConnectOptions } from '../../../src/network/plan/container-settings.js'
import { planDetach } from '../../../src/network/plan/detach.js'
import { hostsLines, hostsText } from '../../../src/network/plan/hosts-lines.js'
import { planConnect, planStart, planStop } from '../../../src/network/plan/lifecycle.js'
import { linkVariables } from '../../../src/network/plan/link-variables.js'
import type { NetworkRecord } from '../../../src/network/plan/records.js'
import type { Registry } from '../../../src/network/plan/registry.js'
import { attach, carryOut, freePorts, known, network, registryWith, thrown } from './fixtures.js'

const WEB = 'aaaaaaaaaaaa'
const LOCALHOST = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::\tip6-localnet',
  'ff00::\tip6-mcastprefix',
  'ff02::1\tip6-allnodes',
  'ff02::2\tip6-allrouters',
]

function lines(registry: Registry, name: string): string[] {
  return hostsLines(registry, known(registry, name)).map(({ text }) => text)
}

function connect(registry: Registry, name: string, to: NetworkRecord, priority = 0): void {
  carryOut(registry, planConnect(registry, known(registry, name), to, parseConnectOptions({ priority })))
}

describe('the hosts file', () => {
  it("has localhost, the links' servers and the container itself, as Docker writes them", () => {
    const docker0 = network()
    const registry = registryWith(docker0)
    attach(
      registry,
      docker0,
      { name: 'web', id: WEB, hostname: 'www' },
      { name: 'app', hostname: 'app-host', links: ['web:db'] },
      { name: 'same', hostname: 'same' },
    )
    expect(hostsText(registry, known(registry, 'app'))).toBe(
      [...LOCALHOST, '172.17.0.2\tdb www web', '172.17.0.3\tapp-host', ''].join('\n'),
    )
    expect(hostsText(registry, known(registry, 'same')).endsWith('\n172.17.0.4\tsame\n')).toBe(true)
  })

  it('has the names that Docker gives a host name with dots, and one with a domain name', () => {
    const docker0 = network()
    const registry = registryWith(docker0)
    attach(
      registry,
      docker0,
      { name: 'one', hostname: 'web.example.com' },
      { name: 'two', hostname: 'web', domainname: 'example.com', links: ['one'] },
    )
    const own = (name: string): string | undefined =>
      hostsText(registry, known(registry, name)).trim().split('\n').at(-1)
    expect(own('one')).toBe('172.17.0.2\tweb.example.com web')
    expect(own('two')).toBe('172.17.0.3\tweb.example.com web')
    expect(lines(registry, 'two')).toEqual(['172.17.0.2\tone web.example.com web'])
  })

  it("has a server's further names on the network that they are of", () => {
    const [front, back] = [
      network({ name: 'front', subnet: '10.1.0.0/24' }),
      network({ subnet: '10.2.0.0/24' }),
    ]
    const registry = registryWith(front, back)
    const aliases = ['store', 'store.internal']
    attach(registry, front, { name: 'web', id: WEB, aliases }, { name: 'app', links: ['web:db'] })
    connect(registry, 'web', back)
    connect(registry, 'app', back)
    expect(lines(registry, 'app')).toEqual([
      `10.1.0.2\tdb ${WEB} web store store.internal`,
      `10.2.0.2\tdb ${WEB} web`,
    ])
  })

  it('has the lines that were asked for, and the host under the address that the way out goes by', () => {
    const front = network({ name: 'front', pools: [{ subnet: '10.1.0.0/24' }, { subnet: 'fd00:1::/64' }] })
    const back = network({ name: 'back', subnet: '10.2.0.0/24' })
    const registry = registryWith(front, back)
    const addHosts = [
      'db.example.com:192.0.2.7',
      'six=2001:db8::7',
      'brackets:[2001:db8::8]',
      { name: 'object', address: '192.0.2.8' },
      'host.docker.internal:host-gateway',
    ]
    attach(registry, front, { name: 'web', addHosts })
    const added = (): string[] => hostsText(registry, known(registry, 'web')).split('\n').slice(6, -3)
    expect(added()).toEqual([
      '192.0.2.7\tdb.example.com',
      '2001:db8::7\tsix',
      '2001:db8::8\tbrackets',
      '192.0.2.8\tobject',
      '10.1.0.1\thost.docker.internal',
      'fd00:1::1\thost.docker.internal',
    ])
    connect(registry, 'web', back, 5)
    expect(hostsText(registry, known(registry, 'web'))).toContain(
      '\n10.2.0.1\thost.docker.internal\nfd00:1::1\t',
    )
  })

  it.each([
    ['no address', ['db'], 'NFB_INVALID_ARGUMENT'],
    ['no name', [':192.0.2.7'], 'NFB_INVALID_ARGUMENT'],
    ['a bad name', ['a b:192.0.2.7'], 'NFB_INVALID_NAME'],
    ['a bad address', ['db:192.0.2'], 'NFB_INVALID_ADDRESS'],
    ['an unknown property', [{ name: 'db', address: '192.0.2.7', port: 1 }], 'NFB_INVALID_ARGUMENT'],
  ])('refuses a line with %s', (_, addHosts, code) => {
    const docker0 = network()
    const refused = thrown(() => attach(registryWith(docker0), docker0, { addHosts }))
    expect(refused).toMatchObject({ code, path: expect.stringMatching(/^containers\[0\]\.addHosts\[0\]/) })
  })

  it('refuses a name for the host where the bridge has no address', () => {
    const isolated = network({ gatewayMode: 'isolated' })
    const addHosts = ['db:192.0.2.7', 'host:host-gateway']
    const refused = thrown(() => attach(registryWith(isolated), isolated, { addHosts }))
    expect(refused).toMatchObject({ code: 'NFB_SETTING_CONFLICT', path: 'containers[0].addHosts[1]' })
  })

  it.each([
    ['web', {}, `172.17.0.2\tweb ${WEB}`],
    ['web:www', { hostname: 'www' }, '172.17.0.2\twww web'],
    ['web:web', { hostname: 'web.example.com' }, '172.17.0.2\tweb web.example.com'],
    [`${WEB}:${WEB}`, {}, `172.17.0.2\t${WEB} web`],
    [`${WEB}:db`, {}, `172.17.0.2\tdb ${WEB} web`],
  ])('leaves out doubles: %s', (link, options, text) => {
    const docker0 = network()
    const registry = registryWith(docker0)
    attach(registry, docker0, { name: 'web', id: WEB, ...options }, { name: 'app', links: [link] })
    expect(lines(registry, 'app')).toEqual([text])
  })

  it('has both families, where both have them', () => {
    const pools = [{ subnet: '10.1.0.0/24' }, { subnet: 'fd00:1::/64' }]
    const dual = network({ name: 'dual', ipv6: true, pools })
    const registry = registryWith(dual)
    attach(registry, dual, { name: 'web', id: WEB }, { name: 'app', links: ['web:db'] })
    expect(lines(registry, 'app')).toEqual([`10.1.0.2\tdb ${WEB} web`, `fd00:1::2\tdb ${WEB} web`])
    expect(hostsText(registry, known(registry, 'app'))).toContain('\nfd00:1::3\t')
  })

  it('has the addresses of the networks that both are on, the preferred one first', () => {
    const front = network({ name: 'front', subnet: '10.1.0.0/24' })
    const back = network({ name: 'back', subnet: '10.2.0.0/24' })
    const side = network({ name: 'side', subnet: '10.3.0.0/24' })
    const registry = registryWith(front, back, side)
    attach(registry, front, { name: 'web', id: WEB }, { name: 'app', links: ['web:db'] })
    connect(registry, 'web', side)
    connect(registry, 'web', back)
    expect(lines(registry, 'app')).toEqual([`10.1.0.2\tdb ${WEB} web`])
    connect(registry, 'app', back, 5)
    expect(lines(registry, 'app')).toEqual([`10.2.0.2\tdb ${WEB} web`, `10.1.0.2\tdb ${WEB} web`])
    const own = hostsText(registry, known(registry, 'app')).trim().split('\n').slice(-2)
    expect(own.map((line) => line.split('\t')[0])).toEqual(['10.2.0.3', '10.1.0.3'])
  })

  it('follows the server: stopped, back at another address, gone', () => {
    const docker0 = network()
    const registry = registryWith(docker0)
    attach(registry, docker0, { name: 'web', id: WEB }, { name: 'app', links: ['web:db'] })
    carryOut(registry, planStop(registry, [known(registry, 'web')]))
    expect(lines(registry, 'app')).toEqual([])
    attach(registry, docker0, { name: 'stranger', address: '172.17.0.2' })
    expect(lines(registry, 'app')).toEqual([])
    carryOut(registry, planStart(registry, known(registry, 'web'), freePorts()))
    expect(lines(registry, 'app')).toEqual([`172.17.0.4\tdb ${WEB} web`])
    carryOut(registry, planDetach(registry, [known(registry, 'web')]))
    expect(lines(registry, 'app')).toEqual([])
  })

  it('of a stopped container is that of nobody', () => {
    const docker0 = network()
    const registry = registryWith(docker0)
    attach(registry, docker0, { name: 'web' }, { name: 'app', links: ['web'] })
    carryOut(registry, planStop(registry, [known(registry, 'app')]))
    expect(hostsText(registry, known(registry, 'app'))).toBe([...LOCALHOST, ''].join('\n'))
  })
})

describe('the variables of links', () => {
  function variables(
    expose: (string | number)[],
    publish: string[] = [],
    alias = 'db',
  ): Record<string, string> {
    const docker0 = network()
    const registry = registryWith(docker0)
    attach(registry, docker0, { name: 'web', expose, publish }, { name: 'app', links: [`web:${alias}`] })
    return linkVariables(registry, known(registry, 'app'))
  }

  it("are Docker's", () => {
    expect(variables([80])).toEqual({
      DB_PORT: 'tcp://172.17.0.2:80',
      DB_PORT_80_TCP: 'tcp://172.17.0.2:80',
      DB_PORT_80_TCP_ADDR: '172.17.0.2',
      DB_PORT_80_TCP_PORT: '80',
      DB_PORT_80_TCP_PROTO: 'tcp',
      DB_NAME: '/app/db',
    })
  })

  it('name the lowest port, of one number that of tcp, published ones too', () => {
    expect(variables(['9000/udp', '53/udp', '53/tcp'])).toMatchObject({ DB_PORT: 'tcp://172.17.0.2:53' })
    expect(variables([443], ['8080:80'])).toMatchObject({
      DB_PORT: 'tcp://172.17.0.2:80',
      DB_PORT_443_TCP_PORT: '443',
    })
  })

  it('have start and end of more than two ports in a row', () => {
    const given = variables(['8000-8002', '8003/udp', '7000-7001'])
    expect(Object.entries(given).filter(([name]) => /_(START|END)$/.test(name))).toEqual([
      ['DB_PORT_8000_TCP_START', 'tcp://172.17.0.2:8000'],
      ['DB_PORT_8000_TCP_PORT_START', '8000'],
      ['DB_PORT_8000_TCP_END', 'tcp://172.17.0.2:8002'],
      ['DB_PORT_8000_TCP_PORT_END', '8002'],
    ])
    expect(given).toMatchObject({ DB_PORT_8002_TCP: 'tcp://172.17.0.2:8002', DB_PORT_8003_UDP_PROTO: 'udp' })
  })

  it('are only the name where nothing is exposed', () => {
    expect(variables([])).toEqual({ DB_NAME: '/app/db' })
  })

  it('have the alias in upper case, with _ for -', () => {
    expect(Object.keys(variables([], [], 'my-db.local'))).toEqual(['MY_DB.LOCAL_NAME'])
  })

  it('have brackets about IPv6, where there is no IPv4', () => {
    const only = network({ name: 'six', ipv4: false, ipv6: true, pools: [{ subnet: 'fd00:6::/64' }] })
    const registry = registryWith(only)
    attach(registry, only, { name: 'web', expose: [80] }, { name: 'app', links: ['web'] })
    expect(linkVariables(registry, known(registry, 'app'))).toMatchObject({
      WEB_PORT: 'tcp://[fd00:6::2]:80',
      WEB_PORT_80_TCP_ADDR: 'fd00:6::2',
    })
  })

  it('of a server that is stopped are none', () => {
    const docker0 = network()
    const registry = registryWith(docker0)
    attach(registry, docker0, { name: 'web', expose: [80] }, { name: 'app', links: ['web'] })
    carryOut(registry, planStop(registry, [known(registry, 'web')]))
    expect(linkVariables(registry, known(registry, 'app'))).toEqual({})
  })
})
