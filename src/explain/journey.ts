/**
 * The way of a packet from one namespace through the host to another: out of the sender, over a bridge or by routes, and
 * in. Each hook on it is evaluated with the rules that are there.
 */
import type { Hook } from '../nft/index.js'
import type { Link, RouteFound } from '../rtnl/index.js'
import type { AddedKeys } from './added-keys.js'
import { type JourneyStep, stoppedAt } from './answer.js'
import {
  BRIDGE_NETFILTER,
  isFiltered,
  isOwnMac,
  neighbourOn,
  nextHopOn,
  portOf,
  requireForwarding,
  requireKnownMac,
  requireOwnMac,
  requirePassable,
  toldMac,
} from './bridge-ports.js'
import type { HookQuestion, HookResult } from './evaluate.js'
import {
  type Attachment,
  type LinkEnd,
  linkPasses,
  type Neighbour,
  neighbourPasses,
} from './neighbour-question.js'
import {
  misled,
  noOtherEnd,
  noSuchAddress,
  refusedRoute,
  requireForwardingOf,
  requireRunning,
} from './obstacles.js'
import type { Packet, PacketConnection } from './packet.js'
import {
  bare,
  crossing,
  type Draft,
  deviceOf,
  endOf,
  isKnownFor,
  markOf,
  ownEnd,
  routeOut,
  targetOf,
} from './stage.js'
import { hasAddress, linkByIndex, type NamespaceState } from './state.js'
import type { Allowance, Arrival, World } from './world.js'

export class Journey {
  readonly steps: JourneyStep[] = []
  /** The last rule or policy at `forward` or `input` that let the packet pass, and where. */
  allowed: Allowance | undefined
  readonly #world: World
  readonly #direction: 'original' | 'reply'
  /** What each namespace knows of the connection, from the way there. */
  readonly #connections: Map<NamespaceState, PacketConnection[]>
  /** The bridge on which somebody outside finds whom it asks for by itself. */
  #staysOn: Link | undefined
  /** What the rules of each namespace put into sets. */
  readonly #added: Map<NamespaceState, AddedKeys>

  constructor(
    world: World,
    direction: 'original' | 'reply' = 'original',
    connections: Map<NamespaceState, PacketConnection[]> = new Map(),
    added: Map<NamespaceState, AddedKeys> = new Map(),
  ) {
    this.#world = world
    this.#direction = direction
    this.#connections = connections
    this.#added = added
  }

