import { describe, expect, it } from 'vitest'
import { Claims, refusal } from '../../../src/network/plan/claims.js'
import { parseLink } from '../../../src/network/plan/container-settings.js'
import { parseEndpointOptions } from '../../../src/network/plan/endpoint-settings.js'
import {
  checkContainerId,
  defaultHostName,
  hostInterfaceName,
  isHostName,
} from '../../../src/network/plan/identity.js'
import { planLink } from '../../../src/network/plan/link.js'
import { automaticName } from '../../../src/network/plan/names.js'
import { parseHostOptions, parseNetworkOptions } from '../../../src/network/plan/network-settings.js'
import { parsePeer } from '../../../src/network/plan/peer.js'
import { shortId } from '../../../src/network/plan/records.js'
import { planRename } from '../../../src/network/plan/rename.js'
import { attach, carryOut, known, network, registryWith, thrown } from './fixtures.js'

describe('automatic names', () => {
  it('are an adjective and a surname, unique among many', () => {
    const taken = new Set<string>()
    for (let count = 0; count < 10_000; count += 1) {
      const name = automaticName((each) => taken.has(each))
      expect(name).toMatch(/^[a-z]+_[a-z]+[0-9]*$/)
      expect(taken.has(name)).toBe(false)
      taken.add(name)
    }
  })

  it('get digits, and more of them, when those without are used up', () => {
    const asked: string[] = []
    const isTaken = (name: string): boolean => {
      asked.push(name)
      return !/[0-9]{2}$/.test(name)
    }
    expect(automaticName(isTaken, (below) => below - 1)).toMatch(/[a-z]99$/)
    expect(asked.map((name) => name.replace(/[^0-9]/g, '').length)).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2])
  })

  it('leave names to who asks for them in the same call', () => {
    const reserved = new Set(Array.from({ length: 20_000 }, () => automaticName(() => false)))
    const claims = new Claims(registryWith(network()), reserved)
    const refuse = refusal('test', '')
    const names = Array.from({ length: 200 }, () => claims.name(undefined, refuse))
    expect(new Set(names).size).toBe(200)
    expect(names.filter((name) => reserved.has(name))).toEqual([])
    // Who asked for it gets it.
    const [first = ''] = reserved
    expect(claims.name(first, refuse)).toBe(first)
  })
})

/** Ids of podman, containerd, Kubernetes and CNI, and what somebody may think of. */
const IDS = [
  'a',
  'web-0',
  'k8s.io/pod_nginx-7c5b',
  'cnitool-77383ca0a0715733ca6f',
  '../../../etc/passwd',
  '..',
  'a:b',
  'sha256:5f0a6d1c2b3e',
  '100%2F',
  'my container',
  'Büro №1',
  '\u{1f433}'.repeat(20),
  '\u{1f433}'.repeat(127),
  'x'.repeat(255),
]

describe('the id of a container', () => {
  it.each(IDS)('may be %s, and names that are made of it are safe', (id) => {
    expect(checkContainerId(id, 'id')).toBe(id)
    expect(isHostName(defaultHostName(id))).toBe(true)
    expect(defaultHostName(id).length).toBeLessThanOrEqual(63)
    expect(hostInterfaceName(id)).toMatch(/^veth[0-9a-f]{11}$/)
    expect(encodeURIComponent(shortId(id)), 'throws for half a character').not.toBe('')
    expect(Array.from(shortId(id)).length).toBe(Math.min(12, Array.from(id).length))
  })

  it('is its host name as far as it can be, where it is no hexadecimal number', () => {
    const names = ['5f0a6d1c2b3e4455', '5f0a6d1c2b3', 'k8s.io/a b.', '-.-'].map(defaultHostName)
    expect(names).toEqual([
      '5f0a6d1c2b3e',
      '5f0a6d1c2b3',
      'k8s.io-a-b',
      expect.stringMatching(/^[0-9a-f]{12}$/),
    ])
  })

  it('may begin as others do: then the short id finds none of them, and the error says whom it could mean', () => {
    const docker0 = network()
    const registry = registryWith(docker0)
    attach(registry, docker0, { name: 'one', id: 'k8s-pod-nginx-1' }, { name: 'app', id: 'app' })
    const link = (reference: string) =>
      planLink(registry, known(registry, 'app'), parseLink(reference, 'link')).change.containers?.get('app')
        ?.links
    expect(link('k8s-pod-ngin')).toEqual([{ server: 'k8s-pod-nginx-1', alias: 'k8s-pod-ngin' }])
    const ambiguous = [
      { name: 'two', id: 'k8s-pod-nginx-2' },
      { name: 'three', links: ['k8s-pod-ngin'] },
    ]
    const refused = {
      code: 'NFB_NOT_FOUND',
      message: expect.stringContaining('"one" (k8s-pod-ngin), "two" (k8s-pod-ngin)'),
    }
    expect(thrown(() => attach(registry, docker0, ...ambiguous))).toMatchObject(refused)
    attach(registry, docker0, ...ambiguous.slice(0, 1))
    expect(thrown(() => link('k8s-pod-ngin'))).toMatchObject(refused)
    expect(link('k8s-pod-nginx-2')).toEqual([{ server: 'k8s-pod-nginx-2', alias: 'k8s-pod-nginx-2' }])
  })

  it('is found after names, and before short ids, also in the call that makes them', () => {
    const docker0 = network()
    const registry = registryWith(docker0)
    attach(registry, docker0, { name: 'former', id: 'web-frontend-1' })
    const [named, client] = attach(
      registry,
      docker0,
      { name: 'web-frontend', id: 'x' },
      { links: ['web-frontend'] },
    )
    expect(client?.links).toEqual([{ server: named?.id, alias: 'web-frontend' }])
  })
})

