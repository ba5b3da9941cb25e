/** Runs one scenario: builds it, goes through its stages, probes everything in each, and looks at what is left of it. */
import type { MachinePool } from '../lab/pool.js'
import { checkFact } from './checks.js'
import { checkHeld, type Held, hold, parseHeld } from './held.js'
import { untouched } from './leftovers.js'
import { parseMatrix } from './matrix.js'
import { attemptText, expectedText, type ProbeResult, probeAll, seenText } from './probes.js'
import type { Scenario, Stage } from './scenario.js'
import { runStep, stepText } from './steps.js'
import type { Variant } from './variant.js'
import { World } from './world.js'

/** One thing that was looked at: a pair of machines, a connection that was held, a fact, a step that must fail. */
export interface Finding {
  readonly stage: string
  /** What was tried: `app -> web@docker0 80/tcp (ipv4)`. */
  readonly what: string
  readonly expected: string
  readonly got: string
  readonly ok: boolean
}

export interface ScenarioResult {
  readonly name: string
  readonly findings: readonly Finding[]
  /** Why it could not be carried through. */
  readonly broken?: string
  readonly seconds: number
}

/** Told of every probe while the scenario still stands as it was probed; for example to ask `host.explain` about it. */
export type OnProbes = (
  world: World,
  results: readonly ProbeResult[],
  stage: string,
) => Promise<readonly Finding[]>

/** What a run may do beside what the scenario says. */
export interface RunOptions {
  readonly onProbes?: OnProbes | undefined
  /** Default: what the kernel has, and no rule of the users. */
  readonly variant?: Variant
}

export async function runScenario(
  scenario: Scenario,
  pool: MachinePool,
  options: RunOptions = {},
): Promise<ScenarioResult> {
  const start = performance.now()
  const findings: Finding[] = []
  let broken: string | undefined
  try {
    await play(scenario, pool, findings, options)
  } catch (error) {
    broken = error instanceof Error ? (error.stack ?? error.message) : String(error)
  }
  const seconds = (performance.now() - start) / 1000
  return { name: scenario.name, findings, seconds, ...(broken !== undefined && { broken }) }
}

async function play(
  scenario: Scenario,
  pool: MachinePool,
  findings: Finding[],
  { onProbes, variant }: RunOptions,
): Promise<void> {
  const world = await World.build(scenario, pool, variant)
  try {
    let held: Held[] = []
    for (const [index, stage] of scenario.stages.entries()) {
      const title = stage.title ?? `stage ${index + 1}`
      const add = (what: string, expected: string, got: string, ok: boolean): void => {
        findings.push({ stage: title, what, expected, got, ok })
      }
      await doSteps(world, stage, title, findings)
      for (const { text, expected, got, ok } of await checkHeld(held, parseHeld(stage.held ?? ''))) {
        add(`open connection ${text}`, expected, got, ok)
      }
      held = await closeStopped(held, stage)
      const results = await probeAll(world, parseMatrix(stage.expect))
      for (const { attempt, row, seen, ok } of results) {
        add(attemptText(attempt), `${expectedText(row)} (row "${row.text}")`, seenText(seen), ok)
      }
      for (const check of stage.checks ?? []) {
        const { what, expected, got } = await checkFact(world, check)
        add(what, expected, got, expected === got)
      }
      if (onProbes) findings.push(...(await onProbes(world, results, title)))
      held.push(...(await Promise.all((stage.hold ?? []).map((text) => hold(world, text)))))
      await world.change()
    }
    await world.settle()
    await Promise.all(held.map(({ connection }) => connection.close()))
    for (const { name, got } of await untouched(world)) {
      const expected = 'as it was before'
      const ok = got.length === 0
      findings.push({ stage: 'the end', what: name, expected, got: ok ? expected : got.join('; '), ok })
    }
  } finally {
    await world.close()
  }
}

async function doSteps(world: World, stage: Stage, title: string, findings: Finding[]): Promise<void> {
  for (const step of stage.steps ?? []) {
    const got = await runStep(world, step)
    await world.change()
    if (step.fails === undefined) continue
    const ok = got === step.fails
    findings.push({ stage: title, what: stepText(step), expected: step.fails, got: got ?? 'done', ok })
  }
}

async function closeStopped(held: readonly Held[], stage: Stage): Promise<Held[]> {
  const stopped = new Set(
    parseHeld(stage.held ?? '').flatMap(({ text, fate }) => (fate === 'stops' ? [text] : [])),
  )
  await Promise.all(held.flatMap(({ text, connection }) => (stopped.has(text) ? [connection.close()] : [])))
  return held.filter(({ text }) => !stopped.has(text))
}
