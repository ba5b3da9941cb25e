// `npm test`: prerequisites, build if stale, `npm run check`, the native tests, every kind of vitest test, the scenarios, a minute of hostile frames. Two steps
// run side by side. Each has a limit in time and a process group of its own, and all of them share one limit. The last line is
// `N passed, N failed, N skipped` over checks, native tests, vitest and scenarios; whatever failed or was skipped is named above it.
// `npm test -- unit kernel` runs only the named steps (check, native, scenarios, hostile, or a folder of test/).
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './native-files.mjs'
import { ensurePrerequisites, searchPath, testPath } from './prerequisites.mjs'
import { formatSeconds, runStep } from './step.mjs'

/** Limits in seconds, for a step that hangs: a slow machine is no reason to fail. */
const limits = { total: 4800, step: 3600 }
/** The kinds of vitest tests that must be there; a new folder of test/ with tests joins by itself. */
const kinds = ['unit', 'kernel', 'conformance', 'process', 'package']

const started = performance.now()
const scratch = mkdtempSync(join(tmpdir(), 'nfbridge-test-'))
// Some tests run programs of it as other users.
chmodSync(scratch, 0o711)
process.once('exit', () => {
  try {
    rmSync(scratch, { recursive: true, force: true })
  } catch (error) {
    console.error(`${scratch} is left behind: ${error.message}`)
  }
})
// What a test puts into the temporary folder goes away with ours, even when the test is ended by force.
const env = { ...process.env, PATH: searchPath(), TMPDIR: scratch }
const total = { passed: 0, failed: [], skipped: [] }
const chosen = process.argv.slice(2)

function title(text) {
  console.log(`\n=== ${text}`)
}

/** Runs a step; what it prints is shown when it has ended, for another one runs beside it. */
async function run(name, command, args, extra = {}) {
  const left = limits.total - (performance.now() - started) / 1000
  const limit = Math.max(1, Math.min(limits.step, left))
  const result = await runStep(command, args, { limit, quiet: true, cwd: root, env: { ...env, ...extra } })
  title(name)
  process.stdout.write(result.output)
  console.log(`${name}: ${formatSeconds(result.seconds)}`)
  return {
    ...result,
    ended: result.timedOut ? `${name}: ended after its limit of ${Math.round(limit)} s` : '',
  }
}

function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

/** The time of the newest file below the paths, in milliseconds; 0 where there is none. */
function newest(paths, matches = () => true) {
  const times = paths.flatMap((path) => {
    const full = join(root, path)
    const stat = statSync(full, { throwIfNoEntry: false })
    if (!stat) return []
    if (!stat.isDirectory()) return [stat.mtimeMs]
    return readdirSync(full, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && matches(entry.name))
      .map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs)
  })
  return Math.max(0, ...times)
}

/** Sources that are newer than what was made of them; an empty text when the build is fresh. */
function staleness() {
  const isSource = (name) => name.endsWith('.ts')
  const sources = newest(
    ['src', 'lab', 'examples', 'bench', 'scenarios', 'hostile', 'tsconfig.json', 'tsconfig.dev.json'],
    isSource,
  )
  const native = newest(['native', 'binding.gyp'])
  const compiled = newest(['dist'], (name) => name.endsWith('.js'))
  const addon = newest(['build/Release'], (name) => name.endsWith('.node'))
  if (compiled === 0 || addon === 0) return 'nothing is built yet'
  if (sources > compiled) return 'TypeScript changed since the last build'
  if (native > addon) return 'C++ changed since the last build'
  if (newest(['lab/native']) > newest(['build/lab'], (name) => name.endsWith('.node')))
    return "the lab's C++ changed since the last build"
  return ''
}

async function build() {
  const reason = staleness()
  if (!reason) return
  console.log(`a build is needed: ${reason}`)
  const { ok, ended } = await run('build', process.execPath, ['scripts/build.mjs'])
  if (!ok) total.failed.push(ended || 'build: see its output above')
}

async function check() {
  const file = join(scratch, 'check.json')
  const { ok, ended } = await run('check', process.execPath, ['scripts/check.mjs', '--report', file])
  const report = readReport(file)
  for (const { name, state, reason } of report ?? []) {
    if (state === 'passed') total.passed++
    else if (state === 'failed') total.failed.push(name)
    else total.skipped.push({ name, reason })
  }
  if (!report || (!ok && !report.some(({ state }) => state === 'failed')))
    total.failed.push(ended || 'check: ended without a report')
}

async function native() {
  const { ok, output, ended } = await run('native', process.execPath, ['scripts/native-test.mjs'])
  const summary = output.match(/\d+ passed, \d+ failed(, \d+ skipped)?/g)?.at(-1)
  const [passed = 0, failed = 0, skipped = 0] = (summary?.match(/\d+/g) ?? []).map(Number)
  total.passed += passed
  const names = [...output.matchAll(/^\s*FAILED: (.+)$/gm)].map(([, name]) => `native test: ${name}`)
  for (let index = 0; index < failed; index++)
    total.failed.push(names[index] ?? 'native test: see its output above')
  for (let index = 0; index < skipped; index++)
    total.skipped.push({ name: 'native test', reason: 'see its output above' })
  if (!ok && failed === 0) total.failed.push(ended || 'native: failed without a failed test')
  else if (passed + failed === 0) total.failed.push('native: no test was run')
}

