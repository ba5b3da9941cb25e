/** The machines of a scenario, wired and serving, and the hosts that nfbridge looks after. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BridgeHost, type HostOptions } from 'nfbridge'
import { Nft, type RulesetObject } from 'nfbridge/nft'
import { applyInNamespace } from 'nfbridge/rtnl'
import type { Machine } from '../lab/machine.js'
import type { MachinePool } from '../lab/pool.js'
import {
  addAddress,
  connectBy,
  type DocumentedNetwork,
  hostsNetwork,
  outsideNetwork,
  sideNetwork,
} from '../lab/wiring.js'
import { containerEndpoints } from './facts.js'
import { snapshot } from './leftovers.js'
import { type ContainerSetup, defaultPorts, type HostSetup, type Scenario } from './scenario.js'
import { BridgeNetfilterSettings, type Variant } from './variant.js'

/** A new namespace has the settings of the machine that the tests run on. */
const forwardingOff = { 'net.ipv4.ip_forward': '0', 'net.ipv6.conf.all.forwarding': '0' }
/**
 * The kernel limits how many ICMP errors it sends to one address, and a redirect uses that limit up, which it makes for each packet by which
 * a container reaches a neighbour at a published port. A refusal that is not sent for that would be taken for silence.
 */
const errorsUnlimited = { 'net.ipv4.icmp_ratelimit': '0', 'net.ipv6.icmp.ratelimit': '0' }
/** Whatever is a container's, seen from outside. */
const containerSubnets = ['172.16.0.0/12', '10.0.0.0/8', '192.168.0.0/16', 'fd00::/8']

/** A machine that is a host. */
export type HostMachine = 'host' | 'host2'
/** `beside` is the second in the namespace of `host`. */
export type HostName = HostMachine | 'beside'

/** A host with its containers, while the scenario runs. */
export interface HostPlace {
  readonly name: HostName
  readonly at: HostMachine
  readonly setup: HostSetup
  readonly machine: Machine
  /** State directory; kept for the whole scenario. */
  readonly state: string
  bridgeHost: BridgeHost
}

export class World {
  readonly scenario: Scenario
  readonly ipv6: boolean
  readonly variant: Variant
  readonly hosts = new Map<HostName, HostPlace>()
  readonly #machines = new Map<string, Machine>()
  readonly #folders: string[] = []
  readonly #before = new Map<HostMachine, readonly string[]>()
  readonly #bridgeNetfilter: BridgeNetfilterSettings[] = []

  private constructor(scenario: Scenario, variant: Variant) {
    this.scenario = scenario
    this.variant = variant
    this.ipv6 = scenario.ipv6 ?? allNetworks(scenario).some(({ ipv6 }) => ipv6 === true)
  }

