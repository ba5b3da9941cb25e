import { expect } from 'vitest'
import { answerLimit, type Machine } from '../../../lab/machine.js'
import { addAddress, addRoute, connect, connectOutside, untilRunning } from '../../../lab/wiring.js'
import {
  type Explanation,
  explainPath,
  type NamespaceState,
  type PathQuestion,
  type Sender,
  StateReader,
  type World,
} from '../../../src/explain/index.js'
import { cleanUp } from '../../support/clean-up.js'
import { testMachines } from '../../support/machines.js'
import { bridge as bridgeTool, ip, nftFile } from '../../support/tools.js'

/** Two bridges with three machines behind a host, and one outside; nothing of nfbridge's own in it. */
export interface Town {
  readonly host: Machine
  readonly outside: Machine
  readonly a: Machine
  readonly b: Machine
  readonly c: Machine
  readonly all: readonly Machine[]
}

/** Rules in the manner of a runtime: closed bridges, one link from a to b, a published port, checked senders. */
export const RULES = `
table inet runtime {
  set bridges { type ifname; elements = { "br0", "br1" } }
  map icc { type ifname . ifname : verdict; elements = { "br0" . "br0" : jump same_bridge } }
  set links { type ipv4_addr . ipv4_addr . inet_proto . inet_service
    elements = { 172.20.0.2 . 172.20.0.3 . tcp . 80 } }
  set published { type ipv4_addr . inet_proto . inet_service; flags interval
    elements = { 172.20.0.2 . tcp . 80-90 } }
  set links6 { type ipv6_addr . ipv6_addr . inet_proto . inet_service
    elements = { 2001:db8:20::2 . 2001:db8:20::3 . tcp . 80 } }
  set hairpin { type ipv4_addr . ipv4_addr; elements = { 172.20.0.2 . 172.20.0.2 } }
  map publish { type inet_proto . inet_service : ipv4_addr . inet_service
    elements = { tcp . 8080 : 172.20.0.2 . 80 } }
  map trusted { type ifname : verdict; flags interval; elements = { "up*" : jump trusted_inbound } }
  chain trusted_inbound { ip daddr 10.20.0.2 tcp dport { 81, 8000-8100 } accept; }
  chain same_bridge { ip saddr . ip daddr . meta l4proto . th dport @links accept;
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
    ip6 saddr . ip6 daddr . meta l4proto . th dport @links6 accept
    drop
  }
  chain loopback { type filter hook prerouting priority raw; iifname != "lo" ip daddr 127.0.0.0/8 drop; }
  chain prerouting { type nat hook prerouting priority dstnat;
    fib daddr type local dnat ip to meta l4proto . th dport map @publish; }
  chain output { type nat hook output priority -100;
    fib daddr type local dnat ip to meta l4proto . th dport map @publish; }
  chain forward { type filter hook forward priority filter;
    ct state established,related accept
    oifname @bridges ct status dnat ip daddr . meta l4proto . th dport @published accept
    iifname . oifname vmap @icc
    iifname vmap @trusted
    meta nfproto . oifname vmap { ipv4 . "br0" : drop, ipv4 . "br1" : drop, ipv6 . "br0" : drop }
  }
  chain postrouting { type nat hook postrouting priority srcnat;
    oifname @bridges fib saddr type local masquerade
    ip saddr . ip daddr @hairpin masquerade
    iifname @bridges oifname != @bridges masquerade
  }
}
table bridge runtime {
  set ports { type ifname; elements = { "port-a", "port-b", "port-c" } }
  set senders { type ifname . ether_addr . ipv4_addr; }
  set senders6 { type ifname . ether_addr . ipv6_addr; }
  chain senders { type filter hook prerouting priority -250;
    iifname != @ports accept
    ether type ip6 iifname . ether saddr . ip6 saddr @senders6 accept
    ether type ip iifname . ether saddr . ip saddr @senders accept
    ether type arp iifname . ether saddr . arp saddr ip @senders accept
    drop
  }
}`

/** The ports that every machine answers on. */
export const PORTS = [80, 81, 8080] as const

