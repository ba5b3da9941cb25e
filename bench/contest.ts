/** Several ways of doing one thing, measured side by side: A B C D A B C D …, never one after the other. */
import { median, medianRatio } from './statistics.js'

/** One way of doing the thing. */
export interface Contestant {
  readonly name: string
  /** How many processes it starts for the thing. */
  readonly processes: number
  /**
   * Does the thing a few times and returns what each time took, in nanoseconds, or what was counted; undoes it outside of the
   * timing.
   */
  run(): Promise<readonly number[]>
  /** What {@link Contest.together} needs to know of it. */
  readonly stream?: Stream
  /** Of nfbridge: for how many nanoseconds the last run kept the JavaScript thread busy. */
  javascript?(): number
}

/** Packets that pass along a way, in turn with those of other ways. */
export interface Stream {
  /** `datagrams`, `answers`, `bytes`. */
  readonly what: string
  /** Words for `floor/stream.c`. */
  readonly words: readonly string[]
  /** Of what a turn's time is divided by: datagrams, or mebibytes. */
  readonly units: number
}

/** What a row of the bench measures. */
export interface Contest {
  readonly id: string
  readonly title: string
  /** The name of the contestant that the others are compared with. */
  readonly floor: string
  readonly contestants: readonly Contestant[]
  readonly notes: readonly string[]
  /**
   * Does the thing in all ways, in turns too short for the machine to change meanwhile: the values of each turn, in the order of the
   * contestants. Without it each runs by itself, once a round.
   */
  readonly together?: (turns: number) => Promise<readonly (readonly number[])[]>
  /** Of what each time is that of one: shown as how many there are a second. */
  readonly perSecond?: string
  /** What is counted, where it is not time: shown as it is, without a ratio. */
  readonly counted?: string
}

export interface Limits {
  /** Rounds that count. */
  readonly rounds: number
  /** Rounds that go before and do not count. */
  readonly warmUps: number
  /** Rounds that count whatever they take. */
  readonly fewest: number
  /** No new round begins after this many milliseconds, once the fewest have counted. */
  readonly budgetMs: number
}

/** One contestant's result, in nanoseconds; or what was counted. */
export interface Standing {
  readonly name: string
  readonly processes: number
  readonly min: number
  readonly median: number
  /** Median over the rounds of this contestant's time by the floor's time in the same round. */
  readonly ratio: number
  /** Median of the nanoseconds that the JavaScript thread was busy, and of their ratios to the floor's time. */
  readonly javascript: { readonly median: number; readonly ratio: number } | undefined
  /** The median of each round. */
  readonly rounds: readonly number[]
}

export interface Result {
  readonly id: string
  readonly title: string
  readonly floor: string
  readonly standings: readonly Standing[]
  readonly notes: readonly string[]
  readonly perSecond?: string
  readonly counted?: string
}

interface Sample {
  min: number
  readonly rounds: number[]
  readonly javascript: number[]
}

/** Turns take some milliseconds each, and rounds seconds. */
const TURNS_OF_ROUND = 2

const noSample: Sample = { min: Number.NaN, rounds: [], javascript: [] }

export async function hold(contest: Contest, limits: Limits): Promise<Result> {
  const samples = contest.contestants.map(
    (): Sample => ({
      min: Number.POSITIVE_INFINITY,
      rounds: [],
      javascript: [],
    }),
  )
  if (contest.together === undefined) await holdRounds(contest, samples, limits)
  else
    for (const turn of await contest.together(TURNS_OF_ROUND * limits.rounds))
      for (const [index, value] of turn.entries()) record(samples[index], [value])
  const floor = samples[contest.contestants.findIndex(({ name }) => name === contest.floor)]?.rounds ?? []
  return {
    id: contest.id,
    title: contest.title,
    floor: contest.floor,
    notes: contest.notes,
    ...(contest.perSecond === undefined ? {} : { perSecond: contest.perSecond }),
    ...(contest.counted === undefined ? {} : { counted: contest.counted }),
    standings: contest.contestants.map(({ name, processes }, index) => {
      const { min, rounds: values, javascript } = samples[index] ?? noSample
      return {
        name,
        processes,
        min,
        median: median(values),
        ratio: medianRatio(values, floor),
        javascript:
          javascript.length === 0
            ? undefined
            : { median: median(javascript), ratio: medianRatio(javascript, floor) },
        rounds: values,
      }
    }),
  }
}

async function holdRounds(
  { contestants }: Contest,
  samples: readonly Sample[],
  { rounds, warmUps, fewest, budgetMs }: Limits,
): Promise<void> {
  const begin = performance.now()
  for (let round = -warmUps; round < rounds; round++) {
    if (round >= fewest && performance.now() - begin > budgetMs) break
    for (const [index, contestant] of contestants.entries()) {
      const times = await contestant.run()
      if (round < 0) continue
      record(samples[index], times)
      if (contestant.javascript !== undefined) samples[index]?.javascript.push(contestant.javascript())
    }
  }
}

function record(sample: Sample | undefined, times: readonly number[]): void {
  if (sample === undefined) return
  sample.rounds.push(median(times))
  sample.min = Math.min(sample.min, ...times)
}

/** Nanoseconds that an action takes. */
export async function time(action: () => unknown): Promise<number> {
  const begin = process.hrtime.bigint()
  await action()
  return Number(process.hrtime.bigint() - begin)
}

/** Nanoseconds that an action takes, and for how many of them it keeps the JavaScript thread busy. */
export async function timeBoth(
  action: () => Promise<unknown>,
): Promise<{ readonly whole: number; readonly javascript: number }> {
  const before = performance.eventLoopUtilization()
  const whole = await time(action)
  const { active } = performance.eventLoopUtilization(before)
  return { whole, javascript: active * 1e6 }
}

/** Nanoseconds that an action takes that does not wait for anything. */
export function timeSync(action: () => unknown): number {
  const begin = process.hrtime.bigint()
  action()
  return Number(process.hrtime.bigint() - begin)
}
