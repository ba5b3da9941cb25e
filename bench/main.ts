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
import { elementContest } from './rows/element.js'
import { elementsContest } from './rows/elements.js'
import { rulesContest } from './rows/rules.js'
import { Surroundings } from './surroundings.js'

const rows: Readonly<Record<string, (surroundings: Surroundings, count: number) => Promise<Contest>>> = {
  rules: rulesContest,
  elements: elementsContest,
  element: elementContest,
  attach: attachContest,
}

const usage = `usage: npm run bench -- [--quick] [--json] [${Object.keys(rows).join('|')}]…`
const words = process.argv.slice(2)
const quick = words.includes('--quick')
const json = words.includes('--json')
const chosen = words.filter((word) => !word.startsWith('--'))
if (
  words.some((word) => word.startsWith('--') && !['--quick', '--json'].includes(word)) ||
  chosen.some((word) => !rows[word])
) {
  process.stderr.write(`${usage}\n`)
  process.exit(2)
}

const limits: Limits = quick ? { rounds: 7, budgetMs: 7_000 } : { rounds: 25, budgetMs: 45_000 }
const count = 10_000
const folder = mkdtempSync(join(tmpdir(), 'nfbridge-bench-'))
process.env.XTABLES_LOCKFILE = join(folder, 'xtables.lock') // not the machine's own: it is never waited for or held

try {
  const results = await measure()
  if (json) process.stdout.write(`${JSON.stringify({ environment: environment(), results }, undefined, 2)}\n`)
} catch (error) {
  process.stderr.write(`${explain(error)}\n`)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
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
  for (const [name, contest] of Object.entries(rows)) {
    if (chosen.length > 0 && !chosen.includes(name)) continue
    const surroundings = new Surroundings(programs, peers, folder)
    try {
      const result = await hold(await contest(surroundings, count), limits)
      results.push(result)
      if (!json) process.stdout.write(`\n${printResult(result)}`)
    } finally {
      await surroundings.close()
    }
  }
  return results
}

function environment(): { kernel: string; cores: number; node: string } {
  return { kernel: release(), cores: cpus().length, node: process.version }
}

function explain(error: unknown): string {
  if (error instanceof NfbridgeError && error.code === 'NFB_NOT_PERMITTED') {
    return `${error.message}\nthe bench needs root, or a user namespace of its own: unshare -Urn npm run bench`
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
