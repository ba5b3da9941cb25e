import { NfbridgeError } from '../../errors.js'
import type { Plan } from '../plan/plan.js'
import type { RequestedPublication } from '../plan/publish-settings.js'
import { BusyPort } from './port-steps.js'
import { inOperation } from './steps.js'

/** How many ports that other processes hold are passed over before a call gives up. */
const ATTEMPTS = 64

/**
 * Plans and applies. When a port that was chosen is held by another process it is planned again without it; one that was
 * asked for is an error.
 */
export async function withFreePorts<P extends Plan>(
  requested: readonly RequestedPublication[],
  plan: (taken: ReadonlySet<string>) => P,
  apply: (plan: P) => Promise<void>,
): Promise<P> {
  const taken = new Set<string>()
  for (let attempt = 1; ; attempt += 1) {
    const planned = plan(taken)
    try {
      await apply(planned)
      return planned
    } catch (error) {
      const busy = busyPort(error)
      if (!busy) throw error
      const asked = askedFor(requested, busy)
      if (asked) throw atPath(error, asked.path)
      if (attempt === ATTEMPTS || !requested.some(({ automatic }) => automatic)) throw error
      taken.add(busy.text)
    }
  }
}

/** The publication that asked for this very port; undefined: it was chosen. */
function askedFor(
  requested: readonly RequestedPublication[],
  { protocol, port }: BusyPort,
): RequestedPublication | undefined {
  return requested.find(
    ({ automatic, port: asked }) =>
      !automatic &&
      asked.protocol === protocol &&
      asked.hostPorts.first <= port &&
      port <= asked.hostPorts.last,
  )
}

/** The same error, of the option that it is about. */
function atPath(error: unknown, path: string): unknown {
  if (!(error instanceof NfbridgeError) || error.path !== undefined) return error
  return inOperation(error, error.operation, { path })
}

function busyPort(error: unknown): BusyPort | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof BusyPort) return cause
  }
  return undefined
}
