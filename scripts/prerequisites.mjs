// The programs that building and testing use; the package itself uses none. `node scripts/prerequisites.mjs [build|test]`
// (default: both). As root on Debian what is missing is installed; otherwise one sentence says how. Exits non-zero when
// something that is required is missing in the end. Runs before `npm ci`, so it imports nothing but Node.js.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, mkdirSync, symlinkSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** By Debian package: what is used of it, and by what. Tests find these programs and no others: see testPath. */
const packages = [
  { debian: 'g++', use: 'build', required: true, programs: ['g++'] },
  { debian: 'make', use: 'build', required: true, programs: ['make'] },
  { debian: 'python3', use: 'build', required: true, programs: ['python3'] },
  {
    debian: 'coreutils',
    use: 'test',
    required: true,
    programs: 'cat chmod chown env ln mkdir mkfifo mknod seq sleep test timeout true'.split(' '),
  },
  { debian: 'gcc', use: 'test', required: true, programs: ['gcc'] },
  { debian: 'binutils', use: 'test', required: true, programs: ['as', 'ld', 'strip'] },
  { debian: 'bash', use: 'test', required: true, programs: ['bash'] },
  { debian: 'grep', use: 'test', required: true, programs: ['grep'] },
  { debian: 'dash', use: 'test', required: true, programs: ['sh'] },
  {
    debian: 'util-linux',
    use: 'test',
    required: true,
    programs: ['nsenter', 'prlimit', 'setpriv', 'unshare'],
  },
  { debian: 'mount', use: 'test', required: true, programs: ['mount', 'umount'] },
  { debian: 'nftables', use: 'test', required: true, programs: ['nft'] },
  { debian: 'iproute2', use: 'test', required: true, programs: ['ip', 'bridge', 'ss', 'tc'] },
  { debian: 'procps', use: 'test', required: true, programs: ['sysctl'] },
  { debian: 'conntrack', use: 'test', required: true, programs: ['conntrack'] },
  {
    debian: 'iptables',
    use: 'test',
    required: true,
    programs: ['iptables', 'ip6tables'].flatMap((name) =>
      ['', '-restore', '-save', '-nft', '-nft-restore', '-nft-save', '-legacy', '-legacy-restore'].map(
        (suffix) => name + suffix,
      ),
    ),
  },
  { debian: 'iputils-ping', use: 'test', required: true, programs: ['ping'] },
  { debian: 'tcpdump', use: 'test', required: true, programs: ['tcpdump'] },
  { debian: 'cmake', use: 'test', required: true, programs: ['cmake'] },
  { debian: 'clang-format', use: 'test', required: false, programs: ['clang-format'] },
]

const debianFolders = ['/usr/sbin', '/usr/bin', '/sbin', '/bin']

/** The folders of the PATH. An ordinary user of Debian has no sbin on it, and `nft` and `ip` live there. */
function searchFolders() {
  return (process.env.PATH ?? '').split(delimiter).filter(Boolean)
}

export function searchPath() {
  return [...new Set([...searchFolders(), ...debianFolders])].join(delimiter)
}

/** Where a program is: Debian's own before others of the same name. */
function locate(program) {
  return [...debianFolders, ...searchFolders()].map((folder) => join(folder, program)).find(isExecutable)
}

/**
 * Makes a folder with Node.js, npm and the programs above, and gives the PATH that has nothing else: a test that starts a program
 * which is named nowhere fails on every machine, and not only on a fresh one.
 * @param {string} folder is created
 */
export function testPath(folder) {
  mkdirSync(folder)
  symlinkSync(process.execPath, join(folder, 'node'))
  for (const program of ['npm', ...packages.flatMap(({ programs }) => programs)]) {
    const path = locate(program)
    if (path !== undefined) symlinkSync(path, join(folder, program))
  }
  return folder
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The packages of which a program is missing. */
function missing(uses) {
  return packages
    .filter(({ use }) => uses.includes(use))
    .map((one) => ({ ...one, programs: one.programs.filter((program) => locate(program) === undefined) }))
    .filter(({ programs }) => programs.length > 0)
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
  const wanted = before.map(({ debian }) => debian)
  const names = before.flatMap(({ programs }) => programs).join(', ')
  if (process.getuid?.() === 0 && locate('apt-get') !== undefined) {
    console.log(`${names} missing: installing ${wanted.join(' ')} with apt-get`)
    // The package lists of a fresh image are empty or old: fetch them, and try with what is there if that fails.
    aptGet('update')
    aptGet('install', '--no-install-recommends', ...wanted)
  }
  const still = missing(uses)
  if (still.length > 0)
    console.log(
      `missing for ${uses.join(' and ')}: ${still.map(({ programs, required }) => programs.join(', ') + (required ? '' : ' (optional)')).join(', ')};` +
        ` on Debian, as root: apt-get install ${still.map(({ debian }) => debian).join(' ')}`,
    )
  return still.every(({ required }) => !required)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const wanted = ['build', 'test'].filter((use) => process.argv.length < 3 || process.argv.includes(use))
  process.exitCode = ensurePrerequisites(wanted) ? 0 : 1
}
