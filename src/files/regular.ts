/** Files of whoever calls us, or of a container: whatever stands under a path, what is done with it ends, and has no effect of its own. */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs'
import { fileError, naming } from './errors.js'

/** O_PATH, which `node:fs` does not name: the file is found and not opened. The same on every processor that Node.js runs on. */
export const FIND = 0o10000000

/** Opens what stands under a path, itself and not what a symbolic link leads to, without an effect on it. For {@link fstatSync}. */
export function findFile(path: string): number {
  return openSync(path, FIND | constants.O_NOFOLLOW)
}

/**
 * Opens a regular file, and no other: of a FIFO that nobody writes to, opening or reading would wait for ever, a device may have no end
 * and do something when it is opened, and a symbolic link leads to where somebody else wants.
 * @param named what an error calls it
 * @throws an error of `node:fs`, or one like it that says what it is
 */
export function openRegular(
  path: string,
  flags: number,
  named: string = path,
): { fd: number; status: Stats } {
  const found = naming(path, named, () => findFile(path))
  try {
    const status = fstatSync(found)
    refuseOther(status, named)
    // What was found, whatever stands under the path by now. A lease of somebody else would make it wait without O_NONBLOCK.
    const held = `/proc/self/fd/${found}`
    const { O_NONBLOCK, O_NOCTTY } = constants
    const fd = naming(held, named, () => openSync(held, flags | O_NONBLOCK | O_NOCTTY))
    return { fd, status }
  } finally {
    closeSync(found)
  }
}

function refuseOther(status: Stats, named: string): void {
  if (status.isFile()) return
  if (status.isSymbolicLink()) throw fileError('ELOOP', `${named} is a symbolic link, which is not followed`)
  throw fileError('EINVAL', `${named} is not a regular file`)
}

/**
 * Opens a regular file of our own, made where it is missing, in a directory that is nobody else's.
 * @throws as {@link openRegular}
 */
export function openOwn(path: string, flags: number): number {
  const { O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants
  const fd = openSync(path, flags | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0o600)
  try {
    refuseOther(fstatSync(fd), path)
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** Reads a regular file that may be another's. @throws EFBIG where there is more; EAGAIN where it grows meanwhile */
export function readAtMost(fd: number, { size }: Stats, most: number, named: string): Buffer {
  if (size > most) throw fileError('EFBIG', `${named} is larger than ${most} bytes`)
  const bytes = Buffer.allocUnsafe(size + 1)
  let length = 0
  for (;;) {
    const read = readSync(fd, bytes, length, bytes.length - length, null)
    if (read === 0) return bytes.subarray(0, length)
    length += read
    if (length > size) throw fileError('EAGAIN', `${named} grows while it is read`)
  }
}
