/** An adopted bridge whose network has icc: false: the machines of its LAN, and the containers among them. */
import { describe, expect, it } from 'vitest'
import { type Machine, SILENCE_MS } from '../../../lab/machine.js'
import { connect } from '../../../lab/wiring.js'
import type { ContainerOptions, NetworkOptions } from '../../../src/index.js'
import { ip, ipJson } from '../../support/tools.js'
import { arrivals, type Sending } from './arrivals.js'
import { discovery } from './frames.js'
import { FAMILIES, type Family, type Parties, parties } from './link-setting.js'
import { frame, type Party, udp } from './packets.js'
import { createMachines, expectBlocked, expectReached, openHost } from './setting.js'
import { strangeFrames, TAG } from './strange-frames.js'

/** Who judges, and whether br_netfilter shows every frame to the rules of IP. */
const WAYS = [
  { tracking: true, sysctl: '0' },
  { tracking: true, sysctl: '1' },
  { tracking: false, sysctl: '0' },
  { tracking: false, sysctl: '1' },
] as const

interface Options {
  readonly tracking: boolean
  readonly sysctl: '0' | '1'
  readonly network?: Partial<NetworkOptions>
}

/** `east` and `west` are machines of a LAN on br0, which is adopted. */
async function createClosedLan({ tracking, sysctl, network: further }: Options) {
  const { host, machines } = await createMachines('east', 'west', 'web', 'app')
  const machine = (name: string): Machine => {
    const found = machines.get(name)
    if (!found) throw new Error(`no machine ${name}`)
    return found
  }
  await ip(host.namespace, 'link', 'add', 'br0', 'type', 'bridge')
  await ip(host.namespace, 'link', 'set', 'br0', 'address', '02:00:00:00:00:01', 'up')
  for (const [name, number] of [
    ['east', 101],
    ['west', 102],
  ] as const) {
    await connect(
      { machine: host, interface: name },
      {
        machine: machine(name),
        interface: 'eth0',
        address: [`172.22.0.${number}/16`, `fd00:22::${number}/64`],
      },
    )
    await ip(host.namespace, 'link', 'set', name, 'master', 'br0')
    await machine(name).serveTcp(80, { address: '::' })
    await machine(name).serveUdp(53)
  }
  for (const name of ['iptables', 'ip6tables'])
    await host.namespace.writeSysctl(`net/bridge/bridge-nf-call-${name}`, sysctl)
  const bridgeHost = await openHost(host)
  const network = await bridgeHost.createNetwork({
    name: 'br0',
    pools: [{ subnet: '172.22.0.0/16' }, { subnet: 'fd00:22::/64' }],
    adopt: true,
    icc: false,
    tracking,
    ...further,
  })
  const attach = async (name: string, options: Omit<ContainerOptions, 'netns' | 'name'> = {}) => {
    const container = await network.attach({ ...options, name, netns: machine(name).namespace })
    await machine(name).serveTcp(80, { address: '::' })
    return container
  }
  return {
    host,
    bridgeHost,
    network,
    machine,
    attach,
    arrive: (from: string, to: string, sent: Readonly<Record<string, Sending>>) =>
      arrivals(machine(from).namespace, machine(to).namespace, sent),
  }
}

async function neighbour(machine: Machine, number: number): Promise<Parties> {
  const [{ address } = {}] = await ipJson(machine.namespace, 'link', 'show', 'eth0')
  const party = (text: string): Party => ({ mac: String(address), address: text })
  return { 4: party(`172.22.0.${number}`), 6: party(`fd00:22::${number}`) }
}

const mac = (party: Party, other: string): Party => ({ ...party, mac: other })
const address = (party: Party, other: string): Party => ({ ...party, address: other })

function datagram(from: Party, to: Party, text: string): Sending {
  const sent = udp({ from, sourcePort: 5555, to, destinationPort: 5353 }, text)
  return { frames: [frame(sent)], mark: Uint8Array.from(sent.payload) }
}

const FOREIGN: Readonly<Record<Family, string>> = { 4: '172.22.7.7', 6: 'fd00:22::7:7' }
const GROUP: Readonly<Record<Family, Party>> = {
  4: { mac: '01:00:5e:00:00:fb', address: '224.0.0.251' },
  6: { mac: '33:33:00:00:00:fb', address: 'ff02::fb' },
}

/** Neighbour discovery behind a VLAN tag. */
function taggedDiscovery(from: Parties): Record<string, Sending> {
  const plain = discovery({ type: 136, from: from[6], text: from[6].address.slice(-14) })
  const frames = [Uint8Array.from([...plain.slice(0, 12), ...TAG, ...plain.slice(12)])]
  return { 'neighbour discovery with a tag': { frames, mark: plain.slice(-14) } }
}

/** No rule of IP sees it, or none can tell whom it is for. */
function unjudged(from: Parties, to: Parties): Record<string, Sending> {
  return { ...strangeFrames(from, to), ...misaddressed(from, to), ...taggedDiscovery(from) }
}

/** IP that a container could take for its own, though no address of it says so. */
function misaddressed(from: Parties, to: Parties): Record<string, Sending> {
  return Object.fromEntries(
    FAMILIES.flatMap((family) => {
      const [sender, receiver] = [from[family], to[family]]
      const name = (text: string): string => `IPv${family} ${text}`
      return [
        [name('for another address'), address(receiver, FOREIGN[family])],
        [name('to all'), mac(receiver, 'ff:ff:ff:ff:ff:ff')],
        [name('for a group'), GROUP[family]],
        [name('for a group, to its MAC alone'), mac(GROUP[family], receiver.mac)],
      ].map(([text, receiver]) => [text, datagram(sender, receiver as Party, text as string)] as const)
    }),
  )
}

