import { setTimeout } from 'node:timers/promises'
import type { IPAddress, IPv6Address, MacAddress } from '../../address/index.js'
import { Conntrack, type ConntrackEntry } from '../../conntrack/index.js'
import { NfbridgeError } from '../../errors.js'
import { announce, Namespace, type NamespaceSource, withNamespaceLock } from '../../netns/index.js'
import { Nft, type Ruleset, type Transaction } from '../../nft/index.js'
import {
  type Address,
  applyInNamespace,
  type Device,
  type Link,
  type Neighbour,
  type Qdisc,
  type Route,
  type RouteDecision,
  type RouteLookup,
  type RouteType,
  type RoutingRule,
  Rtnl,
  type RtnlOperation,
} from '../../rtnl/index.js'
import { defaultConnections } from '../plan/connections.js'
import type { ElementChange, SetElement } from '../plan/elements.js'
import type { FlowSelection } from '../plan/flows.js'
import { OFFLOAD } from '../rules/names.js'
import { elementObjects, helperObjects } from '../rules/sets.js'
import type { RulesetConditions } from '../rules/standing.js'
import { AskedQuestions } from './asked-questions.js'
import { fromInheritedKey, inheritedKey } from './inherited-settings.js'
import {
  type AnyHelper,
  CONNECTION_LIMITS,
  FLOWTABLES,
  hasFeature,
  helperFeature,
  type KernelFeature,
} from './kernel-features.js'
import {
  announceBridges,
  readHost,
  readInherited,
  readOtherHosts,
  refuseTakenBridges,
  refuseTakenPools,
  type StandingHost,
  sharedElements,
} from './other-hosts.js'
import { RevokedMarks } from './revoked-marks.js'
import {
  changeRules,
  isOfAnotherVersion,
  type RulesetContent,
  type RulesetDirection,
  rulesetTransaction,
} from './ruleset-transaction.js'
import { readVerdictsWithin } from './standing-judges.js'
import { StandingRules } from './standing-rules.js'
import { ignoreMissing } from './steps.js'
import { UserRules } from './user-rules.js'

/** What a host has cost so far. No process is ever started. */
export interface HostStatistics {
  /** Transactions of nf_tables, each whole or not at all. */
  readonly transactions: number
  /** Sends of rtnetlink requests, on the host and in containers: several requests share one. */
  readonly linkRequests: number
  /** Listings and deletions of tracked connections. */
  readonly flowRequests: number
}

/** So often a change begins anew because others changed rules meanwhile; then it is made in any case. */
const MOST_ATTEMPTS = 8
const CARRIER_ATTEMPTS = 50
const CARRIER_INTERVAL_MS = 2
/** A spanning tree takes seconds, and the kernel asks for a neighbour once a second. */
const FORWARDING_INTERVAL_MS = 20
const EVERYBODY = 'ff:ff:ff:ff:ff:ff'
/** Of pools, peers and ranges of ports the plan sees to it that none overlaps another: nothing needs to be read for it. */
const TRUSTED = { ranges: 'trusted' } as const
/** nf_conntrack_max of a machine with 4 GB or more. */
const USUAL_ROOM = 262_144
/** Listing as many costs less than a second walk through the kernel's table. */
const FEW_CONNECTIONS = 250

/** A setting of the kernel and its value. */
interface NamedValue {
  readonly name: string
  readonly value: string
}

/** The kernel's handles in the host's namespace, and nothing else: no policy, no memory of what stands. */
export class HostKernel {
  readonly namespace: Namespace
  /** The name of the two tables that are ours. */
  readonly table: string
  readonly userRules: UserRules
  /** What links let pass and was not answered yet. */
  readonly questions: AskedQuestions
  /** What was revoked and could not be written. */
  readonly marks: RevokedMarks
  readonly #rtnl: Rtnl
  readonly #nft: Nft
  readonly #conntrack: Conntrack
  readonly #bridgeIndexes = new Map<string, number>()
  readonly #standing: StandingRules
  #watch: { close(): void } | undefined
  #routeWatch: { close(): void } | undefined
  /** No rule of ours was left. */
  #emptied = false
  /** Somebody else has, since it was asked last. */
  #othersCommitted = false
  #ipv6: boolean | undefined
  #mostConnections: { readonly most: number | undefined } | undefined
  #transactions = 0
  #linkRequests = 0
  #flowRequests = 0

