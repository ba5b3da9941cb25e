import { constants } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import { NfbridgeError } from '../errors.js'
import { errorOfAll, failed } from '../native/failure.js'
import { addon } from '../native/load.js'
import { Namespace } from './namespace.js'

const OPERATION = 'netns.withNamespaceLock'
/** Longer than any change of a network takes, and than the adoption of thousands of containers. */
const LONGEST_WAIT_MS = 60_000
/** The kernel tells nobody that a lock is free without holding a thread. */
const RETRY_MS = 2

/**
 * Runs work that of all programs only one does at a time in a network namespace: the kernel's lock (flock(2)) of the
 * namespace's own file, which is one file wherever it is opened, and which goes with the process, however that ends.
 * It must not be asked for again by the work itself.
 * @throws NfbridgeError NFB_BUSY when another one has it for longer than `waitMs`; whatever the work throws
 */
export async function withNamespaceLock<T>(
  namespace: Namespace,
  work: () => Promise<T>,
  waitMs: number = LONGEST_WAIT_MS,
): Promise<T> {
  // Opened anew, not duplicated: the lock is of an open file, and whoever shares that has it already.
  using file = Namespace.open(namespace.path())
  const end = performance.now() + waitMs
  while (!take(file)) {
    if (performance.now() > end) throw busy(waitMs)
    await setTimeout(RETRY_MS)
  }
  return await work()
}

function take(file: Namespace): boolean {
  const outcome = addon.lockFile(file.fd)
  if (!failed(outcome)) return true
  if (outcome[0]?.errno === constants.errno.EAGAIN) return false
  throw errorOfAll(outcome, OPERATION)
}

function busy(waitMs: number): NfbridgeError {
  return new NfbridgeError({
    code: 'NFB_BUSY',
    operation: OPERATION,
    message:
      `another program has had the lock of the network namespace (flock(2) on its file, as /proc/self/ns/net) for ${waitMs} ms; ` +
      '/proc/locks says which process',
  })
}
