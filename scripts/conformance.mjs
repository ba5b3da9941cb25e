// `npm run conformance`: every case of test/conformance/tables by nft and by us, in namespaces of its own. Names what is
// skipped, with the reason, and what failed; the last line is `cases=N passed=N skipped=N failed=N`.
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './native-files.mjs'
import { ensurePrerequisites, searchPath } from './prerequisites.mjs'
import { runStep } from './step.mjs'

/** Seconds, for a run that hangs. */
const limit = 3600

const scratch = mkdtempSync(join(tmpdir(), 'nfbridge-conformance-'))
chmodSync(scratch, 0o711)
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }))

function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return { passed: 0, failed: ['conformance: ended without a report'], skipped: [] }
  }
}

const file = join(scratch, 'report.json')
const isReady = ensurePrerequisites(['build', 'test'])
const { ok, timedOut } = await runStep(
  join(root, 'node_modules/.bin/vitest'),
  [
    'run',
    '--project',
    'conformance',
    '--reporter',
    'default',
    '--reporter',
    join(root, 'scripts/test-reporter.mjs'),
  ],
  {
    limit,
    cwd: root,
    env: { ...process.env, PATH: searchPath(), TMPDIR: scratch, NFB_TEST_REPORT: file },
  },
)
const { passed, failed, skipped } = readReport(file)
const name = (full) => full.replace(/^\S+ > /, '')
for (const one of skipped) console.log(`skipped: ${name(one.name)} (${one.reason})`)
for (const one of failed) console.log(`failed: ${name(one)}`)
if (!isReady) console.log('conformance: prerequisites are missing, see above')
if (timedOut) console.log(`conformance: ended after its limit of ${limit} s`)
const cases = passed + skipped.length + failed.length
console.log(`cases=${cases} passed=${passed} skipped=${skipped.length} failed=${failed.length}`)
process.exitCode = ok && isReady && failed.length === 0 && passed > 0 ? 0 : 1
