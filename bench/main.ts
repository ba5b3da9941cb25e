/**
 * `npm run bench [-- --quick] [--json] [row…]`: the measurements of bench/README.md, in namespaces of their own.
 * Exits with 1 when something could not be measured, with 2 for words it does not know.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Namespace, NfbridgeError } from 'nfbridge'
import { type Contest, hold, type Limits, type Result } from './contest.js'
import { findPeers } from './peers.js'
import { heading, printResult } from './print.js'
import { compilePrograms } from './programs.js'
import { attachContest } from './rows/attach.js'
import { attachAllContest, detachAllContest } from './rows/attach-all.js'
import { elementContest } from './rows/element.js'
import { elementsContest } from './rows/elements.js'
import { openContest } from './rows/open.js'
import { packetRows } from './rows/packets.js'
import { publishContest } from './rows/publish.js'
import { rulesContest } from './rows/rules.js'
import { scaleContests } from './rows/scale.js'
import { Surroundings } from './surroundings.js'

interface Row {
  readonly prepare: (surroundings: Surroundings, sizes: Sizes) => Promise<Contest | Contest[]>
  /** What no round begins after, as a part of the limit. */
  readonly share: number
  /** Rounds that count whatever they take. Default: 3. */
  readonly fewest?: number
}

/** How many there are of what a row measures. */
interface Sizes {
  readonly rules: number
  readonly containers: number
  readonly standing: number
}

const rows: Readonly<Record<string, Row>> = {
  rules: { share: 1, prepare: (surroundings, { rules }) => rulesContest(surroundings, rules) },
  elements: { share: 1, prepare: (surroundings, { rules }) => elementsContest(surroundings, rules) },
  element: { share: 0.5, prepare: (surroundings, { rules }) => elementContest(surroundings, rules) },
  attach: { share: 0.5, prepare: attachContest },
  'attach-all': {
    share: 0.3,
    prepare: (surroundings, { containers }) => attachAllContest(surroundings, containers),
  },
  'detach-all': {
    share: 0.3,
    prepare: (surroundings, { containers }) => detachAllContest(surroundings, containers),
  },
  publish: { share: 0.3, prepare: publishContest },
  open: { share: 0.3, prepare: (surroundings, { containers }) => openContest(surroundings, containers) },
  ...Object.fromEntries(
    Object.entries(packetRows).map(([name, prepare]) => [name, { share: 1, fewest: 5, prepare }]),
  ),
  scale: { share: 0.15, prepare: (surroundings, { standing }) => scaleContests(surroundings, standing) },
}

/** Rows that go by one name. */
const groups: Readonly<Record<string, readonly string[]>> = { packets: Object.keys(packetRows) }

const usage = `usage: npm run bench -- [--quick] [--json] [${[...Object.keys(rows), ...Object.keys(groups)].join('|')}]…`
const words = process.argv.slice(2)
const quick = words.includes('--quick')
const json = words.includes('--json')
const chosen = words.filter((word) => !word.startsWith('--')).flatMap((word) => groups[word] ?? [word])
if (
  words.some((word) => word.startsWith('--') && !['--quick', '--json'].includes(word)) ||
  chosen.some((word) => !rows[word])
) {
  process.stderr.write(`${usage}\n`)
  process.exit(2)
}

const limits: Omit<Limits, 'fewest'> = quick
  ? { rounds: 5, warmUps: 0, budgetMs: 1_500 }
  : { rounds: 25, warmUps: 2, budgetMs: 30_000 }
const sizes: Sizes = quick
  ? { rules: 10_000, containers: 100, standing: 300 }
  : { rules: 10_000, containers: 1_000, standing: 5_000 }
const folder = mkdtempSync(join(tmpdir(), 'nfbridge-bench-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
// Namespaces and the programs that run in them end with the process.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))
process.env.XTABLES_LOCKFILE = join(folder, 'xtables.lock') // not the machine's own: it is never waited for or held

try {
  const results = await measure()
  if (json) process.stdout.write(`${JSON.stringify({ environment: environment(), results }, undefined, 2)}\n`)
} catch (error) {
  fail(error)
}

async function measure(): Promise<Result[]> {
  const programs = await compilePrograms()
  const scratch = await Namespace.create()
  const peers = await findPeers(programs, scratch)
  scratch.close()
  if (!json) {
    const { kernel, cores, node } = environment()
    process.stdout.write(`${heading('nfbridge bench')}  kernel ${kernel}, ${cores} cores, Node ${node}\n`)
    for (const sentence of peers.missing) process.stdout.write(`left out: ${sentence}\n`)
  }
  const results: Result[] = []
  for (const [name, { prepare, share, fewest = 3 }] of Object.entries(rows)) {
    if (chosen.length > 0 && !chosen.includes(name)) continue
    const surroundings = new Surroundings(programs, peers, folder)
    // A row that fails ends with what it made; the others are measured all the same.
    try {
      for (const contest of [await prepare(surroundings, sizes)].flat()) {
        const result = await hold(contest, { ...limits, fewest, budgetMs: limits.budgetMs * share })
        results.push(result)
        if (!json) process.stdout.write(`\n${printResult(result)}`)
      }
    } catch (error) {
      fail(error, name)
    } finally {
      await surroundings.close().catch((error) => fail(error, name))
    }
  }
  return results
}

function environment(): { kernel: string; cores: number; node: string } {
  return { kernel: release(), cores: cpus().length, node: process.version }
}

function fail(error: unknown, row?: string): void {
  process.stderr.write(`${row === undefined ? '' : `${row}: `}${explain(error)}\n`)
  process.exitCode = 1
}

function explain(error: unknown): string {
  if (error instanceof NfbridgeError && error.code === 'NFB_NOT_PERMITTED') {
    return `${error.message}\nthe bench needs root, or a user namespace of its own: unshare -Urn npm run bench`
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
