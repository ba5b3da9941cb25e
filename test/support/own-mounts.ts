import { readFileSync } from 'node:fs'

/**
 * The options of unshare(1) for mounts of one's own. It makes all mounts private, and fails where the root is no mount, as in a
 * chroot; where no mount is shared, what is mounted stays among them anyway.
 */
export function ownMounts(): readonly string[] {
  const isShared = / shared:/.test(readFileSync('/proc/self/mountinfo', 'utf8'))
  return isShared ? ['--mount'] : ['--mount', '--propagation', 'unchanged']
}
