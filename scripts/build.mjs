// Builds the package in a checkout: the addon with node-gyp, where its sources are newer than the binary, the lab's, then
// the TypeScript projects that have sources. npm runs it as `prepare`, and `npm run build` does.
//
//   node scripts/build.mjs            all
//   node scripts/build.mjs --native   the addon only, whatever its age
//
// node-gyp writes to build/ as tsconfig.dev.json does. `node-gyp rebuild` and `clean` delete that directory; `configure
// build`, which is used here, leaves alone what it did not make.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, statSync, utimesSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withNodeHeaders } from './node-headers.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const require = createRequire(import.meta.url)
const binary = join(root, 'build', 'Release', 'nfbridge.node')

function fail(message) {
  console.error(`nfbridge: ${message}`)
  process.exit(1)
}

function run(file, args) {
  const result = spawnSync(process.execPath, [file, ...args], {
    cwd: root,
    stdio: 'inherit',
    env: withNodeHeaders(process.env),
  })
  if (result.error) fail(`${file} cannot be started: ${result.error.message}`)
  if (result.status !== 0) process.exit(result.status ?? 1)
}

/** The newest change of a file or of what is below a directory, in milliseconds; 0 when there is nothing. */
function newest(path) {
  if (!existsSync(path)) return 0
  const status = statSync(path)
  if (!status.isDirectory()) return status.mtimeMs
  // A directory's own time tells of files that were removed.
  return Math.max(status.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))))
}

function isFresh() {
  if (!existsSync(binary)) return false
  const sources = Math.max(newest(join(root, 'native')), newest(join(root, 'binding.gyp')))
  return statSync(binary).mtimeMs > sources
}

/** Says in one sentence what the compilation lacks, before node-gyp says it in fifty lines. */
function requireTools() {
  const missing = [
    ['g++', process.env.CXX ?? 'g++'],
    ['make', process.env.MAKE ?? 'make'],
    ['python3', process.env.PYTHON ?? 'python3'],
  ].filter(([, command]) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status !== 0)
  if (missing.length === 0) return
  const names = missing.map(([name]) => name)
  fail(
    `the addon cannot be compiled without ${names.join(', ')}: run \`apt install ${names.join(' ')}\` and build again.`,
  )
}

function buildNative() {
  requireTools()
  run(require.resolve('node-gyp/bin/node-gyp.js'), ['configure', 'build', '--silent'])
  if (!existsSync(binary)) fail(`node-gyp ended without ${binary}`)
  // make does not link again what did not change: fresh all the same.
  const now = new Date()
  utimesSync(binary, now, now)
}

/**
 * The lab's sockets, which are no part of the package: addons of one file each. Not targets of binding.gyp, because
 * node-gyp-build takes the first binary that it finds in build/Release.
 */
function buildLab() {
  for (const name of ['raw_socket', 'frame_socket']) buildLabAddon(name)
}

function buildLabAddon(name) {
  const source = join(root, 'lab', 'native', `${name}.cc`)
  const output = join(root, 'build', 'lab', `${name}.node`)
  if (!existsSync(source) || newest(output) > newest(source)) return
  requireTools()
  mkdirSync(dirname(output), { recursive: true })
  const { include_dir: headers } = createRequire(require.resolve('cmake-js/package.json'))('node-api-headers')
  const flags = [
    '-std=c++20',
    '-O2',
    '-Wall',
    '-Wextra',
    '-fPIC',
    '-shared',
    '-fvisibility=hidden',
    '-fno-exceptions',
  ]
  const args = [...flags, '-fno-rtti', '-DNAPI_VERSION=9', '-I', headers, source, '-o', output]
  const result = spawnSync(process.env.CXX ?? 'g++', args, { stdio: 'inherit' })
  if (result.status !== 0) fail(`lab/native/${name}.cc cannot be compiled: see above.`)
}

/** Whether any of the directories has a TypeScript source: tsc fails on a project without inputs. */
function hasSources(directories) {
  return directories.some((directory) => {
    const path = join(root, directory)
    return (
      existsSync(path) && readdirSync(path, { recursive: true }).some((name) => String(name).endsWith('.ts'))
    )
  })
}

function buildTypeScript() {
  const tsc = require.resolve('typescript/bin/tsc')
  if (hasSources(['src'])) run(tsc, ['-p', 'tsconfig.json', '--noCheck'])
  if (hasSources(['lab', 'examples', 'bench', 'scenarios', 'hostile']))
    run(tsc, ['-p', 'tsconfig.dev.json', '--noCheck'])
}

if (process.platform !== 'linux') fail('it speaks to the Linux kernel and is built on Linux only.')
if (process.argv.includes('--native')) {
  buildNative()
} else {
  if (!isFresh()) buildNative()
  buildLab()
  buildTypeScript()
}