  /** Machines, cables, servers, then networks and containers by nfbridge. */
  static async build(scenario: Scenario, pool: MachinePool, variant: Variant = {}): Promise<World> {
    const world = new World(scenario, variant)
    try {
      const machines = await pool.createAll(machineNames(scenario))
      for (const machine of machines) world.#machines.set(machine.name, machine)
      await world.#wire()
      await Promise.all(machines.map((machine) => world.#serve(machine)))
      await world.#prepare('host', scenario)
      await world.#open('host', 'host', scenario)
      if (scenario.beside) await world.#open('beside', 'host', scenario.beside)
      if (scenario.second) {
        await world.#prepare('host2', scenario.second)
        await world.#open('host2', 'host2', scenario.second)
      }
      return world
    } catch (error) {
      await world.close()
      throw error
    }
  }

  machine(name: string): Machine {
    const found = this.#machines.get(name)
    if (!found) throw new Error(`${this.scenario.name}: there is no machine ${name}`)
    return found
  }

  /** Ends a machine before its time. */
  async kill(name: string): Promise<void> {
    const machine = this.machine(name)
    this.#machines.delete(name)
    await machine.close()
  }

  get machines(): Machine[] {
    return [...this.#machines.values()]
  }

  host(name: HostName = 'host'): HostPlace {
    const found = this.hosts.get(name)
    if (!found) throw new Error(`${this.scenario.name}: there is no host ${name}`)
    return found
  }

  /** The container that has an address; undefined when none has. */
  containerAt(address: string): string | undefined {
    for (const { bridgeHost, setup } of this.hosts.values())
      for (const name of Object.keys(setup.containers ?? {}))
        if (containerEndpoints(bridgeHost, name).some(({ addresses }) => addresses.includes(address)))
          return name
    return undefined
  }

  /** Who outside has an address; undefined when nobody has. */
  outsideAt(address: string): string | undefined {
    const has = (network: DocumentedNetwork): boolean =>
      network.outsideAddress === address || network.outsideAddress6 === address
    if (has(outsideNetwork)) return 'outside'
    return has(sideNetwork) ? 'side' : undefined
  }

  /** What was in a host's namespace before anything of ours was. */
  before(name: HostMachine): readonly string[] {
    return this.#before.get(name) ?? []
  }

  /** Something of a host's namespace changes that is none of ours. */
  async byOthers(name: HostMachine, change: () => Promise<void>): Promise<void> {
    const { namespace } = this.machine(name)
    const before = await snapshot(namespace)
    await change()
    const added = (await snapshot(namespace)).filter((line) => !before.includes(line))
    this.#before.set(name, [...this.before(name), ...added])
  }

  /** Whether frames of bridges meet the rules of IP changes on every host, where the variant has it change. */
  async change(): Promise<void> {
    if (this.variant.changing) await Promise.all(this.#bridgeNetfilter.map((each) => each.flip()))
  }

  /** The end of all such changes: as it was before. */
  async settle(): Promise<void> {
    if (this.variant.changing) await Promise.all(this.#bridgeNetfilter.map((each) => each.restore()))
  }

  /** The host of a container's setup. */
  hostOf(container: string): HostPlace {
    for (const place of this.hosts.values()) if (place.setup.containers?.[container]) return place
    return this.host()
  }

  /** Opens a host (again) in its machine. */
  openHost(
    machine: Machine,
    setup: HostSetup,
    state: string,
    options: HostOptions = {},
  ): Promise<BridgeHost> {
    return BridgeHost.open({ ...setup.options, ...options, netns: machine.namespace, state })
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.hosts.values()].map(({ bridgeHost }) => bridgeHost.close()))
    await Promise.all(this.machines.map((machine) => machine.close()))
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true })
  }

  async #wire(): Promise<void> {
    const { ipv6, scenario } = this
    const host = this.machine('host')
    // The host answers by each of its addresses, and forwards what it is to.
    const behindHost = (own: DocumentedNetwork): string[] => [
      ...containerSubnets,
      ...[outsideNetwork, sideNetwork, hostsNetwork].flatMap((each) => (each === own ? [] : subnetsOf(each))),
    ]
    for (const { name, namespace } of this.machines) {
      if (name !== 'outside' && name !== 'side') continue
      for (const [key, value] of Object.entries(forwardingOff)) await namespace.writeSysctl(key, value)
    }
    const cables = [
      connectBy(outsideNetwork, host, this.machine('outside'), {
        ipv6,
        hostRoutes: ['default'],
        otherRoutes: behindHost(outsideNetwork),
      }),
    ]
    if (scenario.side)
      cables.push(
        connectBy(sideNetwork, host, this.machine('side'), { ipv6, otherRoutes: behindHost(sideNetwork) }),
      )
    if (scenario.second) cables.push(connectBy(hostsNetwork, host, this.machine('host2'), { ipv6 }))
    await Promise.all(cables)
    if (scenario.uplinkMtu !== undefined) await setMtu(host, outsideNetwork.link, scenario.uplinkMtu)
    for (const address of scenario.addresses ?? []) await addAddress(host, outsideNetwork.link, address)
  }

