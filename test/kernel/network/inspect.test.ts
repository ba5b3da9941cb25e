/** `host.inspect()` and `host.toText()` of a host that stands, against what the tools of the kernel print of it. */
import { describe, expect, it } from 'vitest'
import { verdict } from '../../../src/nft/index.js'
import { ip, ipJson, nft, nftFile } from '../../support/tools.js'
import { createMachines, createSetting, failureOf, openHost } from './setting.js'

/** A host with something of everything. */
async function fullHost() {
  const setting = await createSetting(['web', 'app', 'stranger'], {
    icc: false,
    subnet: undefined,
    pools: [{ subnet: '172.17.0.0/16' }, { subnet: 'fd00:17::/64' }],
    masquerade: { except: ['192.0.2.0/24'] },
    trustedInterfaces: ['uplink'],
  })
  const { bridgeHost, attach } = setting
  await attach('web', {
    id: 'aaaaaaaaaaaa',
    expose: ['80', '53/udp'],
    publish: ['8080:80', '203.0.113.1:5353:53/udp', '7000-7009:7000-7009', '127.0.0.1:9000-9002:90-92'],
  })
  await attach('app', { id: 'bbbbbbbbbbbb', links: ['web:db'] })
  await attach('stranger', { allowForgedSource: true })
  const routed = await bridgeHost.createNetwork({
    name: 'routed',
    subnet: '172.22.0.0/24',
    gatewayMode: 'routed',
    isolation: 'none',
  })
  await bridgeHost.container('app')?.connect(routed, { netns: setting.machine('app').namespace })
  await bridgeHost.createNetwork({
    name: 'inside',
    subnet: '172.23.0.0/24',
    internal: true,
    isolation: 'strict',
  })
  await bridgeHost.addPeer({ subnet: '172.30.0.0/16', via: '203.0.113.2' })
  await bridgeHost.addHostContainer({ name: 'monitor' })
  await bridgeHost.userRules.inbound.append({ expr: [verdict.accept()], comment: 'whoever comes' })
  return setting
}

/** Sets without an order print their elements by chance: sorted on both sides. */
function inOrder(listing: string): string {
  return listing.replace(/elements = \{ ([^}]*) \}/g, (_, elements: string) => {
    return `elements = { ${elements.split(/,\s*/).sort().join(', ')} }`
  })
}

describe("toText('nft')", () => {
  it('is what nft prints of our two tables, read from the kernel', async () => {
    const { host, bridgeHost } = await fullHost()
    // What others put there is told as well; what they have elsewhere is not.
    await nftFile(
      host.namespace,
      'add chain inet nfbridge theirs\nadd rule inet nfbridge theirs tcp dport 22 drop\nadd table ip nfbridge\nadd table inet other',
    )
    const printed = await bridgeHost.toText('nft')
    const theirs = await Promise.all(
      ['inet', 'bridge'].map((family) => nft(host.namespace, 'list', 'table', family, 'nfbridge')),
    )
    // nft 1.0.6 leaves the type of a frame out where fields of a key need it.
    const asTheirs = printed.replace(/ether type ip6? (?=[io]ifname \.|meta l4proto)/g, '')
    expect(inOrder(asTheirs)).toBe(inOrder(theirs.join('')))
    expect(printed).toContain('chain theirs')
  })

  it('is empty where there are no tables', async () => {
    const { host } = await createMachines()
    const bridgeHost = await openHost(host, { firewall: false })
    await bridgeHost.createNetwork({ name: 'br0' })
    expect(await bridgeHost.toText('nft')).toBe('')
    expect(await bridgeHost.toText('iptables')).toBe('')
  })
})