  /** The way of the answers, which meets what connections and sets remember of this way. */
  back(): Journey {
    return new Journey(this.#world, 'reply', this.#connections, this.#added)
  }

  /** What a namespace sends itself. @throws Stopped */
  async send(state: NamespaceState, draft: Draft): Promise<Arrival> {
    let route = await routeOut(state, draft)
    const source = draft.source ?? route.source?.toString()
    if (source === undefined)
      throw noSuchAddress(state.name, draft.destination, `${state.name}, which sends to it, nowhere`)
    this.#say(state, `${state.name} sends from ${source} to ${targetOf(draft)}`)
    let packet = this.#enter(state, { ...draft, source, ...deviceOf(state, route) })
    const before = packet
    packet = this.#ip(state, 'output', packet)
    if (packet.destination !== before.destination || packet.mark !== before.mark) {
      route = await routeOut(state, packet)
      packet = { ...packet, ...deviceOf(state, route) }
    }
    packet = this.#ip(state, 'postrouting', packet)
    if (route.type === 'local') {
      const { outputDevice: lo, ...looped } = packet
      packet = this.#ip(state, 'prerouting', { ...looped, ...(lo && { inputDevice: lo }) })
      return this.#deliver(state, packet)
    }
    return this.#transmit(state, route, packet)
  }

  /** What comes to the host from outside by a link. @throws Stopped */
  async receiveFromOutside(device: Link, packet: Packet): Promise<Arrival> {
    const { host } = this.#world
    requireRunning(host, device)
    this.#say(host, `${packet.source} sends to ${targetOf(packet)} by ${device.name} of ${host.name}`)
    // It finds the host by the address that the host has on the link, which need not be the one that it asks for.
    const asked = ownEnd(host, device, packet.source, packet)
    if (device.kind !== 'bridge') this.#askOnLink({ address: packet.source }, asked)
    else if ((await nextHopOn(host, device, packet)) === packet.destination) this.#staysOn = device
    return this.#receive(host, device, packet)
  }

  /** Ethernet behind a link of the host's: a bridge's port, or a link of its own. */
  async #arriveAtPort(
    { machine, device, port }: Attachment,
    nextHop: string,
    packet: Packet,
  ): Promise<Arrival> {
    const { host } = this.#world
    requireRunning(host, port)
    const framed: Packet = { ...packet, ...(device.mac && { etherSource: device.mac.toString() }) }
    const bridge = linkByIndex(host, port.master)
    if (bridge?.kind !== 'bridge') {
      if (!hasAddress(host, nextHop))
        throw noSuchAddress(host.name, nextHop, `nobody behind ${device.name} of ${machine.name}`)
      const asker = ownEnd(machine, device, nextHop, packet)
      this.#askOnLink(asker, { address: nextHop, state: host, device: port })
      return this.#receive(host, port, framed)
    }
    requireRunning(host, bridge)
    this.#ingress(host, port, framed)
    requireForwarding(host, port)
    const told = toldMac(machine, device, nextHop)
    // Who takes the bridge to be its neighbour has the host route to it.
    const neighbour = isOwnMac(host, bridge, told)
      ? undefined
      : await this.#resolve(bridge, { machine, device, port }, nextHop, framed)
    return this.#bridgeIn(bridge, port, neighbour, framed, (translated) => {
      // What br_netfilter translated goes to the address of whom it is for now (br_nf_pre_routing_finish).
      if (translated) return
      if (neighbour) requireKnownMac(host, bridge, neighbour, told)
      else requireOwnMac(host, bridge, told, machine.name)
    })
  }

  /** Who answers for an address on a bridge: another of its ports, or the host (undefined). */
  async #resolve(
    bridge: Link,
    from: Attachment,
    nextHop: string,
    packet: Packet,
  ): Promise<Attachment | undefined> {
    const found = hasAddress(this.#world.host, nextHop)
      ? undefined
      : await neighbourOn(this.#world, bridge, nextHop)
    const asked = { address: nextHop, ...(found && { attachment: found }) }
    await this.#ask(bridge, { address: packet.source, attachment: from }, asked, packet)
    return found
  }

  /** ARP or neighbour discovery, both ways. */
  async #ask(bridge: Link, asker: Neighbour, asked: Neighbour, packet: Packet): Promise<void> {
    const { host } = this.#world
    const known = asker.attachment ? endOf(asker) : { address: asker.address, state: host, device: bridge }
    if (isKnownFor(known, asked)) return
    const filtered = await isFiltered(host, bridge, packet)
    for (const { state, layer, hook, packet: message } of neighbourPasses(
      { host, bridge, filtered },
      asker,
      asked,
    ))
      this.#run(state, { layer, hook }, message, `the question for the address ${asked.address}`)
  }

  /** The same on a link that is no bridge's. */
  #askOnLink(asker: LinkEnd, asked: LinkEnd): void {
    if (isKnownFor(asker, asked)) return
    for (const { state, layer, hook, packet } of linkPasses(asker, asked))
      this.#run(state, { layer, hook }, packet, `the question for the address ${asked.address}`)
  }

  /**
   * The bridge takes a frame in: its own hooks, those of IP where br_netfilter is on, and the decision where it goes.
   * @param addressed fails where the frame goes to a MAC address that is nobody's
   */
  async #bridgeIn(
    bridge: Link,
    port: Link,
    neighbour: Attachment | undefined,
    framed: Packet,
    addressed: (translated: boolean) => void,
  ): Promise<Arrival> {
    const { host } = this.#world
    const mac = (neighbour ? neighbour.device : bridge).mac?.toString()
    const asFrame = (packet: Packet): Packet => ({ ...packet, inputDevice: port, inputBridge: bridge })
    let packet: Packet = { ...framed, ...(mac !== undefined && { etherDestination: mac }) }
    const prerouting = { layer: 'bridge', hook: 'prerouting' } as const
    packet = {
      ...this.#run(host, { ...prerouting, below: BRIDGE_NETFILTER.prerouting }, asFrame(packet)).packet,
    }
    const filtered = await isFiltered(host, bridge, packet)
    let translated = false
    if (filtered) {
      const before = packet.destination
      packet = this.#ip(host, 'prerouting', this.#enter(host, { ...packet, inputDevice: bridge }))
      translated = packet.destination !== before
    }
    packet = this.#run(host, { ...prerouting, from: BRIDGE_NETFILTER.prerouting }, asFrame(packet)).packet
    if (translated) {
      const nextHop = await nextHopOn(host, bridge, packet)
      if (nextHop !== undefined) {
        const found = await neighbourOn(this.#world, bridge, nextHop)
        requireKnownMac(host, bridge, found, toldMac(host, bridge, nextHop))
        const { mac } = found.device
        return this.#bridged(
          bridge,
          port,
          found,
          {
            ...packet,
            ...(mac && { etherDestination: mac.toString() }),
            ...(neighbour === undefined && { isForHost: true }),
          },
          true,
        )
      }
    } else if (neighbour) {
      addressed(translated)
      return this.#bridged(bridge, port, neighbour, packet, filtered)
    }
    addressed(translated)
    packet = this.#run(host, { layer: 'bridge', hook: 'input' }, asFrame(packet)).packet
    if (!filtered) return this.#receive(host, bridge, packet)
    this.#ingress(host, bridge, packet)
    return this.#route(host, bridge, packet)
  }

  /** From one port to another. */
  async #bridged(
    bridge: Link,
    from: Link,
    { machine, device, port }: Attachment,
    framed: Packet,
    filtered: boolean,
  ): Promise<Arrival> {
    const { host } = this.#world
    requireForwarding(host, port)
    requirePassable(host, bridge, from, port)
    this.#say(host, `${bridge.name} passes it from ${from.name} to ${port.name}`)
    const devices = { inputDevice: from, inputBridge: bridge, outputDevice: port, outputBridge: bridge }
    const asFrame = (packet: Packet): Packet => ({ ...packet, ...devices })
    const forward = { layer: 'bridge', hook: 'forward' } as const
    let packet = this.#run(host, { ...forward, below: BRIDGE_NETFILTER.forward }, asFrame(framed)).packet
    if (filtered) packet = this.#ip(host, 'forward', { ...packet, inputDevice: bridge, outputDevice: bridge })
    packet = this.#run(host, { ...forward, from: BRIDGE_NETFILTER.forward }, asFrame(packet)).packet
    packet = this.#run(host, { layer: 'bridge', hook: 'postrouting' }, asFrame(packet)).packet
    if (filtered) {
      const { inputDevice: _, ...leaving } = packet
      packet = this.#ip(host, 'postrouting', { ...leaving, outputDevice: bridge })
      this.#leave(host, packet)
    }
    requireRunning(host, port)
    return this.#receive(machine, device, crossing(packet))
  }

  /** IP takes a packet in. */
  async #receive(state: NamespaceState, device: Link, packet: Packet): Promise<Arrival> {
    requireRunning(state, device)
    this.#ingress(state, device, packet)
    const entered = this.#enter(state, { ...bare(packet), inputDevice: device })
    return this.#route(state, device, this.#ip(state, 'prerouting', entered))
  }

  /** The routing decision about a packet that came in. */
  async #route(state: NamespaceState, device: Link, arrived: Packet): Promise<Arrival> {
    const packet: Packet = { ...bare(arrived), inputDevice: device }
    const decision = await state.lookup({
      destination: packet.destination,
      source: packet.source,
      inputDevice: device.index,
      ...markOf(packet),
    })
    if (!decision.reachable) {
      if (state !== this.#world.host && !hasAddress(state, packet.destination))
        throw noSuchAddress(state.name, packet.destination, `${state.name}, to which it comes, no longer`)
      throw await refusedRoute(state, packet, device, decision)
    }
    if (decision.type === 'local') return this.#deliver(state, packet)
    if (state !== this.#world.host)
      throw noSuchAddress(state.name, packet.destination, `${state.name}, to which it comes, no longer`)
    await requireForwardingOf(state, packet)
    const out = deviceOf(state, decision)
    this.#say(
      state,
      `${state.name} forwards it from ${device.name} to ${out.outputDevice?.name ?? 'nowhere'}`,
    )
    const forwarded = this.#ip(state, 'forward', { ...packet, ...out })
    const { inputDevice: _, ...bridged } = forwarded
    const leaving = this.#staysOn?.index === device.index ? bridged : forwarded
    return this.#transmit(state, decision, this.#ip(state, 'postrouting', leaving))
  }

  #deliver(state: NamespaceState, packet: Packet): Arrival {
    const { outputDevice: _, ...arrived } = packet
    const delivered = this.#ip(state, 'input', arrived)
    this.#say(state, `${state.name} takes it at ${targetOf(delivered)}, from ${delivered.source}`)
    this.#leave(state, delivered)
    return { at: state, packet: delivered }
  }

  /** IP hands a packet to a link. */
  async #transmit(state: NamespaceState, route: RouteFound, packet: Packet): Promise<Arrival> {
    const { host } = this.#world
    const device = linkByIndex(state, route.device)
    if (device === undefined) throw noSuchAddress(state.name, packet.destination, `no link of ${state.name}`)
    requireRunning(state, device)
    this.#leave(state, packet)
    const nextHop = (route.gateway ?? packet.destination).toString()
    this.#run(state, { layer: 'netdev', hook: 'egress', device: device.name }, packet)
    if (state !== host) {
      const port = portOf(this.#world.host, device)
      if (port) return this.#arriveAtPort({ machine: state, device, port }, nextHop, crossing(packet))
      throw noOtherEnd(state, device, host)
    }
    if (device.kind === 'bridge') return this.#bridgeOut(device, nextHop, packet)
    for (const machine of await this.#world.machines(nextHop)) {
      const end = machine.links.find((link) => portOf(this.#world.host, link)?.index === device.index)
      if (!end || !hasAddress(machine, nextHop)) continue
      this.#askOnLink(ownEnd(host, device, nextHop, packet), {
        address: nextHop,
        state: machine,
        device: end,
      })
      return this.#receive(machine, end, crossing(packet))
    }
    for (const machine of await this.#world.machines(packet.destination))
      if (hasAddress(machine, packet.destination)) throw misled(host, machine, packet, device)
    this.#askOnLink(ownEnd(host, device, nextHop, packet), { address: nextHop })
    this.#say(host, `it leaves ${host.name} by ${device.name}`)
    return { at: 'outside', packet, by: device }
  }

  /** What the host itself sends by a bridge. */
  async #bridgeOut(bridge: Link, nextHop: string, packet: Packet): Promise<Arrival> {
    const { host } = this.#world
    const { machine, device, port } = await neighbourOn(this.#world, bridge, nextHop)
    const family = packet.family === 'ip6' ? 'ip6' : 'ip'
    const own = host.evaluator.environment.deviceAddress(bridge, family, nextHop) ?? packet.source
    await this.#ask(
      bridge,
      { address: own },
      { address: nextHop, attachment: { machine, device, port } },
      packet,
    )
    requireForwarding(host, port)
    requireKnownMac(host, bridge, { machine, device, port }, toldMac(host, bridge, nextHop))
    const frame: Packet = {
      ...bare(packet),
      outputDevice: port,
      outputBridge: bridge,
      ...(bridge.mac && { etherSource: bridge.mac.toString() }),
      ...(device.mac && { etherDestination: device.mac.toString() }),
    }
    const sent = this.#run(host, { layer: 'bridge', hook: 'output' }, frame).packet
    const out = this.#run(host, { layer: 'bridge', hook: 'postrouting' }, sent).packet
    requireRunning(host, port)
    return this.#receive(machine, device, crossing(out))
  }

  /** A packet that comes in, with what connection tracking of the namespace remembers. */
  #enter(state: NamespaceState, packet: Packet): Packet {
    const { connection, remembered: _, zone: __, ...fresh } = packet
    // A rule of the bridge took it out of connection tracking.
    if (connection?.state === 'untracked') return { ...fresh, connection }
    // Who talks to itself by way of another has two of them.
    const remembered = this.#direction === 'reply' ? this.#connections.get(state) : undefined
    return { ...fresh, ...(remembered && { remembered }) }
  }

  #leave(state: NamespaceState, { connection }: Packet): void {
    if (connection && connection.state !== 'untracked' && this.#direction === 'original')
      this.#connections.set(state, [...(this.#connections.get(state) ?? []), connection])
  }

  /** A device takes a frame in, before everything else. */
  #ingress(state: NamespaceState, device: Link, packet: Packet): void {
    this.#run(
      state,
      { layer: 'netdev', hook: 'ingress', device: device.name },
      { ...packet, inputDevice: device },
    )
  }

  /** A hook of IP. */
  #ip(state: NamespaceState, hook: Hook, packet: Packet): Packet {
    return this.#run(state, { layer: packet.family === 'ip6' ? 'ip6' : 'ip', hook }, packet).packet
  }

  /** @throws Stopped when the packet does not pass */
  #run(state: NamespaceState, question: HookQuestion, packet: Packet, what = 'it'): HookResult {
    const added = this.#added.get(state)
    const result = state.evaluator.hook({ ...question, ...(added && { added }) }, packet)
    this.#added.set(state, result.added)
    const { hook, layer } = question
    if (result.steps.length > 0) {
      const text = `${layer} ${hook} of ${state.name}: ${result.verdict} for ${what}`
      this.steps.push({ namespace: state.name, direction: this.#direction, text, rules: result.steps })
    }
    if (result.verdict !== 'accept') {
      const isOwn = this.#world.isOwn
      throw stoppedAt(state.name, hook, result, isOwn && ((step) => isOwn(step)), what, result.packet)
    }
    // What let the question pass does not decide about the packet.
    if (
      result.decisive &&
      what === 'it' &&
      (hook === 'forward' || hook === 'input' || this.allowed === undefined)
    )
      this.allowed = { namespace: state.name, hook, step: result.decisive, packet: result.packet }
    return result
  }

  #say({ name: namespace }: NamespaceState, text: string): void {
    this.steps.push({ namespace, direction: this.#direction, text })
  }
}
