import { constants } from 'node:os'
import { type ErrorCode, joinPath, NfbridgeError } from '../errors.js'
import type { Failure, Outcome } from './addon.js'

/** Turns the index of a message and the path in its record into a path in what the caller gave. */
export type Locate = (index: number, path: string) => string

const ERRNO_NAMES: ReadonlyMap<number, string> = new Map([
  ...Object.entries(constants.errno).map(([name, number]): [number, string] => [number, name]),
  // What Linux has beyond POSIX (asm-generic/errno.h) and netlink answers with.
  [11, 'EAGAIN'],
  [76, 'ENOTUNIQ'],
  [85, 'ERESTART'],
  [94, 'ESOCKTNOSUPPORT'],
  [95, 'EOPNOTSUPP'],
  [96, 'EPFNOSUPPORT'],
  [108, 'ESHUTDOWN'],
  [109, 'ETOOMANYREFS'],
  [112, 'EHOSTDOWN'],
  [117, 'EUCLEAN'],
  [524, 'ENOTSUPP'],
])

interface Meaning {
  readonly code: ErrorCode
  readonly sentence: string
}

const NOT_PERMITTED: Meaning = {
  code: 'NFB_NOT_PERMITTED',
  sentence:
    'the system does not permit it: it needs CAP_NET_ADMIN (to enter or create a namespace also CAP_SYS_ADMIN) in ' +
    'the user namespace that owns the network namespace; run as root, or in a user namespace of your own',
}
const MISSING: Meaning = { code: 'NFB_MISSING', sentence: 'what it names does not exist' }
const NOT_SUPPORTED: Meaning = {
  code: 'NFB_NOT_SUPPORTED',
  sentence: 'this kernel does not support it (the kernel may be too old, or a module may be missing)',
}

/** errno to code: the one place where this is decided. */
const BY_ERRNO: ReadonlyMap<string, Meaning> = new Map([
  ['EPERM', NOT_PERMITTED],
  ['EACCES', NOT_PERMITTED],
  [
    'EROFS',
    {
      code: 'NFB_READ_ONLY',
      sentence: 'the file system is mounted read-only, as container runtimes mount /proc/sys',
    },
  ],
  ['EEXIST', { code: 'NFB_EXISTS', sentence: 'it exists already' }],
  ['ENOENT', MISSING],
  ['ENODEV', MISSING],
  ['ESRCH', MISSING],
  ['ENXIO', MISSING],
  ['EADDRNOTAVAIL', MISSING],
  ['EBUSY', { code: 'NFB_BUSY', sentence: 'it is in use' }],
  ['EOPNOTSUPP', NOT_SUPPORTED],
  ['ENOTSUPP', NOT_SUPPORTED],
  ['EAFNOSUPPORT', NOT_SUPPORTED],
  ['EPROTONOSUPPORT', NOT_SUPPORTED],
  ['ENOSYS', NOT_SUPPORTED],
  [
    'ERESTART',
    { code: 'NFB_STALE_GENERATION', sentence: 'the ruleset has changed since it was listed: list it again' },
  ],
  [
    'ENFILE',
    { code: 'NFB_TOO_LARGE', sentence: 'the set is full: it has as many elements as it was declared for' },
  ],
  ['EMSGSIZE', { code: 'NFB_TOO_LARGE', sentence: 'it is too large for one send: split it into several' }],
])

/** What the kernel says of a set is another thing where the system says it of a call. */
const BY_SYSTEM_ERRNO: ReadonlyMap<string, Meaning> = new Map([
  [
    'EMFILE',
    {
      code: 'NFB_TOO_LARGE',
      sentence:
        "this process may have no more descriptors: raise its limit (ulimit -n), or close what isn't needed",
    },
  ],
  [
    'ENFILE',
    { code: 'NFB_TOO_LARGE', sentence: 'the system has no more descriptors: raise its limit (fs.file-max)' },
  ],
])