  private constructor(namespace: Namespace, table: string, rtnl: Rtnl, nft: Nft, conntrack: Conntrack) {
    this.namespace = namespace
    this.table = table
    this.#rtnl = rtnl
    this.#nft = nft
    this.#conntrack = conntrack
    this.userRules = new UserRules(nft, table)
    this.questions = new AskedQuestions(nft, conntrack, table)
    this.marks = new RevokedMarks(nft, table)
    this.#standing = new StandingRules(nft, table)
  }

  static async open(source: NamespaceSource | undefined, table: string): Promise<HostKernel> {
    const closers: (() => void)[] = []
    const keep = <T extends { close(): void }>(handle: T): T => {
      closers.push(() => handle.close())
      return handle
    }
    try {
      const namespace = keep(source === undefined ? Namespace.current() : Namespace.open(source))
      const rtnl = keep(await Rtnl.open({ netns: namespace }))
      const nft = keep(await Nft.open({ netns: namespace }))
      const conntrack = keep(await Conntrack.open({ netns: namespace }))
      return new HostKernel(namespace, table, rtnl, nft, conntrack)
    } catch (error) {
      for (const close of closers.reverse()) close()
      throw error
    }
  }

  get statistics(): HostStatistics {
    return {
      transactions: this.#transactions,
      linkRequests: this.#linkRequests,
      flowRequests: this.#flowRequests,
    }
  }

