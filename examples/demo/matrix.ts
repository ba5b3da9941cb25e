import { answerLimit, type Machine, type ProbeOutcome } from '../../lab/machine.js'

/** Where one machine tries to get. */
export interface Destination {
  readonly label: string
  readonly address: string
  readonly port: number
}

/** What the rules promise: blocked, or reached with this source address seen by the server. */
export type Promised = { readonly reached: false } | { readonly reached: true; readonly seen: string }

export interface Attempt {
  readonly from: string
  readonly to: string
  readonly promised: Promised
  readonly outcome: ProbeOutcome
  /** Whether what was seen is what was promised. */
  readonly kept: boolean
}

export const BLOCKED: Promised = { reached: false }

export function reachedAs(seen: string): Promised {
  return { reached: true, seen }
}

/** Who tries to get where, and what is promised. */
export interface Trial {
  readonly from: Machine
  readonly to: Destination
  readonly promised: Promised
}

/** Tries everything at once, as real TCP connections. */
export function attemptAll(trials: readonly Trial[]): Promise<Attempt[]> {
  return Promise.all(
    trials.map(async ({ from, to, promised }) => {
      // What is blocked costs the whole time; all are tried together, so that it is paid once.
      const outcome = await from.probeTcp(to.address, to.port, {
        timeoutMs: answerLimit(promised.reached),
      })
      return { from: from.name, to: to.label, promised, outcome, kept: isKept(promised, outcome) }
    }),
  )
}

/** Whether what came of an attempt is what the rules promise. */
export function isKept(promised: Promised, outcome: ProbeOutcome): boolean {
  // A block is silent, as Docker's is: a refusal would be another machine's answer.
  if (!promised.reached) return outcome.outcome === 'timeout'
  return outcome.outcome === 'reached' && outcome.seen === promised.seen
}