describe("toText('iptables')", () => {
  it('has the links, the ports, the networks and the users rules of a host that stands', async () => {
    const { bridgeHost } = await fullHost()
    const text = await bridgeHost.toText('iptables')
    for (const line of [
      'Chain FORWARD (policy DROP)',
      'ACCEPT     tcp  --  172.17.0.3           172.17.0.2           tcp dpt:80',
      'ACCEPT     udp  --  172.17.0.2           172.17.0.3           udp spt:53 ctstate ESTABLISHED',
      'ACCEPT     tcp  --  fd00:17::3           fd00:17::2           tcp dpt:7009',
      'DNAT       tcp  --  0.0.0.0/0            127.0.0.1            tcp dpts:9000:9002 to:172.17.0.2:90-92/9000',
      'DROP       all  -- !172.23.0.0/24        0.0.0.0/0           ',
      'ACCEPT     all  --  172.30.0.0/16        0.0.0.0/0           ',
      'ACCEPT     all  --  0.0.0.0/0            0.0.0.0/0            /* accept comment "whoever comes" */',
    ]) {
      expect(text.split('\n')).toContain(line)
    }
    await bridgeHost.container('app')?.unlink('web')
    expect(await bridgeHost.toText('iptables')).not.toContain('spt:')
  })

  it('refuses what is no format', async () => {
    const { bridgeHost } = await createSetting([])
    // @ts-expect-error: what a caller without types may write
    const failure = await failureOf(bridgeHost.toText('ebtables'))
    expect(failure).toMatchObject({ code: 'NFB_INVALID_ARGUMENT', path: 'format' })
  })
})

describe('inspect', () => {
  it('tells what the kernel has', async () => {
    const { host, bridgeHost, machine } = await fullHost()
    const told = await bridgeHost.inspect()
    expect(told.host.forwarding).toEqual({
      ipv4: { on: true, turnedOn: true, policy: 'drop' },
      ipv6: { on: true, turnedOn: true, policy: 'drop' },
    })
    for (const { bridges, pools } of told.networks) {
      const [bridge] = bridges
      const addresses = await ip(host.namespace, '-brief', 'addr', 'show', 'dev', bridge ?? '')
      for (const { gateway } of pools) expect(addresses).toContain(` ${gateway}/`)
    }
    const names = (await ipJson(host.namespace, 'link')).map(({ ifname }) => ifname)
    for (const { name, endpoints } of told.containers) {
      for (const { interfaceName, hostInterface, ipv4, mac } of endpoints) {
        expect(names).toContain(hostInterface)
        const own = await ip(machine(name).namespace, 'addr', 'show', 'dev', interfaceName)
        expect(own).toContain(`link/ether ${mac} `)
        expect(own).toContain(`inet ${ipv4}/`)
      }
    }
    expect(told.containers.map(({ name, state, endpoints }) => [name, state, endpoints.length])).toEqual([
      ['web', 'running', 1],
      ['app', 'running', 2],
      ['stranger', 'running', 1],
      ['monitor', 'host', 0],
    ])
    expect(told.peers).toEqual([{ subnet: '172.30.0.0/16', via: '203.0.113.2', device: null }])
    expect(told.userRules).toEqual({ forward: [], inbound: ['accept comment "whoever comes"'] })
    expect(told.statistics.transactions).toBeGreaterThan(0)
    expect(JSON.parse(JSON.stringify(told))).toStrictEqual(told)
  })

  it('follows what happens: stopped, gone, forwarding turned off by somebody', async () => {
    const { bridgeHost, host } = await fullHost()
    await bridgeHost.container('web')?.stop()
    await host.namespace.writeSysctl('net.ipv4.ip_forward', '0')
    const told = await bridgeHost.inspect()
    expect(told.host.forwarding.ipv4).toEqual({ on: false, turnedOn: true, policy: 'drop' })
    const app = told.containers.find(({ name }) => name === 'app')
    expect(app?.links).toMatchObject([{ alias: 'db', state: 'stopped' }])
    expect(app?.hosts).toEqual([])
    expect(app?.variables).toEqual({})
    await bridgeHost.container('web')?.detach()
    expect((await bridgeHost.inspect()).containers.map(({ name }) => name)).not.toContain('web')
  })
})
