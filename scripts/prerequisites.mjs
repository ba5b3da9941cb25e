// The programs that building and testing use; the package itself uses none. `node scripts/prerequisites.mjs [build|test]`
// (default: both). As root on Debian what is missing is installed; otherwise one sentence says how. Exits non-zero when
// something that is required is missing in the end. Runs before `npm ci`, so it imports nothing but Node.js.
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { pathToFileURL } from 'node:url'

const programs = [
  { name: 'g++', debian: 'g++', use: 'build', required: true },
  { name: 'make', debian: 'make', use: 'build', required: true },
  { name: 'python3', debian: 'python3', use: 'build', required: true },
  { name: 'nft', debian: 'nftables', use: 'test', required: true },
  { name: 'ip', debian: 'iproute2', use: 'test', required: true },
  { name: 'conntrack', debian: 'conntrack', use: 'test', required: true },
  { name: 'iptables-restore', debian: 'iptables', use: 'test', required: true },
  { name: 'ping', debian: 'iputils-ping', use: 'test', required: true },
  { name: 'cmake', debian: 'cmake', use: 'test', required: true },
  { name: 'clang-format', debian: 'clang-format', use: 'test', required: false },
]

/** An ordinary user of Debian has no sbin on the PATH, and `nft` and `ip` live there. */
export function searchPath() {
  const given = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  return [...new Set([...given, '/usr/sbin', '/sbin', '/usr/bin', '/bin'])].join(delimiter)
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function missing(uses) {
  const folders = searchPath().split(delimiter)
  return programs.filter(
    ({ name, use }) => uses.includes(use) && !folders.some((folder) => isExecutable(join(folder, name))),
  )
}

function aptGet(...args) {
  const env = { ...process.env, PATH: searchPath(), DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' }
  const stdio = ['ignore', 'inherit', 'inherit']
  return spawnSync('apt-get', ['-q', '-y', ...args], { env, stdio, timeout: 600_000 }).status === 0
}

/** @param {readonly ('build' | 'test')[]} uses @returns {boolean} whether everything required is there */
export function ensurePrerequisites(uses) {
  const before = missing(uses)
  if (before.length === 0) return true
  const packages = before.map(({ debian }) => debian)
  const names = before.map(({ name }) => name).join(', ')
  const install = ['install', '--no-install-recommends', ...packages]
  const debian = searchPath()
    .split(delimiter)
    .some((folder) => isExecutable(join(folder, 'apt-get')))
  if (process.getuid?.() === 0 && debian) {
    console.log(`${names} missing: installing ${packages.join(' ')} with apt-get`)
    // The package lists of a fresh image are empty or old: fetch them, and try with what is there if that fails.
    aptGet('update')
    aptGet(...install)
  }
  const still = missing(uses)
  const required = still.filter((program) => program.required)
  if (still.length > 0)
    console.log(
      `missing for ${uses.join(' and ')}: ${still.map(({ name, required }) => (required ? name : `${name} (optional)`)).join(', ')};` +
        ` on Debian, as root: apt-get install ${still.map(({ debian }) => debian).join(' ')}`,
    )
  return required.length === 0
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const wanted = ['build', 'test'].filter((use) => process.argv.length < 3 || process.argv.includes(use))
  process.exitCode = ensurePrerequisites(wanted) ? 0 : 1
}
