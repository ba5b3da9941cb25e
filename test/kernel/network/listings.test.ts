import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { ContainerOptions, HostOptions, NetworkOptions } from '../../../src/index.js'
import { nft } from '../../support/tools.js'
import { createMachines, openHost } from './setting.js'

const GOLDEN = new URL('./listings.golden', import.meta.url)

/** What makes one listing: one network, the containers on it, and what happens to them. */
interface Listing {
  readonly host?: Omit<HostOptions, 'netns'>
  readonly network?: Partial<NetworkOptions>
  readonly web?: Omit<ContainerOptions, 'netns'>
  readonly app?: Omit<ContainerOptions, 'netns'>
  readonly peers?: readonly string[]
}

const LINKED: Listing = { web: { expose: ['80'] }, app: { links: ['web:db'] } }
const DUAL = { ipv6: true, pools: [{ subnet: '172.17.0.0/16' }, { subnet: 'fd00:17::/64' }] } as const

/** The most telling combinations: each shows elements that no other shows. */
const LISTINGS: Readonly<Record<string, Listing>> = {
  'default network, nothing on it': {},
  'icc, a link that opens nothing more': LINKED,
  'no icc, one link': { ...LINKED, network: { icc: false } },
  'no icc, a stateless link': { ...LINKED, network: { icc: false, linkMode: 'stateless' } },
  'no icc, a link to published and exposed ports': {
    network: { icc: false },
    web: { expose: ['80', '53/udp'], publish: ['8080:81'] },
    app: { links: ['web'] },
  },
  'published on every address': { web: { publish: ['8080:80', '5353:53/udp'] } },
  'published on one address, and on loopback': { web: { publish: ['203.0.113.1:80:80', '127.0.0.1:81:80'] } },
  'a range with the same ports': { web: { publish: ['8000-8999:8000-8999'] } },
  'a range with other ports': { web: { publish: ['8000-8002:80-82'] } },
  'a range of SCTP on one address': { web: { publish: ['203.0.113.1:9000-9010:9000-9010/sctp'] } },
  'both families': { network: DUAL, ...LINKED },
  'both families, no icc, one link': { network: { ...DUAL, icc: false }, ...LINKED },
  'both families, published': { network: DUAL, web: { publish: ['8080:80', '[2001:db8:113::1]:81:80'] } },
  internal: { network: { internal: true }, web: {} },
  'isolated bridge': { network: { gatewayMode: 'isolated' }, web: {} },
  routed: { network: { gatewayMode: 'routed' }, web: { publish: ['8080:80'] } },
  'nat for IPv4, routed for IPv6': {
    network: { ...DUAL, gatewayMode: { ipv4: 'nat', ipv6: 'routed' } },
    web: { publish: ['8080:80'] },
  },
  'nat-unprotected': { network: { gatewayMode: 'nat-unprotected' } },
  'direct routing allowed': { network: { allowDirectRouting: true }, web: { publish: ['8080:80'] } },
  'a trusted interface': { network: { trustedInterfaces: ['uplink'] }, web: { publish: ['8080:80'] } },
  'strict isolation': { network: { isolation: 'strict' } },
  'no isolation': { network: { isolation: 'none' } },
  'no masquerading': { network: { masquerade: false } },
  'masquerading with exceptions': { network: { masquerade: { except: ['10.0.0.0/8', '192.0.2.7/32'] } } },
  'under one address of the host': { network: { masquerade: { snat: '203.0.113.1' } } },
  'policy accept': { host: { forwardPolicy: 'accept' } },
  'policy drop': { host: { forwardPolicy: 'drop' } },
  'a peer': { peers: ['10.77.0.0/16'] },
  'forged sources allowed, no icc': { network: { icc: false }, web: { allowForgedSource: true } },
  'three bridges': { network: { bridges: 3, icc: false }, web: {} },
}

describe('what the sets hold, as nft prints it', () => {
  it('is for each of the most telling combinations what it was', async () => {
    const { host, machines } = await createMachines('web', 'app')
    const printed: string[] = []
    for (const [title, { host: hostOptions, network: networkOptions, web, app, peers }] of Object.entries(
      LISTINGS,
    )) {
      const bridgeHost = await openHost(host, hostOptions)
      const subnet = networkOptions?.pools ? {} : { subnet: '172.17.0.0/16' }
      const network = await bridgeHost.createNetwork({ name: 'docker0', ...subnet, ...networkOptions })
      const ids = { web: 'aaaaaaaaaaaa', app: 'bbbbbbbbbbbb' }
      for (const [name, options] of [
        ['web', web],
        ['app', app],
      ] as const) {
        const machine = machines.get(name)
        if (options && machine)
          await network.attach({
            name,
            id: ids[name],
            netns: machine.namespace,
            maxConnections: 500,
            ...options,
          })
      }
      for (const peer of peers ?? []) await bridgeHost.addPeer({ subnet: peer, via: '203.0.113.2' })
      const sets = [await nft(host.namespace, 'list', 'sets'), await nft(host.namespace, 'list', 'maps')]
      printed.push(`# ${title}`, ...filled(sets.join('\n')), '')
      await bridgeHost.destroy()
    }
    const text = printed.join('\n')
    if (process.env.UPDATE_GOLDEN) writeFileSync(GOLDEN, text)
    expect(text).toBe(readFileSync(GOLDEN, 'utf8'))
  })
})

/** The sets that hold anything, one line each: `links: a . b, c . d`. */
function filled(text: string): string[] {
  return [...text.matchAll(/(?:set|map) (\w+) \{([^{}]*)elements = \{([^{}]*)\}/g)]
    .map(([, name, , elements = '']) => {
      const sorted = elements
        .split(',')
        .map((element) => element.replace(/\s+/g, ' ').trim())
        .sort()
      return `${name}: ${sorted.join(', ')}`
    })
    .sort()
}
