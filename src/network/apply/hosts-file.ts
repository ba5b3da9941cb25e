/**
 * A hosts file on the disk. It lies where a container may do to it what it wants, and to the directories around it: so no symbolic link
 * is followed on the way to it, nothing but a regular file is opened, and of that no more is read than a hosts file has.
 */
import { randomBytes } from 'node:crypto'
import { closeSync, constants } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { NfbridgeError } from '../../errors.js'
import { errnoOf, Folder, fileError, openRegular, readAtMost } from '../../files/index.js'

/** Bytes of a hosts file; some 8,000 lines. All are looked through each time that a server comes or goes, while everything else waits. */
const MOST = 256 * 1024
const DEFAULT_MODE = 0o644
/** Nobody's bits to run it, least of all with the rights of its owner: the lines of others may be a program. */
const KEPT_MODE = 0o666
/** Bytes as they are, whatever the lines of others hold; ours are ASCII. */
const ENCODING = 'latin1'

/**
 * A path as it is from now on: its directory is found as the caller means it, through symbolic links that nobody but root or this process
 * can have made. One that comes later, and one in the place of the file itself, is not followed.
 * @throws NfbridgeError as {@link readHostsFile}
 */
export function realHostsFile(file: string, path: string): string {
  return guarded(file, path, () => {
    using folder = Folder.open(dirname(file), 'trusted')
    return join(folder.path, nameOf(file))
  })
}

/**
 * @returns undefined: there is none
 * @throws NfbridgeError NFB_NOT_PERMITTED, NFB_INVALID_ARGUMENT; put in place of one that can't be read, ours would be its only lines
 */
export function readHostsFile(file: string, path?: string): string | undefined {
  return guarded(file, path, () => {
    const name = nameOf(file)
    try {
      using folder = open(file)
      const { fd, status } = openRegular(folder.at(name), constants.O_RDONLY, file)
      try {
        // It may be a file that its owner could not read, brought here by another name for it.
        if (status.nlink > 1) throw fileError('EMLINK', `${file} has other names (hard links)`)
        return readAtMost(fd, status, MOST, file).toString(ENCODING)
      } finally {
        closeSync(fd)
      }
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined
      throw error
    }
  })
}

/** Replaces a file as a whole: a reader finds the old text or the new one, never half. Its mode stays, and whose it is. */
export function replaceHostsFile(file: string, text: string, path?: string): void {
  guarded(file, path, () => {
    if (text.length > MOST) throw fileError('EFBIG', `${file} would have more than ${MOST} bytes`)
    using folder = open(file)
    const name = nameOf(file)
    const found = folder.find(name)
    if (found && !found.isFile()) throw fileError('EINVAL', `${file} is not a regular file`)
    const mode = found ? found.mode & KEPT_MODE : DEFAULT_MODE
    const draft = `.${name}.${randomBytes(6).toString('hex')}`
    folder.replace(name, draft, { text, encoding: ENCODING, mode, owner: found })
  })
}

export function removeHostsFile(file: string): void {
  guarded(file, undefined, () => {
    using folder = open(file)
    folder.remove(nameOf(file))
  })
}

function open(file: string): Folder {
  return Folder.open(dirname(file), 'none')
}

function nameOf(file: string): string {
  const name = basename(file)
  if (name !== '' && name !== '.' && name !== '..') return name
  throw fileError('EISDIR', `${file} is a directory`)
}

const REFUSED: ReadonlySet<string | undefined> = new Set(['EACCES', 'EPERM', 'EROFS'])

function guarded<T>(file: string, path: string | undefined, work: () => T): T {
  try {
    return work()
  } catch (error) {
    const errno = errnoOf(error)
    const reason = error instanceof Error ? error.message : String(error)
    throw new NfbridgeError({
      code: REFUSED.has(errno) ? 'NFB_NOT_PERMITTED' : 'NFB_INVALID_ARGUMENT',
      operation: 'hostsFile',
      message: `can't keep the hosts file ${file}: ${reason}`,
      errno,
      path,
      cause: error,
    })
  }
}