export async function createTown(): Promise<Town> {
  const all = await testMachines(['host', 'outside', 'a', 'b', 'c'])
  const [host, outside, a, b, c] = all
  for (const [bridge, address, address6] of [
    ['br0', '172.20.0.1/24', '2001:db8:20::1/64'],
    ['br1', '10.20.0.1/24', '2001:db8:10::1/64'],
  ] as const) {
    await ip(
      host.namespace,
      'link',
      'add',
      bridge,
      'type',
      'bridge',
      'nf_call_iptables',
      '1',
      'nf_call_ip6tables',
      '1',
    )
    await ip(host.namespace, 'addr', 'add', address, 'dev', bridge)
    await ip(host.namespace, 'addr', 'add', address6, 'dev', bridge, 'nodad')
    await ip(host.namespace, 'link', 'set', bridge, 'up')
    await host.namespace.writeSysctl(`net/ipv4/conf/${bridge}/route_localnet`, '1')
  }
  const ends = [
    {
      machine: a,
      port: 'port-a',
      bridge: 'br0',
      address: '172.20.0.2/24',
      gateway: '172.20.0.1',
      prefix: '2001:db8:20::',
    },
    {
      machine: b,
      port: 'port-b',
      bridge: 'br0',
      address: '172.20.0.3/24',
      gateway: '172.20.0.1',
      prefix: '2001:db8:20::',
    },
    {
      machine: c,
      port: 'port-c',
      bridge: 'br1',
      address: '10.20.0.2/24',
      gateway: '10.20.0.1',
      prefix: '2001:db8:10::',
    },
  ]
  await nftFile(host.namespace, RULES)
  for (const { machine, port, bridge, address, gateway, prefix } of ends) {
    const routes = [gateway, `${prefix}1`].map((each) => ({ destination: 'default', gateway: each }))
    const number = address.split('/')[0]?.split('.')[3]
    const addresses = [address, `${prefix}${number}/64`]
    await connect(
      { machine: host, interface: port },
      { machine, interface: 'eth0', address: addresses, routes },
    )
    await ip(host.namespace, 'link', 'set', port, 'master', bridge)
    await bridgeTool(host.namespace, 'link', 'set', 'dev', port, 'hairpin', 'on')
    const mac = await macOf(machine)
    await nftFile(
      host.namespace,
      `add element bridge runtime senders { "${port}" . ${mac} . ${address.split('/')[0]} }
      add element bridge runtime senders6 { "${port}" . ${mac} . ${prefix}${number} }`,
    )
  }
  for (const bridge of ['br0', 'br1']) await untilRunning(host, bridge)
  await connectOutside(host, outside, ['172.20.0.0/24', '10.20.0.0/24'])
  await addAddress(host, 'uplink', '2001:db8:ff::1/64')
  await addAddress(outside, 'uplink', '2001:db8:ff::2/64')
  await addRoute(host, { destination: 'default', gateway: '2001:db8:ff::2' })
  await addRoute(outside, { destination: '2001:db8::/32', gateway: '2001:db8:ff::1' })
  await host.namespace.writeSysctl('net/ipv6/conf/all/forwarding', '1')
  await host.namespace.writeSysctl('net/ipv4/ip_forward', '1')
  for (const machine of all) for (const port of PORTS) await machine.serveTcp(port, { address: '::' })
  for (const machine of all) await machine.serveUdp(80, { address: '::' })
  return { host, outside, a, b, c, all }
}

async function macOf({ namespace }: Machine): Promise<string> {
  const found = /link\/ether (\S+)/.exec(await ip(namespace, 'link', 'show', 'eth0'))?.[1]
  if (found === undefined) throw new Error('eth0 has a MAC address')
  return found
}

/** The states of a town as they are now, read from its kernels. */
export async function readWorld(
  town: Pick<Town, 'host'>,
  machines: readonly Machine[],
): Promise<{ world: World; states: Map<string, NamespaceState> }> {
  const states = new Map<string, NamespaceState>()
  for (const machine of new Set([town.host, ...machines])) {
    const reader = await StateReader.open(machine.name, machine.namespace)
    cleanUp(() => reader.close())
    states.set(machine.name, await reader.read())
  }
  const host = states.get(town.host.name)
  if (!host) throw new Error('a host')
  const others = [...states.values()].filter((state) => state !== host)
  return {
    world: { host, machines: async () => others, isOwn: ({ table }) => table === 'runtime' },
    states,
  }
}

/** One disagreement between the evaluator and the packets. */
export interface Wrong {
  readonly probe: string
  readonly said: string
  readonly happened: string
}

export interface Probe {
  readonly from: Machine
  readonly to: string
  readonly port: number
  readonly protocol?: 'tcp' | 'udp' | 'sctp'
  /** Default: the sender's kernel chooses it. */
  readonly sourcePort?: number
}

