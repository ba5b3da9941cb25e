import { createHash, randomBytes } from 'node:crypto'
import { NfbridgeError } from '../../errors.js'
import { shortId } from './records.js'

/** Names as Docker has them: a letter or digit, then letters, digits, `_`, `.`, `-`. */
const CONTAINER_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/
/** Printable text, spaces only within: letters, marks, digits, punctuation and symbols of any script; nothing that steers a terminal. */
const CONTAINER_ID = /^(?! )[\p{L}\p{M}\p{N}\p{P}\p{S} ]+(?<! )$/u
const LONGEST_ID = 255
/** As Docker, podman and containerd make them. */
const HEXADECIMAL_ID = /^[0-9a-f]{12,64}$/
/** A label of a host name (RFC 1035 2.3.4). */
const LONGEST_LABEL = 63
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
  if (id.length <= LONGEST_ID && CONTAINER_ID.test(id)) return id
  const message = `${JSON.stringify(id)} is no container id: 1 to ${LONGEST_ID} printable characters, with no space at an end`
  throw invalidName(message, path)
}

/**
 * The host name of a container that is given none: the short id, as in Docker. What is no hexadecimal number says something in all of
 * its characters, and the first 12 of several may be equal: there it is the whole id, as far as a host name can have it.
 */
export function defaultHostName(id: string): string {
  if (HEXADECIMAL_ID.test(id)) return shortId(id)
  const name = id
    .replace(/[^a-zA-Z0-9_.-]+/g, '-')
    .slice(0, LONGEST_LABEL)
    .replace(/[-.]*\.[-.]*/g, '.')
    .replace(/^[-.]+|[-.]+$/g, '')
  return isHostName(name) ? name : createHash('sha256').update(id).digest('hex').slice(0, 12)
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
