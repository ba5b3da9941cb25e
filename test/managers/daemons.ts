/** The daemons of Debian's packages, in the namespaces that scripts/managers-machine.mjs made for this process. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'vitest'
import { cleanUp } from '../support/clean-up.js'
import { run } from '../support/tools.js'

/** The folder that is the root of the daemons; undefined where this is not `npm run managers`. */
export const managersRoot = process.env.NFB_MANAGERS_ROOT

/** They refuse or ignore requests in what they take for a chroot. */
const ENV = { PATH: '/usr/sbin:/usr/bin', LC_ALL: 'C', SYSTEMD_IGNORE_CHROOT: '1', SYSTEMD_PAGER: '' }

function rootOf(): string {
  if (managersRoot === undefined) throw new Error('this is no machine of npm run managers')
  return managersRoot
}

/** Runs one of their programs, and gives what it printed, well or not. */
export async function runProgram(program: string, ...args: string[]): Promise<string> {
  const env = Object.entries(ENV).map(([name, value]) => `${name}=${value}`)
  const { stdout, stderr } = await run('unshare', [
    `--root=${rootOf()}`,
    ...['/usr/bin/env', '-i', ...env, program, ...args],
  ])
  return stdout + stderr
}

/** A file of the machine's configuration, until the test ends. */
export function configure(path: string, text: string): void {
  const file = join(rootOf(), path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text, { mode: path.endsWith('.nmconnection') ? 0o600 : 0o644 })
  cleanUp(() => rmSync(file, { force: true }))
}

/** Starts a program that stays, and ends it with the test. What it wrote of its state goes then. */
function start(program: string, args: readonly string[], states: readonly string[]): void {
  const log = openSync(join(rootOf(), 'tmp', `${program.replaceAll('/', '_')}.log`), 'w')
  const child = spawn('unshare', [`--root=${rootOf()}`, program, ...args], {
    env: { ...process.env, ...ENV, PATH: `${process.env.PATH}:${ENV.PATH}` },
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  cleanUp(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit')
      child.kill()
      await ended
    }
    for (const folder of states)
      if (existsSync(folder))
        for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true })
  })
}

async function startBus(): Promise<void> {
  if (existsSync('/run/dbus/system_bus_socket')) return
  start('/usr/bin/dbus-daemon', ['--system', '--nofork', '--nopidfile'], ['/run/dbus'])
  await expect.poll(() => existsSync('/run/dbus/system_bus_socket')).toBe(true)
}

/** udev; knows the interfaces that there are by then, or those of a name. */
export async function startUdev(name = '*'): Promise<void> {
  start('/lib/systemd/systemd-udevd', [], ['/run/udev'])
  await expect.poll(() => existsSync('/run/udev/control')).toBe(true)
  const which = ['--subsystem-match=net', `--sysname-match=${name}`]
  await runProgram('udevadm', 'trigger', ...which, '--action=add', '--settle')
}

/** Until udev has nothing left to do: it heard of an interface before its maker went on. */
export async function settleUdev(): Promise<void> {
  await runProgram('udevadm', 'settle')
}

const LINKS = '/run/systemd/netif/links'

/** What systemd-networkd says of an interface: `unmanaged`, `configured`, `pending`. */
export function networkdState(index: number): string | undefined {
  const file = join(LINKS, String(index))
  return existsSync(file) ? /^ADMIN_STATE=(.*)$/m.exec(readFileSync(file, 'utf8'))?.[1] : undefined
}

export async function startNetworkd(): Promise<void> {
  await startBus()
  start('/lib/systemd/systemd-networkd', [], [LINKS])
  await expect.poll(() => existsSync(LINKS) && readdirSync(LINKS).length > 0).toBe(true)
}

export async function startNetworkManager(): Promise<void> {
  await startBus()
  const folders = ['/run/NetworkManager', join(rootOf(), 'var/lib/NetworkManager')]
  start('/usr/sbin/NetworkManager', ['--debug'], folders)
  await expect.poll(() => runProgram('nmcli', '-t', '-f', 'STARTUP', 'general')).toBe('started\n')
}

/** What NetworkManager says of an interface: `unmanaged`, `connected (externally)`. */
export async function networkManagerState(name: string): Promise<string | undefined> {
  const lines = (await runProgram('nmcli', '-t', '-f', 'DEVICE,STATE', 'device')).split('\n')
  return lines.find((line) => line.startsWith(`${name}:`))?.slice(name.length + 1)
}
