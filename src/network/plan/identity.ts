import { createHash, randomBytes } from 'node:crypto'
import { NfbridgeError } from '../../errors.js'

/** Names as Docker has them: a letter or digit, then letters, digits, `_`, `.`, `-`. */
const CONTAINER_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/
const CONTAINER_ID = /^[0-9a-f]{12,64}$/
/** RFC 1123 labels, of which a hosts file can hold any. */
const HOST_NAME = /^[a-zA-Z0-9_]([a-zA-Z0-9_-]*[a-zA-Z0-9_])?(\.[a-zA-Z0-9_]([a-zA-Z0-9_-]*[a-zA-Z0-9_])?)*$/

const OPERATION = 'network.identity'

/** A full id as Docker makes it: 64 hexadecimal digits. */
export function randomId(): string {
  return randomBytes(32).toString('hex')
}

/**
 * The name of a container's interface on the host: `veth` and eleven hexadecimal digits of a hash of the id, which fills
 * the kernel's 15 bytes. `attempt` gives another name when one is taken.
 */
export function hostInterfaceName(id: string, attempt = 0): string {
  const digest = createHash('sha256').update(attempt === 0 ? id : `${id}#${attempt}`)
  return `veth${digest.digest('hex').slice(0, 11)}`
}

export function checkContainerName(name: string, path: string): string {
  if (CONTAINER_NAME.test(name)) return name
  throw invalidName(
    `"${name}" is no container name: a letter or digit, then letters, digits, "_", "." or "-", at most 128`,
    path,
  )
}

export function checkContainerId(id: string, path: string): string {
  if (CONTAINER_ID.test(id)) return id
  throw invalidName(`"${id}" is no container id: 12 to 64 digits of 0-9a-f`, path)
}

export function checkHostName(name: string, path: string): string {
  if (isHostName(name)) return name
  throw invalidName(`"${name}" is no host name: labels of letters, digits, "-" and "_", joined by dots`, path)
}

/** Whether a hosts file can have it as a name. */
export function isHostName(name: string): boolean {
  return name.length <= 253 && HOST_NAME.test(name)
}

function invalidName(message: string, path: string): NfbridgeError {
  return new NfbridgeError({ code: 'NFB_INVALID_NAME', operation: OPERATION, message, path })
}
