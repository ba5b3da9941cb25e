// `npm run check`: types, lint, format, import direction and the shape of the package, one after the other.
// With `--report FILE` the results are written as JSON too, for scripts/test.mjs.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { howToGetClangFormat, nativeFiles, root } from './native-files.mjs'
import { formatSeconds, runStep } from './step.mjs'

const tool = (name) => join(root, 'node_modules/.bin', name)
const results = []

/** Runs one step; shows its output only when it fails, for the rest is noise. */
async function step(name, command, args, limit = 600) {
  const { ok, output, timedOut, seconds } = await runStep(command, args, { limit, quiet: true, cwd: root })
  if (!ok) process.stdout.write(`\n--- ${name}\n${output.trimEnd()}\n\n`)
  if (timedOut) console.log(`${name} was ended after its limit of ${limit} s`)
  record(name, ok ? 'passed' : 'failed', formatSeconds(seconds))
  return { ok, output }
}

function record(name, state, note) {
  results.push({ name: `check: ${name}`, state, ...(state === 'skipped' ? { reason: note } : {}) })
  const mark = { passed: '✓', failed: '✗', skipped: '↓' }[state]
  console.log(`${mark} ${name} (${note})`)
}

/**
 * The package as it would be published, but for the binaries: freshly compiled, whatever the state of dist/. Packed without
 * running any script of package.json.
 */
async function packStage(stage) {
  for (const file of ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'docs'])
    if (existsSync(join(root, file))) cpSync(join(root, file), join(stage, file), { recursive: true })
  const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const { ok, output } = await runStep(
    'npm',
    ['pack', '--ignore-scripts', '--silent', '--pack-destination', stage],
    { limit: 60, quiet: true, cwd: stage },
  )
  if (!ok) process.stdout.write(output)
  return join(stage, `${name}-${version}.tgz`)
}

const reportAt = process.argv.indexOf('--report')
const stage = mkdtempSync(join(tmpdir(), 'nfbridge-check-'))
process.once('exit', () => rmSync(stage, { recursive: true, force: true }))

// What the compiler found out before is kept between two runs; what is published is only emitted here, and checked with the rest.
const known = join(root, 'node_modules/.cache/nfbridge/types.tsbuildinfo')
await step('types', tool('tsc'), ['-p', 'tsconfig.test.json', '--incremental', '--tsBuildInfoFile', known])
await step('declarations', tool('tsc'), ['-p', 'tsconfig.json', '--noCheck', '--outDir', join(stage, 'dist')])
await step('lint and format of TypeScript', tool('biome'), ['check', '.'])

const files = nativeFiles()
const clangFormat = await runStep('clang-format', ['--version'], { limit: 10, quiet: true })
if (!clangFormat.ok) record('format of C++', 'skipped', howToGetClangFormat)
else if (files.length > 0)
  await step('format of C++', 'clang-format', ['--dry-run', '--Werror', '--style=file', ...files])

await step('imports run downward', process.execPath, ['scripts/import-direction.mjs'])

const tarball = await packStage(stage)
await step('publint', tool('publint'), ['run', tarball, '--strict'])
// The package is ESM only; `require` of it works with require(esm), from Node.js 20.19.
await step('are the types wrong', tool('attw'), [tarball, '--profile', 'esm-only', '--no-emoji'])

const failed = results.filter(({ state }) => state === 'failed').length
const skipped = results.filter(({ state }) => state === 'skipped').length
console.log(`check: ${results.length - failed - skipped} passed, ${failed} failed, ${skipped} skipped`)
if (reportAt > 0) writeFileSync(process.argv[reportAt + 1], JSON.stringify(results))
process.exitCode = failed ? 1 : 0
