/** Attacks a world for a while, and shrinks what it finds. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Conntrack } from 'nfbridge/conntrack'
import { judge } from './allowed.js'
import { Attack, type Shot } from './attack.js'
import type { Event } from './event.js'
import type { Frame } from './frame.js'
import { randomFrame, type Vocabulary } from './generate.js'
import { known, opensKnownHole } from './known.js'
import { Random } from './random.js'
import { FIXED_ADDRESSES, FIXED_MACS, OWN_MACS, OWN_ROLES } from './roles.js'
import { shorter } from './shrink.js'
import type { Station, World } from './world.js'

export interface Failure {
  /** Where what arrived from whom, in a few words: failures that agree in it are told once. */
  readonly what: string
  readonly frame: Frame
  readonly sender: Station
  readonly bytes: Uint8Array
  /** What arrived. */
  readonly arrived: Uint8Array
  count: number
}

export interface Result {
  readonly frames: number
  readonly failures: readonly Failure[]
  /** Arrivals that were judged. */
  readonly judged: number
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
/** How often a frame is sent again, shorter. */
const SHRINKING = 400

export async function run(
  world: World,
  { seed, seconds, framesPerSecond, mostFrames, firstOnly }: Limits,
): Promise<Result> {
  const random = new Random(seed)
  const attack = new Attack(world, seed)
  const found = new Map<string, Failure>()
  const names = vocabulary(world)
  const inside = [...world.stations.values()].filter(({ on }) => on?.member === 'evil')
  const outside = [...world.stations.values()].filter(({ on }) => on === undefined)
  using connections = await Conntrack.open({ netns: world.host })
  let senders = inside
  const started = performance.now()
  let frames = 0
  let judged = 0
  try {
    while (frames < mostFrames && performance.now() - started < seconds * 1000) {
      // From outside, what answers a container's own connection is no attack: no connection is open when it is their turn.
      const turn = Math.floor(frames / (BATCH * BATCHES)) % TURNS === TURNS - 1 ? outside : inside
      if (turn !== senders && turn === outside) await connections.deleteAll({})
      senders = turn
      const shots = Array.from(
        { length: BATCH },
        (): Shot => ({ sender: random.of(senders), frame: harmless(random, names) }),
      )
      frames += shots.length
      for (const { sent, event } of attack.fire(shots)) {
        judged += 1
        const reason = judge(event)
        if (reason === undefined || isKnown(event)) continue
        const what = description(event, reason)
        const before = found.get(what)
        if (before) before.count += 1
        else
          found.set(what, {
            what,
            count: 1,
            ...(await shrink(attack, { ...sent, arrived: event.bytes }, what)),
          })
        if (firstOnly) return { frames, judged, failures: [...found.values()], lost: attack.lost() }
      }
      const early = (frames / framesPerSecond) * 1000 - (performance.now() - started)
      await sleep(Math.max(0, early))
    }
    return { frames, judged, failures: [...found.values()], lost: attack.lost() }
  } finally {
    attack.close()
  }
}

function harmless(random: Random, names: Vocabulary): Frame {
  const frame = randomFrame(random, names)
  return opensKnownHole(frame) ? harmless(random, names) : frame
}

function isKnown(event: Event): boolean {
  return known.some((one) => one.is(event))
}

function description({ sender, place, frame, ip }: Event, reason: string): string {
  const from = sender.on === undefined ? sender.name : `a container of ${sender.on.kind.name}`
  const type = frame === undefined ? '' : ` type 0x${frame.type.toString(16).padStart(4, '0')}`
  const what = ip === undefined ? `a frame of${type}` : `IPv${ip.family}`
  const device = (name: string): string => (name.startsWith('veth') ? "the container's port" : name)
  switch (place.kind) {
    case 'stack':
      return `${what} from ${from} reaches the host's protocols by ${device(place.device)}: ${reason}`
    case 'socket':
      return `${what} from ${from} reaches sockets of the host by ${device(place.device)}: ${reason}`
    case 'station':
      return `${what} from ${from} reaches ${stationText(sender, place.station)}: ${reason}`
  }
}

/** Not whom of a network: what one of its containers is reached by reaches the others as well. */
function stationText(sender: Station, { name, on }: Station): string {
  if (on === undefined) return name
  return on.kind === sender.on?.kind ? 'another container of its network' : `a container of ${on.kind.name}`
}

/** The shortest frame that does the same, as far as it is found. */
async function shrink(
  attack: Attack,
  { sender, ...found }: Pick<Failure, 'sender' | 'frame' | 'bytes' | 'arrived'>,
  what: string,
): Promise<Pick<Failure, 'sender' | 'frame' | 'bytes' | 'arrived'>> {
  let shortest = { sender, ...found }
  let left = SHRINKING
  const again = async (candidate: Frame): Promise<boolean> => {
    left -= 1
    for (let turn = 0; turn < 3; turn += 1) {
      for (const { sent, event } of attack.fire(turn === 0 ? [{ sender, frame: candidate }] : [])) {
        const reason = sent.frame === candidate ? judge(event) : undefined
        // What becomes another hole by being shorter, and a known one, is not this.
        if (reason === undefined || isKnown(event) || description(event, reason) !== what) continue
        shortest = { sender, frame: candidate, bytes: sent.bytes, arrived: event.bytes }
        return true
      }
      await sleep(turn)
    }
    return false
  }
  for (let improved = true; improved && left > 0; ) {
    improved = false
    for (const candidate of shorter(shortest.frame)) {
      if (left <= 0) break
      if (!opensKnownHole(candidate) && (await again(candidate))) {
        improved = true
        break
      }
    }
  }
  return shortest
}

function vocabulary(world: World): Vocabulary {
  const stations = [...world.stations.keys()]
  const members = ['server', 'client', 'stranger']
  const bridges = stations.flatMap((name) => (name.startsWith('evil@') ? [`bridge@${name.slice(5)}`] : []))
  const inside = stations.filter((name) => name.startsWith('server@'))
  const fixed = Object.keys(FIXED_ADDRESSES)
  const beyond = ['outside', 'side']
  // A sender without a network of its own has no such neighbours.
  const first = inside[0] ?? 'outside'
  return {
    sources: ['own', 'link-local', 'bridge', 'unused', ...fixed, ...beyond, first, ...inside],
    destinations: [...OWN_ROLES, ...fixed, ...beyond, ...bridges, ...stations, ...members, ...members],
    macs: [...OWN_MACS, ...members, ...Object.keys(FIXED_MACS), ...beyond, ...inside],
  }
}
