import { NfbridgeError } from '../errors.js'
import { show } from '../input.js'

/** IFNAMSIZ of linux/if.h, less the terminating NUL. */
const LONGEST_NAME = 15

/**
 * Checks the name of an interface by the rules of the kernel (`dev_valid_name` in net/core/dev.c): 1 to 15 bytes, no
 * `/`, no `:`, no white space, neither `.` nor `..`. A `%` is refused as well: the kernel takes it for a pattern.
 * @throws NfbridgeError NFB_INVALID_NAME
 */
export function checkInterfaceName(name: string, operation: string, path?: string): string {
  const reason = faultOf(name)
  if (reason === undefined) return name
  throw new NfbridgeError({
    code: 'NFB_INVALID_NAME',
    operation,
    message: `${show(name)} is no name for an interface: ${reason}`,
    path,
  })
}

function faultOf(name: unknown): string | undefined {
  if (typeof name !== 'string') return 'it is not a string'
  if (name === '') return 'it is empty'
  if (/\p{Surrogate}/u.test(name)) return 'half a character stands in it'
  const length = Buffer.byteLength(name)
  if (length > LONGEST_NAME) return `it has ${length} bytes, ${LONGEST_NAME} are the most`
  if (name === '.' || name === '..') return 'it would be a directory below /sys/class/net'
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  const wrong = /[/:%\s\u0000-\u001f\u007f]/.exec(name)
  return wrong === null ? undefined : `it contains ${JSON.stringify(wrong[0])}`
}
