import { closeSync } from 'node:fs'
import { NfbridgeError } from '../errors.js'
import { errnoNumberOf, errnoOf, walk } from '../files/index.js'
import { checkPath } from '../input.js'
import type { Failure, NamespaceHandle } from '../native/addon.js'
import { errorOfAll, failed } from '../native/failure.js'
import { addon } from '../native/load.js'
import { readInput } from '../read-input.js'
import { namespaceNumber } from './number.js'

/** A network namespace held open by somebody, as {@link Namespace} is. */
export interface NamespaceDescriptor {
  /** The descriptor; the caller keeps it open for as long as the call lasts. */
  readonly fd: number
}

/**
 * Which network namespace is meant: the path of one (`/run/netns/web`, `/proc/1234/ns/net`), the id of a process that
 * is in it, or a descriptor of it.
 */
export type NamespaceSource = string | { readonly pid: number } | NamespaceDescriptor

/**
 * Opens the namespace that is meant.
 * @throws NfbridgeError NFB_NAMESPACE_GONE when there is none; NFB_NOT_PERMITTED when it may not be opened;
 * NFB_INVALID_ARGUMENT when the source is none of the three
 */
export function openSource(given: NamespaceSource, operation: string): NamespaceHandle {
  const source = readInput(given, operation, 'netns')
  if (typeof source === 'string') {
    return openPath(checkPath(source, operation, 'netns'), operation)
  }
  const found = namespaceNumber(source, operation, 'netns')
  if (found === undefined) throw invalidSource(operation)
  const { kind, number } = found
  return kind === 'pid'
    ? opened(addon.openNamespaceOfProcess(number), `process ${number}`, operation)
    : opened(addon.openNamespaceFd(number), `descriptor ${number}`, operation)
}

/** By no symbolic link that another user can have made: he would choose whose namespace it is. */
function openPath(path: string, operation: string): NamespaceHandle {
  const found = foundAt(path, operation)
  try {
    return opened(addon.openNamespace(`/proc/self/fd/${found}`), path, operation)
  } finally {
    closeSync(found)
  }
}

function foundAt(path: string, operation: string): number {
  try {
    return walk(path.startsWith('/') ? path : `${process.cwd()}/${path}`, 'trusted')
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const failure = {
      reason: 'system',
      errno: errnoNumberOf(error),
      call: 'open',
      message,
      index: -1,
      path: '',
    } as const
    if (errnoOf(error) !== 'EACCES') throw openError([failure], path, operation)
    throw new NfbridgeError({
      code: 'NFB_NOT_PERMITTED',
      operation,
      message,
      errno: 'EACCES',
      path: 'netns',
      cause: error,
    })
  }
}

const GONE: ReadonlySet<string> = new Set([
  'ENOENT',
  'ENOTDIR',
  'ESRCH',
  'EINVAL',
  'EBADF',
  'ENOTTY',
  'ELOOP',
  'EISDIR',
])

function opened(
  outcome: NamespaceHandle | readonly Failure[],
  what: string,
  operation: string,
): NamespaceHandle {
  if (!failed(outcome)) return outcome
  throw openError(outcome, what, operation)
}

function openError(failures: readonly Failure[], what: string, operation: string): NfbridgeError {
  const error = errorOfAll(failures, operation)
  if (error.errno === undefined || !GONE.has(error.errno)) return error
  const why = error.errno === 'ELOOP' ? ` (${failures[0]?.message})` : ''
  return new NfbridgeError({
    code: 'NFB_NAMESPACE_GONE',
    operation,
    message:
      `${what} is not a network namespace${why}; is its container still running? ` +
      'Give the path of a namespace that exists, such as /run/netns/<name> or /proc/<pid>/ns/net',
    errno: error.errno,
    path: 'netns',
    cause: error,
  })
}

function invalidSource(operation: string): NfbridgeError {
  return new NfbridgeError({
    code: 'NFB_INVALID_ARGUMENT',
    operation,
    message:
      'a namespace is a path, { pid } with a positive integer, { fd } with a descriptor, or a Namespace',
    path: 'netns',
  })
}
