/** Files of whoever calls us: whatever stands under a path, what is done with it ends. */
import { closeSync, constants, fstatSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs'
import { constants as osConstants } from 'node:os'
import { dirname } from 'node:path'

/**
 * Makes a folder with those above it. Not by `mkdirSync`'s own `recursive`: where a file system says ENOENT of a name in a folder that is
 * there, as /proc does, it never ends.
 */
export function makeFolder(folder: string, mode: number): void {
  try {
    mkdirSync(folder, { mode })
  } catch (error) {
    if (isDirectory(folder)) return
    const above = dirname(folder)
    if (errnoOf(error) !== 'ENOENT' || isDirectory(above) || above === folder) throw error
    makeFolder(above, mode)
    mkdirSync(folder, { mode })
  }
}

/**
 * Opens a regular file. Of a FIFO that nobody writes to, opening or reading would wait for ever; a device may have no end.
 * @throws an error of `node:fs`, or one like it that says what it is
 */
export function openRegular(file: string, flags: number, mode?: number): number {
  const fd = openSync(file, flags | constants.O_NONBLOCK | constants.O_NOCTTY, mode)
  try {
    if (fstatSync(fd).isFile()) return fd
    throw Object.assign(new Error(`${file} is not a regular file`), {
      code: 'EINVAL',
      errno: -osConstants.errno.EINVAL,
    })
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** Reads a regular file. @throws as {@link openRegular} */
export function readRegular(file: string, encoding: 'utf8' | 'latin1'): string {
  const fd = openRegular(file, constants.O_RDONLY)
  try {
    return readFileSync(fd, encoding)
  } finally {
    closeSync(fd)
  }
}

/** `ENOENT`, of an error of `node:fs`. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
  } catch {
    return false
  }
}