function meaningOf(failure: Failure, errno: string | undefined): Meaning {
  switch (failure.reason) {
    case 'kernel':
      return BY_ERRNO.get(errno ?? '') ?? { code: 'NFB_REJECTED', sentence: 'the kernel rejects it' }
    case 'system':
      return (
        BY_SYSTEM_ERRNO.get(errno ?? '') ??
        BY_ERRNO.get(errno ?? '') ?? {
          code: 'NFB_REJECTED',
          sentence: `the system call ${failure.call} failed`,
        }
      )
    case 'closed':
      return { code: 'NFB_CLOSED', sentence: 'the handle is closed' }
    case 'inconsistent':
      return {
        code: 'NFB_DUMP_INCONSISTENT',
        sentence: 'what was listed changed again and again while the kernel listed it: try again',
      }
    case 'overflow':
      return { code: 'NFB_EVENTS_LOST', sentence: 'messages of the kernel were lost: list again' }
    case 'too-large':
      return {
        code: 'NFB_TOO_LARGE',
        sentence: failure.call === 'dump' ? 'there is more than is to be read' : 'it is too large: split it',
      }
    case 'malformed':
      return failure.call === 'encode'
        ? { code: 'NFB_INVALID_ARGUMENT', sentence: 'it cannot be encoded' }
        : { code: 'NFB_INTERNAL', sentence: 'a message is malformed' }
  }
}

/** The name of an errno: `EPERM` for 1; `errno 999` for one that has none here. */
export function errnoName(errno: number): string | undefined {
  return errno === 0 ? undefined : (ERRNO_NAMES.get(errno) ?? `errno ${errno}`)
}

/** Whether a native call failed. */
export function failed<T>(outcome: Outcome<T>): outcome is readonly Failure[] {
  return Array.isArray(outcome)
}

function locateInBatch(index: number, path: string): string {
  return index < 0 ? path : joinPath(joinPath('operations', index), path)
}

/**
 * One failure as an error.
 * @param details `subject`: what was tried, in front of the message: `create bridge br0`
 */
export function errorOf(
  failure: Failure,
  operation: string,
  locate: Locate = locateInBatch,
  details: { readonly subject?: string | undefined; readonly related?: readonly NfbridgeError[] } = {},
): NfbridgeError {
  const errno = errnoName(failure.errno)
  const meaning = meaningOf(failure, errno)
  const kernel = failure.reason === 'kernel'
  const path = locate(failure.index, failure.path)
  const subject = details.subject === undefined ? '' : `${details.subject}: `
  const detail = kernel || failure.message === '' ? '' : ` (${failure.message})`
  return new NfbridgeError({
    code: meaning.code,
    operation,
    message: `${subject}${meaning.sentence}${detail}`,
    errno,
    kernelMessage: kernel && failure.message !== '' ? failure.message : undefined,
    path: path === '' ? undefined : path,
    related: details.related,
  })
}

/**
 * Failures as one error: the first is the cause, the rest are in its `related`.
 * @param subject what was tried by the message of the given index, for the sentence of the error
 */
export function errorOfAll(
  failures: readonly Failure[],
  operation: string,
  locate?: Locate,
  subject?: (index: number) => string | undefined,
): NfbridgeError {
  const [first, ...rest] = failures
  if (first === undefined) {
    return new NfbridgeError({
      code: 'NFB_INTERNAL',
      operation,
      message: 'a native call failed without saying why',
    })
  }
  const related = rest.map((each) => errorOf(each, operation, locate, { subject: subject?.(each.index) }))
  return errorOf(first, operation, locate, { subject: subject?.(first.index), related })
}

/**
 * What a native call returned, or its failures thrown as one error.
 * @param operation the operation in the caller's words: `rtnl.apply`
 * @param locate where a message of the batch and a property of its record are in what the caller gave; by default
 * `operations[index].path`
 * @throws NfbridgeError with the code that the table above gives to the reason and the errno
 */
export function unwrap<T>(outcome: Outcome<T>, operation: string, locate?: Locate): T {
  if (failed(outcome)) throw errorOfAll(outcome, operation, locate)
  return outcome
}
