import type { Plan } from '../plan/plan.js'
import type { RequestedPublication } from '../plan/publish-settings.js'
import { BusyPort } from './port-steps.js'

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
      if (!busy || attempt === ATTEMPTS || !isChosen(requested, busy)) throw error
      taken.add(busy.text)
    }
  }
}

function isChosen(requested: readonly RequestedPublication[], { protocol, port }: BusyPort): boolean {
  const explicit = requested.some(
    ({ automatic, port: asked }) =>
      !automatic &&
      asked.protocol === protocol &&
      asked.hostPorts.first <= port &&
      port <= asked.hostPorts.last,
  )
  return !explicit && requested.some(({ automatic }) => automatic)
}

function busyPort(error: unknown): BusyPort | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof BusyPort) return cause
  }
  return undefined
}
