// `npm run managers`: NetworkManager, systemd-networkd and udev, the real ones of Debian's packages, beside hosts of ours. The packages
// are unpacked into a temporary folder and installed nowhere; the programs run in namespaces of their own (network, mounts, processes).
// The last line is `cases=N passed=N skipped=N failed=N`. Where the packages can't be had, it says why and ends well.
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './native-files.mjs'
import { ensurePrerequisites, searchPath } from './prerequisites.mjs'
import { runStep } from './step.mjs'

/** Seconds, for a run that hangs. */
const limit = 1800

/** What is run, and what runs beside it; apt adds what they need. */
const packages = ['systemd', 'udev', 'network-manager', 'dbus', 'libc-bin', 'coreutils']

const scratch = mkdtempSync(join(tmpdir(), 'nfbridge-managers-'))
chmodSync(scratch, 0o755) // the daemons give up being root
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }))
const env = { ...process.env, PATH: searchPath(), LC_ALL: 'C' }

function run(command, args) {
  const { status, stderr, error } = spawnSync(command, args, { env, encoding: 'utf8', timeout: 600_000 })
  if (status !== 0) throw new Error(`${command}: ${error?.message ?? stderr.trim().split('\n').at(-1)}`)
}

/** Downloads the packages with everything that they need, as on a machine that has none, and unpacks them. */
function unpack(folder) {
  const archives = join(scratch, 'archives')
  const status = join(scratch, 'status')
  mkdirSync(join(archives, 'partial'), { recursive: true })
  writeFileSync(status, '')
  const options = [
    `Dir::State::status=${status}`,
    `Dir::Cache::archives=${archives}`,
    'APT::Sandbox::User=root',
  ]
  run('apt-get', [
    ...['-y', '-q', '--no-install-recommends', '--download-only'],
    ...options.flatMap((option) => ['-o', option]),
    ...['install', ...packages],
  ])
  // Debian's folders since 12; a package that has /lib itself then unpacks through the link.
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    mkdirSync(join(folder, 'usr', name), { recursive: true })
    symlinkSync(`usr/${name}`, join(folder, name))
  }
  const files = readdirSync(archives).filter((name) => name.endsWith('.deb'))
  for (const name of files)
    run('sh', [
      '-c',
      'dpkg-deb --fsys-tarfile "$1" | tar -x --keep-directory-symlink -C "$2"',
      'unpack',
      join(archives, name),
      folder,
    ])
  const versions = files
    .map((name) => name.split('_'))
    .filter(([name]) => packages.slice(0, 4).includes(name))
    .map(([name, version]) => `${name} ${decodeURIComponent(version)}`)
  console.log(`packages: ${versions.join(', ')}`)
}

/** Why it can't run here, if it can't. */
function lacking(folder) {
  if (process.getuid?.() !== 0) return 'it makes mounts and network namespaces: run it as root'
  try {
    unpack(folder)
    return ''
  } catch (error) {
    return `the packages can't be had: ${error.message}`
  }
}

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return { passed: 0, failed: ['managers: ended without a report'], skipped: [] }
  }
}

const isReady = ensurePrerequisites(['build', 'test'])
const folder = join(scratch, 'root')
mkdirSync(folder)
const reason = lacking(folder)
if (reason) {
  console.log(`skipped: all (${reason})`)
  console.log('cases=0 passed=0 skipped=0 failed=0')
} else {
  const report = join(scratch, 'report.json')
  const namespaces = ['--net', '--mount', '--pid', '--ipc', '--uts', '--fork', '--mount-proc', '--kill-child']
  const vitest = ['run', '--project', 'managers', '--reporter', 'default']
  const { ok, timedOut } = await runStep(
    'unshare',
    [
      ...namespaces,
      ...[process.execPath, join(root, 'scripts/managers-machine.mjs'), folder],
      ...[join(root, 'node_modules/.bin/vitest'), ...vitest],
      ...['--reporter', join(root, 'scripts/test-reporter.mjs')],
    ],
    { limit, cwd: root, env: { ...env, TMPDIR: scratch, NFB_TEST_REPORT: report } },
  )
  const { passed, failed, skipped } = readReport(report)
  for (const one of skipped) console.log(`skipped: ${one.name} (${one.reason})`)
  for (const one of failed) console.log(`failed: ${one}`)
  if (timedOut) console.log(`managers: ended after its limit of ${limit} s`)
  const cases = passed + skipped.length + failed.length
  console.log(`cases=${cases} passed=${passed} skipped=${skipped.length} failed=${failed.length}`)
  process.exitCode = ok && isReady && failed.length === 0 && passed > 0 ? 0 : 1
}
