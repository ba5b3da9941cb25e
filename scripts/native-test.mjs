// The native tests (test/native): configured and built by cmake-js in build-cmake/, with AddressSanitizer and
// UndefinedBehaviorSanitizer, and run. Exits non-zero when the build or a test fails; the last line is
// `N passed, N failed, N skipped`. `node scripts/native-test.mjs decode` runs the tests with `decode` in their names.
// Nothing is downloaded: package.json's binary.napi_versions makes cmake-js use the headers of its own dependency
// node-api-headers, and the tests use no header of Node.js at all.
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { availableParallelism } from 'node:os'
import { delimiter, join } from 'node:path'
import { root } from './native-files.mjs'
import { searchPath } from './prerequisites.mjs'

const folder = join(root, 'build-cmake')
const path = searchPath()
const env = {
  ...process.env,
  PATH: path,
  ASAN_OPTIONS: process.env.ASAN_OPTIONS ?? 'detect_stack_use_after_return=1:strict_string_checks=1',
  UBSAN_OPTIONS: process.env.UBSAN_OPTIONS ?? 'print_stacktrace=1',
}

function isInstalled(program) {
  return path.split(delimiter).some((place) => {
    try {
      accessSync(join(place, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function fail(message) {
  console.error(message)
  console.log('0 passed, 1 failed, 0 skipped')
  process.exit(1)
}

function run(command, args, quiet) {
  const result = spawnSync(command, args, { cwd: root, env, stdio: quiet ? 'pipe' : 'inherit' })
  if (result.error) fail(`${command}: ${result.error.message}`)
  if (result.status !== 0 && quiet) console.log(`${result.stdout}${result.stderr}`)
  return result.status === 0
}

if (!isInstalled('cmake'))
  fail(
    'The native tests need cmake: apt-get install cmake (Debian), dnf install cmake (Fedora), brew install cmake.',
  )

const cmakeJs = join(root, 'node_modules/cmake-js/bin/cmake-js')
const common = ['-d', root, '-O', folder, '-T', 'native_tests']
for (const step of [
  ['configure', ...common, '--CDNFB_SANITIZE=ON'],
  ['build', ...common, '-p', String(availableParallelism())],
])
  if (!run(process.execPath, [cmakeJs, ...step], true)) fail(`cmake-js ${step[0]} failed, see above`)

process.exitCode = run(join(folder, 'test/native/native_tests'), process.argv.slice(2), false) ? 0 : 1
