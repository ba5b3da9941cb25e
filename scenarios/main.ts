/**
 * `npm run scenarios [-- [--list] [--json] [--explain] [--all-variants] [FILTER…]]`: builds every scenario in network namespaces and
 * probes every pair of its machines. What is wrong is named; the last line is `scenarios=N probes=N wrong=N`.
 */
import { parseArgs } from 'node:util'
import { MachinePool } from '../lab/pool.js'
import { explained } from './explain.js'
import { groups } from './groups/index.js'
import { type Finding, runScenario, type ScenarioResult } from './run.js'
import type { Scenario } from './scenario.js'
import { allVariants, isBridgeNetfilter, type Variant, variantText } from './variant.js'

/** Two cores: one builds while another waits for silence. */
const AT_ONCE = 4
/** For one scenario. */
const LIMIT_SECONDS = 300

const usage = `usage: npm run scenarios [-- [--list] [--json] [--explain] [--times] [VARIANT] [FILTER...]]
  --list      only names the scenarios
  --json      writes every finding as JSON
  --explain   asks host.explain() about every probe, and compares
  --times     tells how long each scenario took
  VARIANT     under what else all of it must be the same:
    --sysctl 0|1    net.bridge.bridge-nf-call-iptables and …-ip6tables of the hosts, before anything of ours is there
    --user-rule     a rule in userRules.forward of each host that counts whatever passes
    --changing      those settings change between steps and probes, while connections are open
    --all-variants  all of these and their combinations, one after the other
  FILTER      parts of names of scenarios or of groups; default all
`

interface Options {
  readonly json: boolean
  readonly explain: boolean
  readonly times: boolean
  readonly variants: readonly Variant[]
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: {
      list: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      explain: { type: 'boolean', default: false },
      times: { type: 'boolean', default: false },
      sysctl: { type: 'string' },
      'user-rule': { type: 'boolean', default: false },
      changing: { type: 'boolean', default: false },
      'all-variants': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  })
  if (values.help) {
    process.stdout.write(usage)
    return 0
  }
  const { sysctl } = values
  if (sysctl !== undefined && !isBridgeNetfilter(sysctl)) {
    process.stderr.write(usage)
    return 2
  }
  const variant = {
    ...(sysctl !== undefined && { sysctl }),
    userRule: values['user-rule'],
    changing: values.changing,
  }
  const chosen = groups.flatMap(({ name: group, scenarios }) =>
    scenarios
      .filter(({ name }) =>
        positionals.length === 0 ? true : positionals.some((part) => name.includes(part) || group === part),
      )
      .map((scenario) => ({ group, scenario })),
  )
  if (values.list) {
    for (const { group, scenario } of chosen) {
      process.stdout.write(`${group}/${scenario.name}: ${scenario.about}\n`)
    }
    return 0
  }
  if (process.getuid?.() !== 0) {
    process.stdout.write(
      'skipped: the scenarios create network namespaces: run them as root, or in a user namespace (unshare -Urn)\n',
    )
    process.stdout.write('scenarios=0 probes=0 wrong=0\n')
    return 0
  }
  const results = await runAll(
    chosen.map(({ scenario }) => scenario),
    { ...values, variants: values['all-variants'] ? allVariants : [variant] },
  )
  const findings = results.flatMap((result) => result.findings)
  const wrong = findings.filter(({ ok }) => !ok).length + results.filter(({ broken }) => broken).length
  if (values.json) process.stdout.write(`${JSON.stringify(results)}\n`)
  process.stdout.write(`scenarios=${results.length} probes=${findings.length} wrong=${wrong}\n`)
  return wrong > 0 || findings.length === 0 ? 1 : 0
}

async function runAll(scenarios: readonly Scenario[], options: Options): Promise<ScenarioResult[]> {
  const pool = new MachinePool()
  const results: ScenarioResult[] = []
  const waiting = options.variants.flatMap((variant) => scenarios.map((scenario) => ({ scenario, variant })))
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { scenario, variant } = next
      const name = [scenario.name, variantText(variant)].filter((text) => text !== '').join(' ')
      const result = await inTime(
        name,
        runScenario(scenario, pool, { variant, onProbes: options.explain ? explained : undefined }),
        LIMIT_SECONDS,
      )
      results.push({ ...result, name })
      if (!options.json) report({ ...result, name }, options.times)
    }
  }
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
  } finally {
    await pool.close()
  }
  return results
}

/** A call that never ends is a finding, not the end of all others. */
async function inTime(
  name: string,
  running: Promise<ScenarioResult>,
  limit: number,
): Promise<ScenarioResult> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<ScenarioResult>((resolve) => {
    const broken = `it did not end within ${limit} seconds`
    const result = { name, findings: [], broken, seconds: limit }
    timer = setTimeout(() => resolve(result), limit * 1000)
  })
  try {
    return await Promise.race([running, late])
  } finally {
    clearTimeout(timer)
  }
}

function report({ name, findings, broken, seconds }: ScenarioResult, times: boolean): void {
  const wrong = findings.filter(({ ok }) => !ok)
  if (times || wrong.length > 0 || broken !== undefined) {
    const state = broken !== undefined ? 'broken' : wrong.length > 0 ? `${wrong.length} wrong` : 'ok'
    process.stdout.write(`${name}: ${state}, ${findings.length} probes, ${seconds.toFixed(1)} s\n`)
  }
  for (const finding of wrong) process.stdout.write(findingText(finding))
  if (broken !== undefined) process.stdout.write(`  ${broken.replaceAll('\n', '\n  ')}\n`)
}

function findingText({ stage, what, expected, got }: Finding): string {
  return `  [${stage}] ${what}\n      expected ${expected}\n      got      ${got}\n`
}

process.exitCode = await main()