describe('a container that is renamed', () => {
  it('is found by the new name alone, and gives the old one back', () => {
    const docker0 = network()
    const registry = registryWith(docker0)
    attach(registry, docker0, { name: 'web', id: 'x', expose: ['80'] }, { name: 'app', links: ['web'] })
    const { links } = known(registry, 'app')
    carryOut(registry, planRename(registry, known(registry, 'web'), 'www'))
    expect([registry.find('web'), registry.find('www')?.id, registry.find('x')?.name]).toEqual([
      undefined,
      'x',
      'www',
    ])
    expect(known(registry, 'app').links).toEqual(links)
    carryOut(registry, planRename(registry, known(registry, 'app'), 'web'))
    // Its own id is a name that nobody else can have.
    carryOut(registry, planRename(registry, known(registry, 'www'), 'x'))
    expect(['web', 'x'].map((name) => known(registry, name).name)).toEqual(['web', 'x'])
    expect(planRename(registry, known(registry, 'x'), 'x').change).toEqual({})
  })

  it.each([
    ['app', 'NFB_NAME_TAKEN'],
    ['y', 'NFB_NAME_TAKEN'],
    ['a b', 'NFB_INVALID_NAME'],
    ['', 'NFB_INVALID_NAME'],
  ])('can not be called "%s": %s', (name, code) => {
    const docker0 = network()
    const registry = registryWith(docker0)
    attach(registry, docker0, { name: 'web' }, { name: 'app', id: 'y' })
    const failure = thrown(() => planRename(registry, known(registry, 'web'), name))
    expect(failure).toMatchObject({ code, operation: expect.any(String), path: 'name' })
  })
})

describe('the name of an interface', () => {
  const host = parseHostOptions({})
  const ofNetwork = (change: object) => (): unknown =>
    parseNetworkOptions({ name: 'br0', subnet: '10.0.0.0/24', ...change }, host)
  const ofEndpoint = (change: object) => (): unknown => parseEndpointOptions(change, 'attach', '')
  const ofPeer = (change: object) => (): unknown => parsePeer({ subnet: '10.9.0.0/16', ...change })
  it.each<[string, () => unknown]>([
    ['name', ofNetwork({ name: 'a*' })],
    ['name', ofNetwork({ name: 'all' })],
    ['trustedInterfaces[1]', ofNetwork({ trustedInterfaces: ['lan0', 'a*'] })],
    ['hostInterfaceName', ofEndpoint({ hostInterfaceName: 'a*' })],
    ['hostInterfaceName', ofEndpoint({ hostInterfaceName: 'all' })],
    ['hostInterfaceName', ofEndpoint({ hostInterfaceName: 'default' })],
    ['interfaceName', ofEndpoint({ interfaceName: 'all' })],
    ['interfaceName', ofEndpoint({ interfaceName: 'default' })],
    ['device', ofPeer({ device: 'a*' })],
  ])('that stands for others is refused: %s (%#)', (path, parse) => {
    expect(thrown(parse)).toMatchObject({ code: 'NFB_INVALID_NAME', path })
  })

  it('on the host is none of a bridge of ours', () => {
    const docker0 = network()
    const registry = registryWith(docker0)
    const taken = thrown(() => attach(registry, docker0, { hostInterfaceName: 'docker0' }))
    expect(taken).toMatchObject({ code: 'NFB_NAME_TAKEN', path: 'containers[0].hostInterfaceName' })
    expect(attach(registry, docker0, { hostInterfaceName: 'docker1' })).toHaveLength(1)
  })
})
