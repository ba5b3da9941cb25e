import { fstatSync, readFileSync } from 'node:fs'
import type { Namespace } from './namespace.js'

/**
 * Which namespace it is, among all that there are before the machine boots again. When it is gone, the kernel may give its
 * inode to another.
 */
export interface NamespaceIdentity {
  /** The kernel's id of this boot. */
  readonly boot: string
  /** Device and inode of the namespace's file: `4:4026531840`. */
  readonly file: string
}

export function identityOf(namespace: Namespace): NamespaceIdentity {
  const { dev, ino } = fstatSync(namespace.fd, { bigint: true })
  return { boot: bootId(), file: `${dev}:${ino}` }
}

/** Empty where there is none, as in a sandbox that is no Linux kernel: then all is of one boot. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
  } catch {
    return ''
  }
}