describe.each(WAYS)('on a LAN with icc: false, tracking $tracking, bridge-nf-call $sysctl', (way) => {
  it("the LAN's own machines reach each other, and no container unless it is published", async () => {
    const { machine, attach, network } = await createClosedLan(way)
    const [east, west] = [machine('east'), machine('west')]
    const web = await attach('web', { expose: ['80'], publish: ['8080:80'] })
    const app = await attach('app', { links: ['web'] })
    await expectReached(east, '172.22.0.102', 80, '172.22.0.101')
    await expectReached(west, 'fd00:22::101', 80, 'fd00:22::102')
    expect(await west.probeUdp('172.22.0.101', 53)).toMatchObject({ outcome: 'reached' })
    expect(await west.ping('172.22.0.101', 'eastping')).toMatchObject({ outcome: 'reached' })
    for (const container of [web, app]) {
      await expectBlocked(east, container.address, 80)
      await expectBlocked(east, container.ipv6Address ?? '', 80)
    }
    for (const one of ['web', 'app']) {
      await expectBlocked(machine(one), '172.22.0.101', 80)
      await expectBlocked(machine(one), 'fd00:22::101', 80)
    }
    await expectReached(machine('app'), web.address, 80, app.address)
    await expectReached(machine('app'), web.ipv6Address ?? '', 80, app.ipv6Address ?? '')
    await expectBlocked(machine('web'), app.address, 80)
    expect(await east.probeTcp('172.22.0.1', 8080)).toMatchObject({ outcome: 'reached' })
    await network.update({ icc: true })
    await expectReached(east, app.address, 80, '172.22.0.101')
    await network.update({ icc: false })
    await expectBlocked(east, app.address, 80)
    await expectReached(east, '172.22.0.102', 80, '172.22.0.101')
  })

  it.each([false, true])(
    'frames that are no IP pass on the LAN alone; allowForgedSource %s',
    async (allowForgedSource) => {
      const { host, machine, attach, arrive, network, bridgeHost } = await createClosedLan(way)
      const east = await neighbour(machine('east'), 101)
      const west = await neighbour(machine('west'), 102)
      const web = parties(await attach('web', { allowForgedSource }))
      for (const filtered of ['0', '1']) {
        await host.namespace.writeSysctl('net/bridge/bridge-nf-filter-vlan-tagged', filtered)
        const toLan = unjudged(east, west)
        expect(await arrive('east', 'west', toLan)).toEqual(Object.keys(toLan))
        expect(await arrive('east', 'web', unjudged(east, web))).toEqual([])
        expect(await arrive('web', 'west', unjudged(web, west))).toEqual([])
      }
      await host.namespace.writeSysctl('net/bridge/bridge-nf-filter-vlan-tagged', '0')
      expect(await bridgeHost.check()).toEqual([])
      // That the container would see them.
      await network.update({ icc: true })
      const open = unjudged(east, web)
      expect(await arrive('east', 'web', open)).toEqual(Object.keys(open))
    },
  )

  it('who may forge addresses speaks to the LAN under none, not by the host either', async () => {
    const { host, machine, attach, arrive, network } = await createClosedLan(way)
    const west = await neighbour(machine('west'), 102)
    const web = parties(await attach('web', { allowForgedSource: true }))
    const bridge: Parties = {
      4: address(west[4], '172.22.0.1'),
      6: address(west[6], 'fd00:22::1'),
    }
    await host.namespace.writeSysctl('net/ipv6/conf/all/forwarding', '1')
    const sent = Object.fromEntries(
      FAMILIES.flatMap((family) =>
        (['its own MAC', 'another MAC'] as const).flatMap((whose) =>
          ([FOREIGN[family], bridge[family].address] as const).flatMap((source) =>
            (['straight', 'by the host'] as const).map((how) => {
              const sender = {
                address: source,
                mac: whose === 'its own MAC' ? web[family].mac : '02:00:00:00:07:07',
              }
              const to = how === 'straight' ? west[family] : mac(west[family], '02:00:00:00:00:01')
              const text = `from ${source} with ${whose}, ${how}`
              return [text, datagram(sender, to, text)] as const
            }),
          ),
        ),
      ),
    )
    expect(await arrive('web', 'west', sent)).toEqual([])
    await network.update({ icc: true })
    const open = await arrive('web', 'west', sent)
    // From the bridge's own address the host takes nothing in.
    for (const family of FAMILIES)
      expect(open).toEqual(
        expect.arrayContaining(Object.keys(sent).filter((text) => text.includes(FOREIGN[family]))),
      )
  })

  it('neighbour discovery passes between all', async () => {
    const { machine, attach } = await createClosedLan(way)
    const web = await attach('web')
    for (const target of [web.address, web.ipv6Address ?? '']) {
      await machine('east').ping(target, 'whoisweb', { timeoutMs: SILENCE_MS })
      expect(await ip(machine('east').namespace, 'neigh', 'show', target)).toContain(web.mac)
    }
  })

  it('explain says the same', async () => {
    const { attach, bridgeHost } = await createClosedLan(way)
    const web = await attach('web', { expose: ['80'] })
    const app = await attach('app', { links: ['web'] })
    const ask = async (from: string, to: string) =>
      (await bridgeHost.explain({ from, to, protocol: 'tcp', port: 80 })).reached
    expect(await ask('172.22.0.101', '172.22.0.102')).toBe('unknown')
    // Untracked, the bridge decides, and by which port the frame comes is not known.
    expect(await ask('172.22.0.101', web.address)).toBe(way.tracking ? false : 'unknown')
    expect(await ask('web', '172.22.0.101')).toBe('unknown')
    expect(await ask('app', 'web')).toBe(true)
    expect(await ask('web', app.address)).toBe(false)
  })
})