async function vitest(kind) {
  const file = join(scratch, `${kind}.json`)
  const { ok, ended } = await run(
    kind,
    join(root, 'node_modules/.bin/vitest'),
    [
      'run',
      '--project',
      kind,
      '--reporter',
      'default',
      '--reporter',
      join(root, 'scripts/test-reporter.mjs'),
    ],
    { NFB_TEST_REPORT: file },
  )
  const report = readReport(file) ?? { passed: 0, failed: [], skipped: [], running: [] }
  total.passed += report.passed
  total.failed.push(...report.failed)
  total.skipped.push(...report.skipped)
  if (ended) total.failed.push(`${ended}${report.running.length ? `, in ${report.running.join(', ')}` : ''}`)
  else if (!ok && report.failed.length === 0) total.failed.push(`${kind}: failed without a failed test`)
  else if (report.passed + report.failed.length + report.skipped.length === 0)
    total.failed.push(`${kind}: no test was run`)
}

/** `npm run scenarios`, every probe compared with `host.explain` as well: each scenario counts as a test. */
async function scenarios() {
  const args = ['build/scenarios/main.js', '--explain']
  const PATH = testPath(join(scratch, 'programs'))
  const { ok, output, ended } = await run('scenarios', process.execPath, args, { PATH })
  const [, count = 0] = /^scenarios=(\d+) probes=\d+ wrong=\d+$/m.exec(output)?.map(Number) ?? []
  const wrong = [...output.matchAll(/^(\S+): (?:broken|\d+ wrong),/gm)].map(([, name]) => `scenario: ${name}`)
  total.passed += count - wrong.length
  total.failed.push(...wrong)
  if (!ok && wrong.length === 0) total.failed.push(ended || 'scenarios: failed, see its output above')
  else if (count === 0) total.failed.push('scenarios: none was run')
}

/** `npm run hostile`, a minute of it, always with the same frames: none may arrive where nothing allows it. Other seeds are for longer runs. */
async function hostile() {
  const { ok, output, ended } = await run('hostile', process.execPath, [
    'build/hostile/main.js',
    '--minutes',
    '1',
    '--seed',
    '1',
  ])
  const failures = [...output.matchAll(/^FAILED \(\d+ times\): (.+)$/gm)].map(
    ([, what]) => `hostile: ${what}`,
  )
  total.failed.push(...failures)
  if (ok) total.passed++
  else if (failures.length === 0) total.failed.push(ended || 'hostile: failed, see its output above')
}

/** Kinds that have a command of their own (`npm run managers`), and need what a fresh machine may not get. */
const apart = new Set(['managers'])

function kindsOfTests() {
  const found = readdirSync(join(root, 'test'), { recursive: true })
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => path.split('/')[0])
    .filter((kind) => !apart.has(kind))
  return [...new Set([...kinds, ...found])]
}

const steps = new Map([
  ['check', check],
  ['native', native],
  ...kindsOfTests().map((kind) => [kind, () => vitest(kind)]),
  ['scenarios', scenarios],
  ['hostile', hostile],
])
for (const name of chosen)
  if (!steps.has(name)) {
    console.error(`there is no step ${name}, only ${[...steps.keys()].join(', ')}`)
    process.exit(2)
  }

/** Begun in this order, which has the longest first; a kind of tests that is new comes last. */
const order = ['kernel', 'native', 'process', 'unit']

/** What of `name` comes first. */
const place = (name) => (order.includes(name) ? order.indexOf(name) : order.length)

/** Kinds of tests that create network namespaces. */
const privileged = new Set(['kernel', 'conformance', 'process', 'scenarios', 'hostile'])

/** Why a step can't run here, if it can't. */
function lacking(name) {
  if (!privileged.has(name) || process.getuid?.() === 0) return ''
  return 'it creates network namespaces: run the tests as root, or in a user namespace (unshare -Urn npm test)'
}

title('prerequisites')
if (!ensurePrerequisites(['build', 'test'])) total.failed.push('prerequisites: see above')
await build()
async function runChosen(name) {
  if (chosen.length > 0 && !chosen.includes(name)) return
  if ((performance.now() - started) / 1000 > limits.total)
    total.failed.push(`${name}: not run, the limit of ${limits.total} s for all is used up`)
  else if (lacking(name))
    total.skipped.push({
      name: ['scenarios', 'hostile'].includes(name) ? `all of ${name}` : `all tests of test/${name}`,
      reason: lacking(name),
    })
  else await steps.get(name)()
}

/** Two at once: each waits for its packets half of the time. */
const waiting = [...steps.keys()].sort((one, other) => place(one) - place(other))
const times = []
await Promise.all(
  [1, 2].map(async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const begun = performance.now()
      await runChosen(name)
      times.push(`${name} ${formatSeconds((performance.now() - begun) / 1000)}`)
    }
  }),
)

title(`results after ${formatSeconds((performance.now() - started) / 1000)}`)
console.log(times.join(', '))
for (const { name, reason } of total.skipped) console.log(`skipped: ${name} (${reason})`)
for (const name of total.failed) console.log(`failed: ${name}`)
process.exitCode = total.failed.length > 0 ? 1 : 0
console.log(`${total.passed} passed, ${total.failed.length} failed, ${total.skipped.length} skipped`)