  async #serve(machine: Machine): Promise<void> {
    for (const [key, value] of Object.entries(errorsUnlimited))
      await machine.namespace.writeSysctl(key, value)
    const isHost = machine.name === 'host' || machine.name === 'host2'
    if (isHost) await machine.serveTcp(9000, { address: '::' })
    else for (const port of this.scenario.ports ?? defaultPorts) await servePort(machine, port)
    await machine.listenForPings()
  }

  /** What is there before anything of ours is. */
  async #prepare(name: HostMachine, setup: HostSetup): Promise<void> {
    const machine = this.machine(name)
    for (const [key, value] of Object.entries({ ...forwardingOff, ...setup.sysctls })) {
      await machine.namespace.writeSysctl(key, value)
    }
    const bridgeNetfilter = new BridgeNetfilterSettings(machine.namespace)
    await bridgeNetfilter.prepare(this.variant)
    this.#bridgeNetfilter.push(bridgeNetfilter)
    if (setup.foreign) await addObjects(machine, setup.foreign)
    for (const bridge of setup.bridges ?? []) await addBridge(machine, bridge)
    this.#before.set(name, await snapshot(machine.namespace))
  }

  async #open(name: HostName, at: HostMachine, setup: HostSetup): Promise<void> {
    const machine = this.machine(at)
    const state = mkdtempSync(join(tmpdir(), 'nfbridge-scenario-'))
    this.#folders.push(state)
    const bridgeHost = await this.openHost(machine, setup, state)
    this.hosts.set(name, { name, at, setup, machine, state, bridgeHost })
    if (this.variant.userRule) await countAll(bridgeHost, setup)
    for (const network of setup.networks ?? []) await bridgeHost.createNetwork(network)
    for (const peer of setup.peers ?? []) await bridgeHost.addPeer(peer)
    for (const [container, options] of Object.entries(setup.containers ?? {})) {
      if (!options.later) await this.attach(container, options)
    }
  }

  /** Attaches a container to its networks: the first by `attach`, the others by `connect`. */
  async attach(container: string, setup: ContainerSetup): Promise<void> {
    const { bridgeHost, setup: hostSetup } = this.hostOf(container)
    const { on = hostSetup.networks?.[0]?.name ?? 'docker0', endpoints = {}, later: _, ...options } = setup
    const [first = '', ...others] = [on].flat()
    const network = bridgeHost.network(first)
    if (!network) throw new Error(`${this.scenario.name}: ${container} is on ${first}, which is not there`)
    const netns = this.machine(container).namespace.path()
    const attached = await network.attach({ ...options, ...endpoints[first], name: container, netns })
    for (const other of others) await attached.connect(other, { ...endpoints[other], netns })
  }
}

/** A rule of the users that concerns whatever passes, and lets it: traffic within a network meets connection tracking for it. */
async function countAll({ userRules }: BridgeHost, { options }: HostSetup): Promise<void> {
  if (options?.firewall !== false) await userRules.forward.insert(0, [{ counter: null }])
}

/** Adds objects of nf_tables in a machine, as somebody else's program. */
export async function addObjects(machine: Machine, objects: readonly RulesetObject[]): Promise<void> {
  using nft = await Nft.open({ netns: machine.namespace })
  const transaction = nft.transaction()
  for (const object of objects) transaction.add(object)
  await transaction.commit()
}

/** `198.51.100.0/24` and `2001:db8:198::/64`. */
function subnetsOf({ hostAddress, prefixLength, hostAddress6, prefixLength6 }: DocumentedNetwork): string[] {
  return [
    `${hostAddress.replace(/\d+$/, '0')}/${prefixLength}`,
    `${hostAddress6.replace(/1$/, '')}/${prefixLength6}`,
  ]
}

async function setMtu({ namespace }: Machine, device: string, mtu: number): Promise<void> {
  await applyInNamespace(namespace, [{ kind: 'link', action: 'change', link: { device, mtu } }])
}

async function addBridge({ namespace }: Machine, name: string): Promise<void> {
  await applyInNamespace(namespace, [{ kind: 'link', action: 'create', link: { kind: 'bridge', name } }])
}

async function servePort(machine: Machine, port: string): Promise<void> {
  const [number, protocol] = port.split('/')
  if (protocol === 'tcp') await machine.serveTcp(Number(number), { address: '::' })
  else if (protocol === 'udp') await machine.serveUdp(Number(number), { address: '::' })
  else if (protocol === 'sctp') await machine.serveSctp(Number(number))
}

/** Every machine that a scenario has at some time. */
export function machineNames(scenario: Scenario): string[] {
  return [
    'host',
    'outside',
    ...(scenario.side ? ['side'] : []),
    ...Object.keys(scenario.containers ?? {}),
    ...Object.keys(scenario.beside?.containers ?? {}),
    ...(scenario.second ? ['host2', ...Object.keys(scenario.second.containers ?? {})] : []),
  ]
}

function allNetworks(scenario: Scenario) {
  const later = scenario.stages.flatMap(({ steps = [] }) =>
    steps.flatMap((step) => (step.do === 'createNetwork' ? [step.network] : [])),
  )
  const { networks = [], beside, second } = scenario
  return [...networks, ...(beside?.networks ?? []), ...(second?.networks ?? []), ...later]
}
