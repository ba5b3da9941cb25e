import { spawnSync } from 'node:child_process'

/** Starts a program in user and network namespaces of its own, in which it is root. */
const OWN_NAMESPACES = ['--user', '--map-root-user', '--net', '--']

/**
 * Namespaces need root, or a user namespace in which we are root. Starts this program again inside one when it has to.
 * @returns true when the caller may go on; otherwise the program has run elsewhere, or can't, and the exit code is set
 */
export function becomeCapable(): boolean {
  if (process.getuid?.() === 0) return true
  if (spawnSync('unshare', [...OWN_NAMESPACES, 'true'], { timeout: 5_000 }).status !== 0) {
    process.stderr.write(
      'The demo needs network namespaces: run it as root (sudo npm run demo), or allow user namespaces ' +
        '(sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces above 0, and with AppArmor ' +
        'kernel.apparmor_restrict_unprivileged_userns=0).\n',
    )
    process.exitCode = 1
    return false
  }
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  const inside = spawnSync('unshare', [...OWN_NAMESPACES, ...again], { stdio: 'inherit', timeout: 60_000 })
  process.exitCode = inside.status ?? 1
  return false
}
