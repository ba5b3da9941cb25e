import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Machine } from '../../../lab/machine.js'
import { addAddress, addRoute } from '../../../lab/wiring.js'
import { parseAddress } from '../../../src/address/index.js'
import type { BridgeHost, Finding, FindingCode } from '../../../src/index.js'
import { PortReservations } from '../../../src/netns/index.js'
import { ip, nft, nftFile, runIn } from '../../support/tools.js'
import { cleanUp, createMachines, openHost } from './setting.js'

interface Town {
  readonly host: Machine
  readonly outside: Machine
  readonly web: Machine
  readonly state: string
  bridgeHost: BridgeHost
}

/** A host with all that is checked: two families, icc false with a link, published ports, a peer. */
async function createTown(): Promise<Town> {
  const { host, outside, machines } = await createMachines('web', 'app')
  await addAddress(host, 'uplink', '2001:db8:113::1/64')
  await addRoute(host, { destination: 'default', gateway: '2001:db8:113::2' })
  const state = mkdtempSync(join(tmpdir(), 'nfbridge-check-'))
  cleanUp(async () => rmSync(state, { recursive: true, force: true }))
  const bridgeHost = await openHost(host, { state })
  const town = { host, outside, state, bridgeHost, web: host }
  const network = await bridgeHost.createNetwork({
    name: 'docker0',
    subnet: '172.17.0.0/16',
    ipv6: true,
    icc: false,
  })
  const other = await bridgeHost.createNetwork({ name: 'other', subnet: '172.19.0.0/24' })
  for (const [name, machine] of machines) {
    if (machine === host || machine === outside) continue
    const first = await network.attach({
      name,
      netns: machine.namespace,
      ...(name === 'web'
        ? { expose: ['80'], publish: ['8080:80', '9000-9003:9000-9003/udp', '127.0.0.1:99:99'] }
        : { links: ['web'] }),
    })
    if (name === 'web') {
      town.web = machine
      await first.connect(other, { netns: machine.namespace })
    }
  }
  await bridgeHost.addPeer({ subnet: '172.30.0.0/24', via: '203.0.113.2', device: 'uplink' })
  return town
}

async function reopen(town: Town): Promise<void> {
  await town.bridgeHost.close()
  town.bridgeHost = await openHost(town.host, { state: town.state })
}