/** Asks the evaluator and sends the packets; what they disagree on. */
export async function compare(
  town: Town,
  probes: readonly Probe[],
): Promise<{ wrong: Wrong[]; reached: number; explanations: Explanation[] }> {
  // What an address resolved to before is no part of the question.
  for (const { namespace } of town.all) await ip(namespace, 'neigh', 'flush', 'all')
  const { world, states } = await readWorld(town, town.all)
  const explanations: Explanation[] = []
  const wrong: Wrong[] = []
  let reached = 0
  await Promise.all(
    probes.map(async ({ from, to, port, protocol = 'tcp', sourcePort }) => {
      const state = from === town.outside ? undefined : states.get(from.name)
      const sender: Sender = state
        ? { kind: 'namespace', state }
        : { kind: 'outside', address: to.includes(':') ? '2001:db8:ff::2' : '203.0.113.2' }
      const given = sourcePort === undefined ? {} : { sourcePort }
      const question: PathQuestion = { from: sender, to, protocol, port, ...given }
      const explanation = await explainPath(world, question)
      const options = {
        timeoutMs: answerLimit(explanation.reached === true),
        ...(sourcePort !== undefined && { localPort: sourcePort }),
      }
      const probe = { tcp: from.probeTcp, udp: from.probeUdp, sctp: from.probeSctp }[protocol]
      const outcome = await probe.call(from, to, port, options)
      explanations.push(explanation)
      if (outcome.outcome === 'reached') reached++
      const said =
        explanation.reached === true
          ? `reached ${explanation.target?.namespace} from ${explanation.seen}`
          : explanation.reached === false
            ? 'not reached'
            : 'unknown'
      const happened =
        outcome.outcome === 'reached' ? `reached ${outcome.server} from ${outcome.seen}` : 'not reached'
      if (said !== happened)
        wrong.push({
          probe: `${from.name} to ${protocol} ${to} ${port}`,
          said: `${said}: ${explanation.because}`,
          happened: `${happened}: ${JSON.stringify(outcome)}`,
        })
    }),
  )
  return { wrong, reached, explanations }
}

/** Every sender to every address on every port; the outside only to what it can route. */
export function everyPair(town: Town): Probe[] {
  const targets = [
    '172.20.0.2',
    '172.20.0.3',
    '10.20.0.2',
    '172.20.0.1',
    '10.20.0.1',
    '203.0.113.1',
    '203.0.113.2',
    '127.0.0.1',
    '172.20.0.9',
  ]
  return town.all.flatMap((from) =>
    targets.flatMap((to) => {
      // Within itself, the outside machine is none of the host's business.
      if (from === town.outside && (to === '203.0.113.2' || to === '127.0.0.1')) return []
      const tcp = PORTS.map((port): Probe => ({ from, to, port }))
      // A UDP server on a wildcard address answers from the one that its route prefers, whichever of several was asked.
      return to.endsWith('.2') || to.endsWith('.3')
        ? [...tcp, { from, to, port: 80, protocol: 'udp' as const }]
        : tcp
    }),
  )
}

/** The same by IPv6. */
export function everyPair6(town: Town): Probe[] {
  const targets = ['20::2', '20::3', '10::2', '20::1', '10::1', 'ff::1', 'ff::2', '20::9']
  return town.all.flatMap((from) =>
    targets
      .filter((to) => from !== town.outside || to !== 'ff::2')
      .flatMap((to) => PORTS.map((port) => ({ from, to: `2001:db8:${to}`, port }))),
  )
}

/** Fails unless all agree, and unless some of the probes got through. */
export async function expectAgreement(
  town: Town,
  probes: readonly Probe[] = everyPair(town),
): Promise<Explanation[]> {
  const { wrong, reached, explanations } = await compare(town, probes)
  expect(wrong).toEqual([])
  expect(reached).toBeGreaterThan(0)
  return explanations
}

/** What the evaluator says of one connection now. */
export async function explain(town: Town, from: Machine, to: string, port: number): Promise<Explanation> {
  const { world, states } = await readWorld(town, town.all)
  const state = from === town.outside ? undefined : states.get(from.name)
  return explainPath(world, {
    from: state
      ? { kind: 'namespace', state }
      : { kind: 'outside', address: to.includes(':') ? '2001:db8:ff::2' : '203.0.113.2' },
    to,
    protocol: 'tcp',
    port,
  })
}
