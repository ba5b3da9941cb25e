import { readFileSync } from 'node:fs'
import { bootId } from './identity.js'

/**
 * Which process a path below /proc is about, among all that have its number before the machine boots again and after: the boot, and when it
 * began. Undefined for any other path, and where that process is gone.
 */
export function processOf(path: string): string | undefined {
  const [, pid] = /^\/proc\/(\d+)\//.exec(path) ?? []
  if (pid === undefined) return undefined
  try {
    // Its name stands in parentheses and may hold any character; what follows has none of them (proc_pid_stat(5)).
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(')').at(-1)?.trim().split(' ')
    const start = fields?.[START_TIME]
    return start === undefined ? undefined : `${bootId()}:${start}`
  } catch {
    return undefined
  }
}

/** Field 22, of those after the second. */
const START_TIME = 22 - 3