/** The commands of a remedy, as a shell would run them in the host's namespace. */
async function runRemedy({ host }: Town, { remedy }: Finding): Promise<void> {
  const commands = [...remedy.matchAll(/`([^`]+)`/g)].flatMap(([, command = '']) => command.split(' && '))
  expect(commands.length, remedy).toBeGreaterThan(0)
  for (const command of commands) await runIn(host.namespace, 'sh', ['-c', command])
}

async function codes({ bridgeHost }: Town): Promise<FindingCode[]> {
  return (await bridgeHost.check()).map(({ code }) => code)
}

const set = (name: string, value: string) => (town: Town) => town.host.namespace.writeSysctl(name, value)
const inHost =
  (...words: string[]) =>
  ({ host }: Town) =>
    ip(host.namespace, ...words)
const rules =
  (text: string) =>
  ({ host }: Town) =>
    nftFile(host.namespace, text)

/** The name of a container's interface on the host. */
const port =
  (name: string) =>
  async (town: Town, ...words: string[]) =>
    ip(
      town.host.namespace,
      ...words.map((word) =>
        word === 'PORT' ? String(town.bridgeHost.container(name)?.hostInterface) : word,
      ),
    )

/** What holds a port of the host that is published. */
let holder: PortReservations | undefined

interface Case {
  readonly code: FindingCode
  readonly what: string
  readonly provoke: (town: Town) => Promise<unknown>
  /** What the message and the remedy say. */
  readonly says: readonly (string | RegExp)[]
  /** Default: the commands in the remedy. */
  readonly mend?: (town: Town, finding: Finding) => Promise<unknown>
  /** Other findings of the same cause, which the remedy leaves. */
  readonly leaves?: readonly FindingCode[]
}

const cases: readonly Case[] = [
  {
    code: 'foreign-chain-drops',
    what: "Docker's FORWARD policy",
    provoke: async (town) => {
      await rules(`table ip filter {
        chain DOCKER-USER { return; }
        chain FORWARD { type filter hook forward priority filter; policy drop; counter jump DOCKER-USER; }
      }`)(town)
    },
    says: ['Docker', 'policy drop', 'chain FORWARD', 'iptables -I DOCKER-USER -i docker0 -j ACCEPT'],
  },
  {
    code: 'foreign-chain-drops',
    what: 'somebody who drops one published port',
    provoke: rules(
      'table inet mine { chain f { type filter hook forward priority 10; tcp dport 80 ct status dnat drop; }; }',
    ),
    says: ['published by web', 'inet mine f', 'nft insert rule'],
  },
  {
    code: 'foreign-chain-drops',
    what: 'somebody who lets connections out, and no answers in',
    provoke: rules(
      'table inet mine { chain f { type filter hook forward priority -10; iifname "uplink" ct state established drop; }; }',
    ),
    says: ['outward'],
  },
  {
    code: 'foreign-chain-drops',
    what: 'somebody who drops what is linked',
    provoke: rules(
      'table ip mine { chain f { type filter hook forward priority 0; iifname "docker0" oifname "docker0" drop; }; }',
    ),
    says: ['the link of app to web (80/tcp, IPv4)'],
  },
  {
    code: 'neighbour-discovery-dropped',
    what: 'an input policy that forgets ICMPv6',
    provoke: rules(
      'table inet fw { chain in { type filter hook input priority 0; policy drop; ct state established,related accept; iifname lo accept; tcp dport 22 accept; }; }',
    ),
    says: ['uplink', 'icmpv6 type'],
  },
  {
    code: 'forwarding-off',
    what: 'of the host',
    provoke: set('net/ipv4/ip_forward', '0'),
    says: ['net.ipv4.ip_forward'],
  },
  {
    code: 'forwarding-off',
    what: 'of IPv6',
    provoke: set('net/ipv6/conf/all/forwarding', '0'),
    says: ['net.ipv6.conf.all.forwarding'],
  },
  {
    code: 'forwarding-off',
    what: 'of a bridge',
    provoke: set('net/ipv4/conf/docker0/forwarding', '0'),
    says: ['docker0'],
  },
  {
    code: 'forwarding-off',
    what: 'of the uplink',
    provoke: set('net/ipv4/conf/uplink/forwarding', '0'),
    says: ['uplink'],
  },
  {
    code: 'br-netfilter-off',
    what: 'of a bridge',
    provoke: async (town) => {
      // That of all bridges, which is on where the module was loaded without further ado, would be enough.
      await set('net/bridge/bridge-nf-call-iptables', '0')(town)
      await inHost('link', 'set', 'docker0', 'type', 'bridge', 'nf_call_iptables', '0')(town)
    },
    says: ['docker0', 'IPv4'],
  },
  {
    code: 'rp-filter-drops',
    what: 'strict, with a way back that is another',
    provoke: async (town) => {
      await set('net/ipv4/conf/docker0/rp_filter', '1')(town)
      await inHost('route', 'add', '172.17.0.0/24', 'via', '203.0.113.2')(town)
    },
    says: ['docker0', '172.17.0.0/24', 'rp_filter=2'],
    leaves: ['pool-shadowed'],
  },
  {
    code: 'port-unreserved',
    what: 'somebody listens on a published port',
    provoke: async (town) => {
      const { host, state, bridgeHost } = town
      await bridgeHost.close()
      holder = PortReservations.open(host.namespace)
      await holder.reserve([{ protocol: 'tcp', address: parseAddress('0.0.0.0'), port: 8080 }])
      town.bridgeHost = await openHost(host, { state })
    },
    says: ['8080/tcp'],
    mend: async () => holder?.close(),
  },
  {
    code: 'pool-shadowed',
    what: 'a longer route',
    provoke: inHost('route', 'add', '172.17.0.0/24', 'via', '203.0.113.2'),
    says: ['172.17.0.0/24', 'uplink', 'docker0'],
  },
  {
    code: 'pool-shadowed',
    what: 'a longer route that refuses',
    provoke: inHost('route', 'add', 'blackhole', '172.19.0.128/25'),
    says: ['other', 'blackhole'],
  },
  {
    code: 'peer-shadowed',
    what: 'a longer route',
    provoke: inHost('route', 'add', '172.30.0.0/28', 'dev', 'docker0'),
    says: ['172.30.0.0/28'],
  },
  {
    code: 'peer-route-gone',
    what: 'deleted',
    provoke: inHost('route', 'delete', '172.30.0.0/24'),
    says: ['172.30.0.0/24'],
  },
  { code: 'bridge-down', what: 'set down', provoke: inHost('link', 'set', 'other', 'down'), says: ['other'] },
  {
    code: 'bridge-gone',
    what: 'deleted',
    provoke: inHost('link', 'delete', 'other'),
    says: ['other'],
    mend: reopen,
  },
  {
    code: 'gateway-gone',
    what: 'of IPv4',
    provoke: inHost('address', 'delete', '172.17.0.1/16', 'dev', 'docker0'),
    says: ['172.17.0.1/16'],
  },
  {
    code: 'port-down',
    what: 'set down',
    provoke: (town) => port('web')(town, 'link', 'set', 'PORT', 'down'),
    says: ['web'],
  },
  {
    code: 'port-elsewhere',
    what: 'taken out of its bridge',
    provoke: (town) => port('app')(town, 'link', 'set', 'PORT', 'nomaster'),
    says: ['app', 'docker0'],
    mend: reopen,
  },
  {
    code: 'port-gone',
    what: 'deleted',
    provoke: (town) => port('web')(town, 'link', 'delete', 'PORT'),
    says: ["container('web').stop()"],
    mend: async ({ bridgeHost, web }) => {
      await bridgeHost.container('web')?.stop()
      await bridgeHost.container('web')?.start({ netns: web.namespace })
    },
  },
  {
    code: 'interface-down',
    what: 'in the container',
    provoke: ({ web }) => ip(web.namespace, 'link', 'set', 'eth1', 'down'),
    says: ['eth1', 'web'],
    mend: ({ web }) => ip(web.namespace, 'link', 'set', 'eth1', 'up'),
  },
  {
    code: 'tables-gone',
    what: 'flushed',
    provoke: ({ host }) => nft(host.namespace, 'flush', 'ruleset'),
    says: ['nfbridge'],
    mend: reopen,
  },
  {
    code: 'rules-changed',
    what: 'a rule of somebody in a chain of ours',
    provoke: ({ host }) => nft(host.namespace, 'insert', 'rule', 'inet', 'nfbridge', 'inbound', 'accept'),
    says: ['inet inbound', '"accept" is not ours'],
    mend: reopen,
  },
  {
    code: 'elements-gone',
    what: 'a link and a publication',
    provoke: async ({ host }) => {
      await nft(host.namespace, 'flush', 'set', 'inet', 'nfbridge', 'links')
      await nft(host.namespace, 'flush', 'map', 'inet', 'nfbridge', 'publish_any')
    },
    says: ['links 172.17.0.3 . 172.17.0.2 . tcp . 80'],
    mend: reopen,
  },
  {
    code: 'elements-foreign',
    what: 'a link that nobody made',
    provoke: ({ host }) =>
      nft(
        host.namespace,
        'add',
        'element',
        'inet',
        'nfbridge',
        'links',
        '{ 172.17.0.2 . 172.17.0.3 . tcp . 22 }',
      ),
    says: ['links 172.17.0.2 . 172.17.0.3 . tcp . 22'],
    mend: reopen,
  },
]

describe('host.check', () => {
  it('finds nothing where all is well, also after the host was opened again', async () => {
    const town = await createTown()
    expect(await town.bridgeHost.check()).toEqual([])
    await reopen(town)
    expect(await town.bridgeHost.check()).toEqual([])
  })

  it.each(cases)(
    '$code: $what; the remedy mends it',
    async ({ code, provoke, says, mend = runRemedy, leaves = [] }) => {
      const town = await createTown()
      await provoke(town)
      const finding = (await town.bridgeHost.check()).find((each) => each.code === code)
      const text = `${finding?.subject}: ${finding?.message} -> ${finding?.remedy}`
      for (const part of says) expect(text).toMatch(part instanceof RegExp ? part : new RegExp(escaped(part)))
      if (!finding) throw new Error(code)
      await mend(town, finding)
      expect(await codes(town), text).toEqual(leaves)
    },
  )
})

/** Base chains as ufw and firewalld make them, and one of somebody who is not known. */
it.each([
  [
    'ufw',
    'table ip filter { chain ufw-before-forward { }; chain FORWARD { type filter hook forward priority 0; policy drop; jump ufw-before-forward; }; }',
    'ufw route allow in on docker0',
  ],
  [
    'firewalld',
    'table inet firewalld { chain filter_FORWARD { type filter hook forward priority 10; ct state established accept; reject; }; }',
    'firewall-cmd --permanent --zone=trusted --add-interface=docker0',
  ],
  [
    'iptables',
    'table ip6 filter { chain FORWARD { type filter hook forward priority 0; policy drop; }; }',
    'ip6tables -I FORWARD -i docker0 -j ACCEPT',
  ],
  [
    'Docker',
    'table ip docker-bridges { chain filter-FORWARD { type filter hook forward priority 0; oifname docker0 drop; }; }',
    'nft insert rule ip docker-bridges filter-FORWARD iifname "docker0" accept',
  ],
])('says that rules are those of %s, and how it is told', async (owner, text, command) => {
  const town = await createTown()
  await nftFile(town.host.namespace, text)
  const [finding, ...others] = await town.bridgeHost.check()
  expect(others).toEqual([])
  expect(finding).toMatchObject({ code: 'foreign-chain-drops', severity: 'error' })
  expect(finding?.message).toMatch(new RegExp(`^${owner}: `))
  expect(finding?.remedy).toContain(command)
})

it("finds nothing in other programs' rules that let our traffic pass, or don't concern it", async () => {
  const town = await createTown()
  await nftFile(
    town.host.namespace,
    `table inet theirs {
      chain f { type filter hook forward priority -5; policy drop; ct state established,related accept; iifname { docker0, other } accept; oifname { docker0, other } accept; }
      chain i { type filter hook input priority 0; policy drop; icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept; tcp dport 22 accept; ct state established accept; }
      chain o { type filter hook output priority 0; policy accept; tcp dport 25 drop; }
    }`,
  )
  expect(await town.bridgeHost.check()).toEqual([])
})

it('names tables of the former iptables, which it can not read', async () => {
  const town = await createTown()
  // Its tables come into being when they are looked at, and go with the namespace.
  await runIn(town.host.namespace, 'iptables-legacy', ['-S'])
  await runIn(town.host.namespace, 'ip6tables-legacy', ['-t', 'mangle', '-S'])
  const [finding, ...others] = await town.bridgeHost.check()
  expect(others).toEqual([])
  expect(finding).toMatchObject({ code: 'legacy-iptables', severity: 'warning' })
  expect(finding?.message).toContain('(filter, ip6 mangle)')
})

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