  /**
   * Makes a change by which the first network comes or the last one goes, while no other host of the namespace makes one:
   * what each does with forwarding hangs on which others there are, and settings are in no transaction of nf_tables.
   */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    return withNamespaceLock(this.namespace, work)
  }

  /** Every interface of the namespace. */
  listLinks(): Promise<Link[]> {
    this.#linkRequests += 1
    return this.#rtnl.links.list()
  }

  /** One interface; undefined where there is none of the name. */
  async findLink(name: string): Promise<Link | undefined> {
    this.#linkRequests += 1
    try {
      return await this.#rtnl.links.get(name)
    } catch (error) {
      if (error instanceof NfbridgeError && error.code === 'NFB_MISSING') return undefined
      throw error
    }
  }

  /** The routes of all tables, of both families. */
  listRoutes(): Promise<Route[]> {
    this.#linkRequests += 1
    return this.#rtnl.routes.list({ table: 'all' })
  }

  /** The rules by which the kernel finds a table, of the families that it has. */
  listRoutingRules(): Promise<RoutingRule[]> {
    this.#linkRequests += 1
    return this.#rtnl.rules.list()
  }

  /** What the kernel decides about a packet of the host. */
  lookupRoute(lookup: RouteLookup): Promise<RouteDecision> {
    this.#linkRequests += 1
    return this.#rtnl.routes.lookup(lookup)
  }

  /** What an address is to the host by its routes: `local`, `broadcast`, `anycast` …; undefined: it leads nowhere. */
  async addressType(address: IPAddress): Promise<RouteType | undefined> {
    this.#linkRequests += 1
    const decision = await this.#rtnl.routes.lookup({ destination: address })
    return decision.reachable ? decision.type : undefined
  }

  /** The addresses of the namespace, or of one interface, of both families. */
  listAddresses(device?: number): Promise<Address[]> {
    this.#linkRequests += 1
    return this.#rtnl.addresses.list(device === undefined ? {} : { device })
  }

  /** The neighbours of the namespace, of both families. */
  listNeighbours(): Promise<Neighbour[]> {
    this.#linkRequests += 1
    return this.#rtnl.neighbours.list()
  }

  /** The queueing disciplines of the namespace. */
  listQdiscs(): Promise<Qdisc[]> {
    this.#linkRequests += 1
    return this.#rtnl.qdiscs.list()
  }

  /** The index of a bridge of ours; asked once, since a name costs a request. */
  async bridgeIndex(name: string): Promise<number> {
    const known = this.#bridgeIndexes.get(name)
    if (known !== undefined) return known
    this.#linkRequests += 1
    const { index } = await this.#rtnl.links.get(name)
    this.#bridgeIndexes.set(name, index)
    return index
  }

  /** The same; undefined when there is none of the name. */
  async findBridge(name: string): Promise<number | undefined> {
    try {
      return await this.bridgeIndex(name)
    } catch (error) {
      if (error instanceof NfbridgeError && error.code === 'NFB_MISSING') return undefined
      throw error
    }
  }

  /** Whether the kernel has IPv6 (`ipv6.disable=1`); asked once. */
  async hasIPv6(): Promise<boolean> {
    this.#ipv6 ??= (await this.readSysctlIfThere('net/ipv6/conf/default/addr_gen_mode')) !== undefined
    return this.#ipv6
  }

  /** How many connections a container may have by default; undefined where the kernel can't count them. Asked once. */
  async mostConnections(): Promise<number | undefined> {
    this.#mostConnections ??= { most: await this.#findMostConnections() }
    return this.#mostConnections.most
  }

  async #findMostConnections(): Promise<number | undefined> {
    if (!(await this.#has(CONNECTION_LIMITS, 'limit'))) return undefined
    const room = Number(await this.readSysctlIfThere('net/netfilter/nf_conntrack_max'))
    return defaultConnections(room > 0 ? room : USUAL_ROOM)
  }

  /** A setting of the namespace; undefined where the kernel has none of the name. */
  async readSysctlIfThere(name: string): Promise<string | undefined> {
    try {
      return await this.namespace.readSysctl(name)
    } catch (error) {
      if (error instanceof NfbridgeError && error.code === 'NFB_MISSING') return undefined
      throw error
    }
  }

  /**
   * Waits until interfaces carry packets. A carrier that comes up takes effect in a work queue of the kernel, and what is
   * sent before is lost: the first connection of a container would then take a second longer. Asking for an interface makes
   * the kernel catch up with it (`linkwatch_sync_dev`, kernel 6.8); on older ones it has done so a little later.
   * @returns false when one is not there yet after a tenth of a second
   */
  async awaitCarrier(interfaces: readonly Device[]): Promise<boolean> {
    for (let attempt = 0; attempt < CARRIER_ATTEMPTS; attempt += 1) {
      this.#linkRequests += 1
      const links = await this.#rtnl.links.getAll(interfaces)
      if (links.every(({ state }) => state === 'up')) return true
      await setTimeout(CARRIER_INTERVAL_MS)
    }
    return false
  }

  /** Waits until ports of a bridge with a spanning tree forward. @returns false when one does not in time */
  async awaitForwarding(ports: readonly Device[], centiseconds: number): Promise<boolean> {
    const end = performance.now() + centiseconds * 10
    for (;;) {
      this.#linkRequests += 1
      const links = await this.#rtnl.links.getAll(ports)
      if (links.every(({ port }) => port?.state === 'forwarding')) return true
      if (performance.now() > end) return false
      await setTimeout(FORWARDING_INTERVAL_MS)
    }
  }

  /**
   * Whether another machine on a link has an address: it is asked as the kernel asks for a neighbour whose MAC it doubts, but by
   * broadcast.
   */
  async isTaken(device: number, address: IPAddress): Promise<boolean> {
    const neighbour = { device, address, mac: EVERYBODY, state: 'probe' } as const
    await this.applyLinks([{ kind: 'neighbour', action: 'replace', neighbour }])
    try {
      for (;;) {
        const entry = (await this.listNeighbours()).find(
          (each) => each.device === device && each.address.equals(address),
        )
        if (entry?.state !== 'probe') return entry?.state === 'reachable' || entry?.state === 'stale'
        await setTimeout(FORWARDING_INTERVAL_MS)
      }
    } finally {
      const gone = { kind: 'neighbour', action: 'delete', neighbour: { device, address } } as const
      await ignoreMissing(this.applyLinks([gone]))
    }
  }

  /** Tells everybody on a bridge which MAC addresses are at now. */
  async announce(bridge: string, mac: MacAddress, addresses: readonly IPAddress[]): Promise<void> {
    this.#linkRequests += 1
    await announce(this.namespace, { device: await this.bridgeIndex(bridge), mac, addresses })
  }

  /** Deletes an interface that may be gone already. */
  async deleteLink(name: string): Promise<void> {
    this.#bridgeIndexes.delete(name)
    await ignoreMissing(this.applyLinks([{ kind: 'link', action: 'delete', link: { device: name } }]))
  }

  /**
   * Adds both tables with their chains, sets, rules and the elements given, or removes them; one transaction. Adding fails
   * with NFB_EXISTS when a table of the name is there; `replace` takes its place, and no packet meets half of either.
   * @param handedOver what the rules shall remember of packets that others judged
   */
  async commitRuleset(
    direction: RulesetDirection,
    elements: ElementChange['add'] = [],
    handedOver: RulesetContent['asked'] = [],
  ): Promise<void> {
    // The users' rules go with our table, and come back with it.
    const goes =
      direction === 'remove' || (direction === 'replace' && (await isOfAnotherVersion(this.#nft, this.table)))
    if (goes) await this.userRules.snapshot()
    // Rules of another version may have judged with connection tracking what bridges do now.
    const asked =
      goes && direction === 'replace'
        ? [
            ...(await this.questions.ofTracking(elements)),
            ...(await this.questions.ofBridges('bridge')),
            ...(await this.questions.ofBridges('inet')),
            ...handedOver,
          ]
        : handedOver
    const users = this.userRules.remembered
    const emptied = this.#emptied
    const plan = async (others: readonly StandingHost[]): Promise<Transaction> => {
      if (direction === 'add') {
        refuseTakenPools(others, elements)
        refuseTakenBridges(others, elements)
      }
      const ofOthers = others.flatMap(({ bridges }) => bridges)
      // What another one left to us meanwhile stays until it is taken.
      const left = direction === 'replace' ? inheritedElements(await this.#readInherited()) : []
      const all = [...elements, ...ofOthers, ...left]
      const content = { elements: all, asked, users, emptied }
      const transaction = await rulesetTransaction(this.#nft, this.table, direction, content)
      if (direction === 'remove' && others.length > 0) {
        const { bridges } = await readHost(this.#nft, this.table)
        announceBridges(transaction, others, 'delete', bridges)
      } else announceBridges(transaction, others, 'add', sharedElements(elements))
      return transaction
    }
    await this.#commitAmongOthers(plan, (generation) => {
      this.#emptied = false
      this.#standing.made(elements, generation)
    })
  }

  /** Hosts of other programs in this namespace. */
  otherHosts(): Promise<StandingHost[]> {
    return readOtherHosts(this.#nft, this.table)
  }

  /** Hands over what another host left to this one; afterwards it is not there any more. Only done {@link exclusively}. */
  async takeInherited(take: (setting: string, before: string) => void): Promise<void> {
    const settings = await this.#readInherited()
    if (settings.length === 0) return
    for (const { name, value } of settings) take(name, value)
    const transaction = this.#nft.transaction()
    transaction.flush({ set: { family: 'inet', table: this.table, name: 'inherited' } })
    this.#transactions += 1
    await transaction.commit(TRUSTED)
  }

  async #readInherited(): Promise<NamedValue[]> {
    const keys = await readInherited(this.#nft, this.table)
    return keys.map(fromInheritedKey).filter((setting) => setting !== undefined)
  }

  /**
   * Leaves settings to another host, with the values that it is to give back. Only done {@link exclusively}.
   * @returns false where somebody has removed its table
   */
  async leaveTo({ table }: StandingHost, settings: readonly NamedValue[]): Promise<boolean> {
    const transaction = this.#nft.transaction()
    for (const object of elementObjects(table, inheritedElements(settings))) transaction.add(object)
    this.#transactions += 1
    try {
      await transaction.commit()
      return true
    } catch (error) {
      if (!isMissing(error)) throw error
      return false
    }
  }

  /** A change that other hosts are told of: of two that are made at the same time, the second sees the first. */
  async #commitAmongOthers(
    plan: (others: readonly StandingHost[]) => Promise<Transaction>,
    committed: (generation: number | undefined) => void,
  ): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const expectGeneration = await this.#nft.generation()
      const transaction = await plan(await this.otherHosts())
      this.#transactions += 1
      try {
        await transaction.commit(attempt < MOST_ATTEMPTS ? { ...TRUSTED, expectGeneration } : TRUSTED)
      } catch (error) {
        this.#standing.forget()
        // A table of another host may go before the kernel is asked whether anything has changed.
        const again =
          isStale(error) || (isMissing(error) && (await this.#nft.generation()) !== expectGeneration)
        if (!again || attempt > MOST_ATTEMPTS) throw error
        continue
      }
      return committed(attempt < MOST_ATTEMPTS ? expectGeneration : undefined)
    }
  }

  /** What new connections within bridges of ours meet, by the bridge, as the rules have it that stand. */
  verdictsWithinBridges(): Promise<ReadonlyMap<string, string>> {
    return readVerdictsWithin(this.#nft, this.table)
  }

  /** All that is in tables of our name, of whatever family, elements included. */
  async listTables(): Promise<Ruleset> {
    try {
      return await this.#nft.list({ table: this.table })
    } catch (error) {
      if (error instanceof NfbridgeError && error.code === 'NFB_MISSING')
        return { nftables: [], generation: 0 }
      throw error
    }
  }

  /**
   * Deletes and adds elements in one transaction.
   * @param handedOver as of {@link commitRuleset}
   * @param former of a change that is undone: what {@link ruled} was before it, so that the rules that came with it go
   * @throws NfbridgeError NFB_MISSING when rules or elements of ours are gone, whoever took them
   */
  async commitElements(
    change: ElementChange,
    handedOver: RulesetContent['asked'] = [],
    former?: ReadonlySet<string>,
  ): Promise<void> {
    const [gone, come] = [sharedElements(change.delete), sharedElements(change.add)]
    const plan = (others: readonly StandingHost[]): Transaction => {
      refuseTakenPools(others, change.add)
      refuseTakenBridges(others, change.add)
      const transaction = this.#nft.transaction()
      for (const object of elementObjects(this.table, change.delete)) transaction.delete(object)
      const conditions = this.#standing.conditionsWith(change, former)
      if (conditions) changeRules(transaction, this.table, this.#standing.conditions, conditions)
      for (const object of helperObjects(this.table, change.add)) transaction.add(object)
      for (const object of [...elementObjects(this.table, change.add), ...handedOver]) transaction.add(object)
      announceBridges(transaction, others, 'delete', gone)
      announceBridges(transaction, others, 'add', come)
      return transaction
    }
    const committed = (generation: number | undefined): void =>
      this.#standing.changed(change, generation, former)
    if (gone.length + come.length > 0)
      return this.#commitAmongOthers(async (others) => {
        if (!(await this.isWhole())) throw this.#gone()
        return plan(others)
      }, committed)
    await this.#commitToStanding(plan([]), committed)
  }

  /** The sets for whose elements the rules stand. */
  get ruled(): ReadonlySet<string> {
    return this.#standing.ruled
  }

  /** What the rules that stand were made for. */
  get conditions(): RulesetConditions {
    return this.#standing.conditions
  }

  /** The devices of the flowtable; undefined where offload is not in effect. */
  get offload(): readonly string[] | undefined {
    return this.#standing.offload
  }

  /**
   * Has connections go past the hooks between devices, or no longer.
   * @throws NfbridgeError NFB_MISSING when rules or elements of ours are gone, or a device
   */
  async commitOffload(devices: readonly string[] | undefined): Promise<void> {
    const before = this.#standing.conditions
    const transaction = this.#nft.transaction()
    changeRules(transaction, this.table, before, { ...before, offload: devices })
    await this.#commitToStanding(transaction, (generation) => this.#standing.offloaded(devices, generation))
  }

  /** Whether the kernel has flowtables, or modules of them to load. */
  hasFlowtables(): Promise<boolean> {
    return this.#has(FLOWTABLES, OFFLOAD)
  }

  #has(feature: KernelFeature, name: string): Promise<boolean> {
    this.#transactions += 1
    return hasFeature(this.#nft, `${this.table}-${name}`, feature)
  }

  /** Every base chain of the namespace, those of other programs too. */
  listChains(): Promise<Ruleset> {
    return this.#nft.list({ kinds: ['chain'] })
  }

  /** Calls back with each route that comes, from the first call on; it ends with {@link close}. */
  async watchNewRoutes(onRoute: (route: Route | undefined) => void): Promise<void> {
    this.#routeWatch ??= await this.#rtnl.watchNewRoutes(onRoute)
  }

  /** One transaction, where all our rules and elements stand. */
  async #commitToStanding(
    transaction: Transaction,
    committed: (generation: number | undefined) => void,
  ): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      if (this.#standing.generation === undefined && !(await this.#look())) throw this.#gone()
      // In the end, where others commit again and again, for whatever generation there is.
      const generation = attempt < MOST_ATTEMPTS ? this.#standing.generation : undefined
      this.#transactions += 1
      try {
        await transaction.commit({
          ...TRUSTED,
          ...(generation !== undefined && { expectGeneration: generation }),
        })
      } catch (error) {
        this.#standing.forget()
        if (!isStale(error)) throw error
        continue
      }
      return committed(generation)
    }
  }

  /** Whether all our rules and elements stand. */
  async isWhole(): Promise<boolean> {
    const { generation } = this.#standing
    return (generation !== undefined && (await this.#nft.generation()) === generation) || this.#look()
  }

  /** Calls back after transactions of others; it ends with {@link close}. */
  async watchOthers(onCommit: () => void): Promise<void> {
    this.#watch = await this.#nft.watchOthers(onCommit)
  }

  /** Whether a call has found that somebody else has committed, since this was asked last. */
  takeOthersCommitted(): boolean {
    const found = this.#othersCommitted
    this.#othersCommitted = false
    return found
  }

  /** Somebody has committed since we have: do our rules and elements stand? A flush leaves what the kernel would not miss. */
  async #look(): Promise<boolean> {
    this.#othersCommitted = true
    const standing = await this.#standing.look()
    this.#emptied = standing === 'emptied'
    return standing === 'whole'
  }

  #gone(): NfbridgeError {
    return new NfbridgeError({
      code: 'NFB_MISSING',
      operation: 'nft.count',
      message: `rules or elements of table ${this.table} are gone`,
    })
  }

  /** Whether the kernel has a helper of connection tracking, or a module of it to load. */
  hasHelper(helper: AnyHelper): Promise<boolean> {
    return this.#has(helperFeature(helper), 'helper')
  }

  /** Several requests, in order, in one send. */
  async applyLinks(operations: readonly RtnlOperation[]): Promise<void> {
    if (operations.length === 0) return
    this.#linkRequests += 1
    try {
      await this.#rtnl.apply(operations)
    } catch (error) {
      // Perhaps a bridge was deleted, or made again with another index.
      this.#bridgeIndexes.clear()
      throw error
    }
  }

  /** The same in a container's namespace. */
  async applyInside(namespace: Namespace, operations: readonly RtnlOperation[]): Promise<void> {
    this.#linkRequests += 1
    await applyInNamespace(namespace, operations)
  }

  /**
   * Waits until an IPv6 address of a container answers. The kernel begins to hear who asks for it in a work queue, a little
   * after it was added (`addrconf_dad_work`), and its local route is the last thing made there. Who asks before waits a second.
   * @returns false when it is not there yet after a tenth of a second
   */
  async awaitLocal(namespace: Namespace, addresses: readonly IPv6Address[]): Promise<boolean> {
    const rtnl = await Rtnl.open({ netns: namespace })
    try {
      for (let attempt = 0; attempt < CARRIER_ATTEMPTS; attempt += 1) {
        this.#linkRequests += 1
        const decisions = await Promise.all(
          addresses.map((destination) => rtnl.routes.lookup({ destination })),
        )
        if (decisions.every((decision) => decision.reachable && decision.type === 'local')) return true
        await setTimeout(CARRIER_INTERVAL_MS)
      }
      return false
    } finally {
      rtnl.close()
    }
  }

  /**
   * Makes connection tracking forget the selected connections, whatever their number. For each filter the kernel walks through a
   * table that is sized by the machine's memory, some milliseconds each; few connections are listed at once.
   */
  async forgetFlows(selections: readonly FlowSelection[]): Promise<void> {
    const filters = selections.flatMap((selection) => selection.filters).length
    if (filters === 0) return
    this.#flowRequests += 1
    const walk = filters === 1 || (await this.#trackedConnections()) > FEW_CONNECTIONS
    await this.#conntrack.forget(selections, walk)
  }

  /** How many connections the kernel tracks here. */
  async #trackedConnections(): Promise<number> {
    try {
      return Number(await this.namespace.readSysctl('net/netfilter/nf_conntrack_count'))
    } catch (error) {
      if (error instanceof NfbridgeError) return Number.POSITIVE_INFINITY
      throw error
    }
  }

  /** Every tracked connection. */
  listFlows(): Promise<ConntrackEntry[]> {
    this.#flowRequests += 1
    return this.#conntrack.list()
  }

  /** Forgets exactly the connections that were listed. */
  async deleteFlows(entries: readonly ConntrackEntry[]): Promise<void> {
    if (entries.length === 0) return
    this.#flowRequests += 1
    await this.#conntrack.deleteListed(entries)
  }

  close(): void {
    this.#watch?.close()
    this.#routeWatch?.close()
    this.#conntrack.close()
    this.#nft.close()
    this.#rtnl.close()
    this.namespace.close()
  }
}

function inheritedElements(settings: readonly NamedValue[]): SetElement[] {
  return settings.flatMap(({ name, value }): SetElement[] => {
    const key = inheritedKey(name, value)
    return key ? [{ set: 'inherited', key }] : []
  })
}

function isMissing(error: unknown): boolean {
  return error instanceof NfbridgeError && error.code === 'NFB_MISSING'
}

function isStale(error: unknown): boolean {
  return error instanceof NfbridgeError && error.code === 'NFB_STALE_GENERATION'
}
