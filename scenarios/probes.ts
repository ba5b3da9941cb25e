/** Probes every pair, and compares what came of it with the row that decides it. */
import { PATIENCE_MS, type PingOutcome, type ProbeOutcome, SILENCE_MS } from '../lab/machine.js'
import { decide, type Family, type Outcome, outcomeText, type Row } from './matrix.js'
import { type Attempt, attempts, type Party, type PartyAddress, parties } from './universe.js'
import type { World } from './world.js'

/** For rows that allow silence beside something else, such as a refusal. */
const DOUBT_MS = 1000
/** How many probes of a scenario wait for an answer at once. */
const AT_ONCE = 24
/** After so many probes what may change in a variant changes, while others are under way. */
const CHANGES_EVERY = 16

/** What came of an attempt: as seen on the wire. */
export interface Seen {
  readonly kind: Outcome['kind']
  /** Who answered, and which source it saw. */
  readonly server?: string
  readonly source?: string
  /** The errno's name. */
  readonly error?: string
}

export interface ProbeResult {
  readonly attempt: Attempt
  readonly row: Row
  readonly seen: Seen
  readonly ok: boolean
}

let lastToken = 0

export async function probeAll(world: World, rows: readonly Row[]): Promise<ProbeResult[]> {
  const all = parties(world)
  const decided = attempts(world, all).map((attempt) => ({ attempt, row: rowOf(rows, attempt) }))
  for (const row of rows) {
    if (!decided.some((one) => one.row === row)) throw new Error(`the row "${row.text}" decides nothing`)
  }
  // First what must be reached: neighbours are known then, and silence is not that of a lost first packet.
  const patience = ({ row }: { row: Row }): number => (row.outcomes.some(isSilence) ? DOUBT_MS : PATIENCE_MS)
  const isSilent = ({ row }: { row: Row }): boolean => row.outcomes.every(isSilence)
  const arrivals = new Map<Attempt, string>()
  let begun = 0
  const run = async ({ attempt, row }: { attempt: Attempt; row: Row }, timeoutMs: number) => {
    begun += 1
    if (begun % CHANGES_EVERY === 0) await world.change()
    return { attempt, row, seen: await probe(world, attempt, timeoutMs, arrivals) }
  }
  const loud = await inParts(
    decided.filter((one) => !isSilent(one)),
    AT_ONCE,
    (one) => run(one, patience(one)),
  )
  await world.change()
  const silent = await inParts(decided.filter(isSilent), AT_ONCE * 8, (one) => run(one, SILENCE_MS))
  const pinged = await takePings(world)
  return [...loud, ...silent].map(({ attempt, row, seen: first }) => {
    const seen = withArrival(first, pinged.get(arrivals.get(attempt) ?? ''))
    return { attempt, row, seen, ok: row.outcomes.some((outcome) => agrees(outcome, seen, attempt, all)) }
  })
}

function isSilence({ kind }: Outcome): boolean {
  return kind === 'blocked' || kind === 'unanswered'
}

function rowOf(rows: readonly Row[], { from, target, port, family }: Attempt): Row {
  const question = { from: from.name, fromContainer: from.kind === 'container', target, port, family }
  const row = decide(rows, question)
  if (row) return row
  throw new Error(`no row decides ${from.name} -> ${target.machine}@${target.at} ${port} (ipv${family})`)
}

async function probe(
  world: World,
  attempt: Attempt,
  timeoutMs: number,
  arrivals: Map<Attempt, string>,
): Promise<Seen> {
  const machine = world.machine(attempt.from.name)
  const { address } = attempt.target
  if (attempt.port === 'icmp') {
    lastToken += 1
    const token = lastToken.toString(36).padStart(8, '0')
    arrivals.set(attempt, token)
    return seenOf(await machine.ping(address, token, { timeoutMs }))
  }
  const [number, protocol] = attempt.port.split('/')
  const port = Number(number)
  const options = { timeoutMs, ...(attempt.sourcePort !== undefined && { localPort: attempt.sourcePort }) }
  if (protocol === 'udp') return seenOf(await machine.probeUdp(address, port, options))
  if (protocol === 'sctp') return seenOf(await machine.probeSctp(address, port, options))
  return seenOf(await machine.probeTcp(address, port, options))
}

function seenOf(outcome: ProbeOutcome | PingOutcome): Seen {
  switch (outcome.outcome) {
    case 'reached':
      return 'server' in outcome
        ? { kind: 'reached', server: outcome.server, source: outcome.seen }
        : { kind: 'reached' }
    case 'timeout':
      return { kind: 'blocked' }
    case 'refused':
      return { kind: 'refused' }
    case 'unreachable':
      return { kind: 'unreachable', error: outcome.error }
  }
}

interface Arrival {
  readonly server: string
  readonly source: string
}

/** Who got which echo request. */
async function takePings(world: World): Promise<ReadonlyMap<string, Arrival>> {
  const arrived = await Promise.all(
    world.machines.map(async (machine) =>
      (await machine.takePings()).map(({ token, seen }): [string, Arrival] => [
        token,
        { server: machine.name, source: seen },
      ]),
    ),
  )
  return new Map(arrived.flat())
}

function withArrival(seen: Seen, arrival: Arrival | undefined): Seen {
  if (arrival === undefined) return seen
  // Silence although the request arrived: only its answer was lost.
  const kind = seen.kind === 'blocked' ? 'unanswered' : seen.kind
  return { ...seen, kind, server: arrival.server, source: arrival.source }
}

/** Whether what was seen is an outcome that the row allows. */
export function agrees(
  outcome: Outcome,
  seen: Seen,
  { target, from, family }: Attempt,
  all: readonly Party[],
): boolean {
  if (outcome.kind !== 'reached') return outcome.kind === seen.kind
  if (seen.kind !== 'reached') return false
  const server = outcome.server ?? target.machine
  const allowed = outcome.as === undefined ? from.addresses : sources(outcome.as, family, all)
  return seen.server === server && allowed.some(({ address }) => address === seen.source)
}

/** The addresses that a name in `as` stands for. A host without a network is what others know it by: not its bridges. */
function sources(name: string, family: Family, all: readonly Party[]): readonly PartyAddress[] {
  const [machine, at] = name.split('@')
  const party = all.find((one) => one.name === machine)
  if (!party) return [{ address: name, family, at: name }]
  return party.addresses.filter(
    (one) =>
      one.family === family && (at === undefined ? !(party.kind === 'host' && one.isGateway) : one.at === at),
  )
}

/** `app -> web@docker0 80/tcp (ipv4)`. */
export function attemptText({ from, target, port, family, sourcePort }: Attempt): string {
  const place = target.at === target.machine ? target.machine : `${target.machine}@${target.at}`
  const source = sourcePort === undefined ? '' : ` from port ${sourcePort}`
  return `${from.name} -> ${place} ${port}${source} (ipv${family})`
}

export function expectedText(row: Row): string {
  return row.outcomes.map(outcomeText).join(' | ')
}

export function seenText({ kind, server, source, error }: Seen): string {
  if (kind === 'reached') return `reached ${server ?? 'nobody known'} as ${source ?? 'nobody known'}`
  const arrived = server === undefined ? '' : `, though ${server} got it from ${source}`
  return `${kind}${error === undefined ? '' : ` (${error})`}${arrived}`
}

async function inParts<T, R>(items: readonly T[], size: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    for (;;) {
      const index = next++
      const item = items[index]
      if (item === undefined) return
      results[index] = await work(item)
    }
  }
  await Promise.all(Array.from({ length: Math.min(size, items.length) }, worker))
  return results
}
