/**
 * The stable codes of {@link NfbridgeError}. `docs/errors.md` documents each: its cause and its remedy.
 * A code never changes its meaning between versions; new codes may be added.
 */
export type ErrorCode =
  // what the caller gave
  | 'NFB_INVALID_ARGUMENT'
  | 'NFB_INVALID_ADDRESS'
  | 'NFB_INVALID_PORT'
  | 'NFB_INVALID_NAME'
  | 'NFB_NAME_TAKEN'
  | 'NFB_ADDRESS_TAKEN'
  | 'NFB_ADDRESS_OUTSIDE_POOL'
  | 'NFB_PORT_TAKEN'
  | 'NFB_POOL_FULL'
  | 'NFB_POOL_OVERLAP'
  | 'NFB_BRIDGE_FULL'
  | 'NFB_SETTING_CONFLICT'
  | 'NFB_NOT_FOUND'
  | 'NFB_LINK_REFUSED'
  // what the system lacks or refuses
  | 'NFB_NAMESPACE_GONE'
  | 'NFB_NOT_PERMITTED'
  | 'NFB_NOT_SUPPORTED'
  | 'NFB_READ_ONLY'
  | 'NFB_LOAD_FAILED'
  // what the kernel answered
  | 'NFB_EXISTS'
  | 'NFB_MISSING'
  | 'NFB_BUSY'
  | 'NFB_REJECTED'
  | 'NFB_STALE_GENERATION'
  | 'NFB_DUMP_INCONSISTENT'
  | 'NFB_EVENTS_LOST'
  | 'NFB_TOO_LARGE'
  // the library's own state
  | 'NFB_CLOSED'
  | 'NFB_STATE_DAMAGED'
  | 'NFB_STATE_EXPOSED'
  | 'NFB_INTERNAL'

/** What an {@link NfbridgeError} is made of. */
export interface ErrorDetails {
  readonly code: ErrorCode
  /** The operation that failed, in the caller's words: `network.attach`, `nft.commit`. */
  readonly operation: string
  /** One sentence: what is wrong and, where there is one, what to do. */
  readonly message: string
  /** The errno name, such as `EPERM`, when a system call or the kernel refused. */
  readonly errno?: string | undefined
  /** The kernel's own words (extended acknowledgement), when it gave any. */
  readonly kernelMessage?: string | undefined
  /** Where in the caller's input the fault lies: `containers[3].expose[0]`, `operations[2].rule.expr[1]`. */
  readonly path?: string | undefined
  /** What could not be undone after a failure: names of interfaces, rules or sysctls that are left. */
  readonly remaining?: readonly string[] | undefined
  /** Further errors of the same call; the error itself is the first, that is, the cause. */
  readonly related?: readonly NfbridgeError[] | undefined
  readonly cause?: unknown
}

/** The one error type of nfbridge. Switch on {@link NfbridgeError.code}, never on the message. */
export class NfbridgeError extends Error {
  readonly code: ErrorCode
  readonly operation: string
  /** The sentence alone, without operation, path and errno around it. */
  readonly reason: string
  readonly errno: string | undefined
  readonly kernelMessage: string | undefined
  readonly path: string | undefined
  readonly remaining: readonly string[]
  readonly related: readonly NfbridgeError[]

  constructor(given: ErrorDetails) {
    const details = printed(given)
    super(render(details), details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'NfbridgeError'
    this.code = details.code
    this.operation = details.operation
    this.reason = details.message
    this.errno = details.errno
    this.kernelMessage = details.kernelMessage
    this.path = details.path
    this.remaining = details.remaining ?? []
    this.related = details.related ?? []
  }
}

/** `parent.child`, `parent[0]`, or only the child where there is no parent. */
export function joinPath(parent: string | undefined, child: string | number): string {
  if (typeof child === 'number') return `${parent ?? ''}[${child}]`
  if (parent === undefined || parent === '') return child
  return child === '' || child.startsWith('[') ? `${parent}${child}` : `${parent}.${child}`
}

/** What steers a terminal, ends a line, turns a text round, or is half a character: the input that an error quotes may have all of it. */
const UNPRINTABLE = /[\p{Cc}\u2028-\u202e\u2066-\u2069\p{Surrogate}]/gu

function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}

function printed(details: ErrorDetails): ErrorDetails {
  const { operation, message, kernelMessage, path, remaining } = details
  return {
    ...details,
    operation: printable(operation),
    message: printable(message),
    kernelMessage: kernelMessage === undefined ? undefined : printable(kernelMessage),
    path: path === undefined ? undefined : printable(path),
    remaining: remaining?.map(printable),
  }
}

function render(details: ErrorDetails): string {
  const where = details.path ? ` (at ${details.path})` : ''
  const errno = details.errno ? ` [${details.errno}]` : ''
  const kernel = details.kernelMessage ? `: the kernel says "${details.kernelMessage}"` : ''
  const left = details.remaining?.length ? `; left behind: ${details.remaining.join(', ')}` : ''
  return `${details.operation}: ${details.message}${where}${errno}${kernel}${left}`
}
