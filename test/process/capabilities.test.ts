import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import type { Namespace } from '../../src/index.js'
import { cleanUp, createMachines } from '../kernel/network/setting.js'
import { ownMounts } from '../support/own-mounts.js'
import { run } from '../support/tools.js'

const PROGRAM = fileURLToPath(new URL('./programs/capabilities.mjs', import.meta.url))
const UNIT = fileURLToPath(new URL('../../examples/systemd/sandboxes.service', import.meta.url))
const OTHER_USER = 65534
const TIME_LIMIT_MS = 60_000

const ALL = ['net_admin', 'sys_admin', 'net_raw', 'net_bind_service', 'sys_ptrace', 'dac_override'] as const
type Capability = (typeof ALL)[number]

/** What fails without one; docs/security.md has the same table. */
const NEEDED: Readonly<Record<Capability, readonly string[]>> = {
  net_admin: ['open'],
  sys_admin: ['open', 'Namespace.create'],
  // The first packets go by what neighbours knew of the address before.
  net_raw: [],
  net_bind_service: ['publish below 1024'],
  sys_ptrace: ['attach by a process of another user'],
  dac_override: ['a hosts file in a folder of another user'],
}

/** Makes every call with nothing but these capabilities. @returns what failed, and how */
async function failuresWith(
  capabilities: readonly string[],
  before: readonly string[] = [],
): Promise<Record<string, string>> {
  const { host, machines } = await createMachines('web', 'app', 'other')
  const [web, app, other] = ['web', 'app', 'other'].map((name) => machines.get(name)?.namespace)
  if (!web || !app || !other) throw new Error('three machines')
  const folder = mkdtempSync(join(tmpdir(), 'nfbridge-capabilities-'))
  cleanUp(async () => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(join(folder, 'state'), { mode: 0o700 })
  mkdirSync(join(folder, 'others'), { mode: 0o700 })
  chownSync(join(folder, 'others'), OTHER_USER, OTHER_USER)
  const descriptors = [host.namespace, web, app, other].map((each: Namespace) => openSync(each.path(), 'r'))
  cleanUp(async () => descriptors.forEach(closeSync))
  const user = [`--reuid=${OTHER_USER}`, '--clear-groups', '--']
  const container = spawn('nsenter', [
    `--net=${app.path()}`,
    'setpriv',
    ...user,
    'sh',
    '-c',
    'echo; exec sleep 1000',
  ])
  cleanUp(async () => {
    container.kill('SIGKILL')
  })
  await once(container.stdout, 'data')
  const bounds = ['-all', ...capabilities.map((each) => `+${each}`)].join(',')
  const [program = '', ...words] = [
    ...before.map((word) => word.replace('STATE', folder)),
    ...['setpriv', `--bounding-set=${bounds}`, '--no-new-privs', process.execPath, PROGRAM],
    ...[folder, String(container.pid)],
  ]
  const { stdout, stderr } = spawnSync(program, words, {
    stdio: ['ignore', 'pipe', 'pipe', ...descriptors],
    encoding: 'utf8',
    timeout: TIME_LIMIT_MS,
    killSignal: 'SIGKILL',
  })
  expect(stderr).toBe('')
  return JSON.parse(stdout)
}

it('six capabilities are enough for every call', async () => {
  expect(await failuresWith(ALL)).toEqual({})
})

it.each(ALL)('without %s those calls fail that docs/security.md names, and say why', async (missing) => {
  const failed = await failuresWith(ALL.filter((each) => each !== missing))
  expect(failed).toEqual(Object.fromEntries(NEEDED[missing].map((name) => [name, 'NFB_NOT_PERMITTED'])))
})

it('the systemd unit of the examples lets every call through, but into folders of others', async () => {
  const directives = readFileSync(UNIT, 'utf8')
  expect(directives).toMatch(/^ProtectSystem=strict$/m)
  expect(directives).toMatch(/^NoNewPrivileges=yes$/m)
  const bounding = /^CapabilityBoundingSet=(.+)$/m.exec(directives)?.[1] ?? ''
  const capabilities = bounding.split(' ').map((each) => each.replace('CAP_', '').toLowerCase())
  // As ProtectSystem=strict with a StateDirectory; in a chroot the root itself is no mount.
  const readOnly = `
    for each in /*; do
      case $each in /proc|/sys|/dev) continue;; esac
      test -d "$each" && ! test -L "$each" || continue
      mount --rbind "$each" "$each" && mount -o remount,bind,ro "$each" || exit
    done
    mount --bind "$1" "$1" && mount -o remount,bind,rw "$1" || exit
    test -w /usr && exit 9
    shift && exec "$@"`
  const failed = await failuresWith(capabilities, [
    'unshare',
    ...ownMounts(),
    'sh',
    '-c',
    readOnly,
    'sh',
    'STATE',
  ])
  expect(Object.keys(failed)).toEqual(NEEDED.dac_override)
})

it('systemd finds nothing wrong with the unit, and little that is exposed', async ({ skip }) => {
  const { code, stdout } = await run('sh', [
    '-c',
    'test -x /usr/bin/systemd-analyze || exit 127; /usr/bin/systemd-analyze security --no-pager --offline=true --threshold=40 "$1"',
    'sh',
    UNIT,
  ])
  skip(code === 127, 'there is no systemd-analyze here')
  expect(stdout).toContain('Overall exposure level for sandboxes.service')
  expect(code, stdout).toBe(0)
})
