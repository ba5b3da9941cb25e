/** Attacks a world for a while. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Conntrack } from 'nfbridge/conntrack'
import { judge } from './allowed.js'
import { Attack, type Shot } from './attack.js'
import { changeTexts, description } from './describe.js'
import type { Event } from './event.js'
import { randomFrame, type Vocabulary } from './generate.js'
import { isKnown } from './known.js'
import { type Evidence, narrowChange, shrinkArrival } from './narrow.js'
import { Random } from './random.js'
import { FIXED_ADDRESSES, FIXED_MACS, OWN_MACS, OWN_ROLES } from './roles.js'
import { changes, readTables, wrongConnections } from './tables.js'
import type { World } from './world.js'

export interface Failure {
  readonly what: string
  /** None where it was not found which frame it was. */
  readonly evidence?: Omit<Evidence, 'arrived'> & { readonly arrived?: Uint8Array }
  count: number
}

export interface Result {
  readonly frames: number
  readonly failures: readonly Failure[]
  /** Arrivals that were judged. */
  readonly judged: number
  /** Arrivals that nobody judged, since a socket had no room. */
  readonly lost: number
}

export interface Limits {
  readonly seed: number
  readonly seconds: number
  readonly framesPerSecond: number
  readonly mostFrames: number
  /** Ends at the first failure. */
  readonly firstOnly: boolean
}

const BATCH = 64
/** So many batches are sent by containers, or from outside, before it is the others' turn: outside once in so many. */
const BATCHES = 32
const TURNS = 4
/** For what the kernel does later: questions for addresses, duplicate address detection. */
const SETTLING_MS = 20

/** @param create makes a world like the one that is attacked, to try in it what changed a table */
export async function run(create: () => Promise<World>, limits: Limits): Promise<Result> {
  await using world = await create()
  using attack = new Attack(world, limits.seed)
  using connections = await Conntrack.open({ netns: world.host })
  const attacker = new Attacker(create, world, attack, connections, limits)
  await attacker.run()
  return attacker.result
}

class Attacker {
  readonly #create: () => Promise<World>
  readonly #world: World
  readonly #attack: Attack
  readonly #connections: Conntrack
  readonly #limits: Limits
  readonly #random: Random
  readonly #names: Vocabulary
  readonly #found = new Map<string, Failure>()
  /** Who was let speak to whom in this turn: what goes back may be an answer. */
  readonly #asked = new Set<string>()
  #frames = 0
  #judged = 0

  constructor(
    create: () => Promise<World>,
    world: World,
    attack: Attack,
    connections: Conntrack,
    limits: Limits,
  ) {
    this.#create = create
    this.#world = world
    this.#attack = attack
    this.#connections = connections
    this.#limits = limits
    this.#random = new Random(limits.seed)
    this.#names = vocabulary(world)
  }

  get result(): Result {
    return {
      frames: this.#frames,
      judged: this.#judged,
      failures: [...this.#found.values()],
      lost: this.#attack.lost(),
    }
  }

  async run(): Promise<void> {
    const { seconds, mostFrames, framesPerSecond, firstOnly } = this.#limits
    const started = performance.now()
    const passed = (): number => performance.now() - started
    const stations = [...this.#world.stations.values()]
    const inside = stations.filter(({ on }) => on?.member === 'evil')
    const outside = stations.filter(({ on }) => on === undefined)
    let tables = await readTables(this.#world)
    for (let turn = 1; this.#frames < mostFrames && passed() < seconds * 1000; turn += 1) {
      const senders = turn % TURNS === 0 ? outside : inside
      const shots: Shot[] = []
      for (let batch = 0; batch < BATCHES && passed() < seconds * 1000; batch += 1) {
        const some = Array.from(
          { length: BATCH },
          (): Shot => ({ sender: this.#random.of(senders), frame: randomFrame(this.#random, this.#names) }),
        )
        shots.push(...some)
        await this.#fire(some)
        if (firstOnly && this.#found.size > 0) return
        await sleep(Math.max(0, (this.#frames / framesPerSecond) * 1000 - passed()))
      }
      await sleep(SETTLING_MS)
      await this.#fire([])
      if (senders === inside)
        for (const what of await wrongConnections(this.#world, this.#connections)) this.#note(what)
      const after = await readTables(this.#world)
      await this.#compare(changes(tables, after), shots)
      tables = after
      if (firstOnly && this.#found.size > 0) return
      // What answers a connection is no attack: none is open when it is the others' turn.
      await this.#connections.deleteAll({})
      this.#asked.clear()
    }
  }

  async #fire(shots: readonly Shot[]): Promise<void> {
    this.#frames += shots.length
    for (const { sent, event } of this.#attack.fire(shots)) {
      this.#judged += 1
      const reason = judge(event)
      if (reason === undefined) this.#asked.add(ends(event))
      if (reason === undefined || isKnown(event) || this.#asked.has(ends(event, 'back'))) continue
      const what = description(event, reason)
      if (this.#note(what))
        this.#found.set(what, {
          what,
          count: 1,
          evidence: await shrinkArrival(this.#attack, { ...sent, arrived: event.bytes }, what),
        })
    }
  }

  async #compare(lines: readonly string[], shots: readonly Shot[]): Promise<void> {
    const what = changeTexts(lines).slice(0, 4).join('; ')
    if (what === '' || !this.#note(what)) return
    const [only, ...others] = (await narrowChange(this.#create, shots)) ?? []
    if (only === undefined || others.length > 0) return
    this.#found.set(what, { what, count: 1, evidence: { ...only, bytes: this.#attack.bytesOf(only) } })
  }

  /** @returns whether it is new */
  #note(what: string): boolean {
    const before = this.#found.get(what)
    if (before) before.count += 1
    else this.#found.set(what, { what, count: 1 })
    return before === undefined
  }
}

function ends({ ip }: Event, way: 'there' | 'back' = 'there'): string {
  if (ip === undefined) return ''
  const { protocol, source, destination } = ip
  return way === 'there' ? `${protocol} ${source} ${destination}` : `${protocol} ${destination} ${source}`
}

function vocabulary(world: World): Vocabulary {
  const stations = [...world.stations.keys()]
  const members = ['server', 'client', 'stranger']
  const bridges = stations.flatMap((name) => (name.startsWith('evil@') ? [`bridge@${name.slice(5)}`] : []))
  const inside = stations.filter((name) => name.startsWith('server@'))
  const fixed = Object.keys(FIXED_ADDRESSES)
  const beyond = ['outside', 'side']
  return {
    sources: ['own', 'link-local', 'bridge', 'unused', ...fixed, ...beyond, ...inside],
    destinations: [...OWN_ROLES, ...fixed, ...beyond, ...bridges, ...stations],
    neighbours: members,
    macs: [...OWN_MACS, ...members, ...Object.keys(FIXED_MACS), ...beyond, ...inside],
  }
}
