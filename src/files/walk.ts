import { closeSync, fstatSync, openSync, readlinkSync, type Stats, statfsSync } from 'node:fs'
import { fileError, naming } from './errors.js'
import { FIND, findFile } from './regular.js'
import { isKeptFromOthers, isOwnedByTrusted } from './trust.js'

/**
 * Which symbolic links on a way are followed: `none`, or those that nobody but root and this process can have made, and, from where a
 * link of /proc leads on (`/proc/1234/root`), none.
 */
export type FollowedLinks = 'none' | 'trusted'

/** As many as the kernel follows. */
const MOST_LINKS = 40

/**
 * Finds what is under a path, name by name: each directory on the way is held while the next name is looked up in it, so that what was
 * looked at is what is gone on from. The kernel's own way of following would look at nothing.
 * @returns a descriptor that finds it and has it not open
 * @throws an error of `node:fs`, or one like it; ELOOP for a symbolic link that is not followed, EACCES for one of another user
 */
export function walk(path: string, links: FollowedLinks): number {
  if (!path.startsWith('/')) throw fileError('EINVAL', `${path} is not an absolute path`)
  const parts = partsOf(path)
  let followed = links
  let count = 0
  let fd = findThere('/')
  try {
    for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
      const at = `/proc/self/fd/${fd}/${part}`
      let next = naming(at, path, () => findFile(at))
      const status = fstatSync(next)
      if (status.isSymbolicLink()) {
        closeSync(next)
        const directory = fstatSync(fd)
        const isKernels = isOfProcess(fd, directory)
        if (followed === 'none' || !(isKernels || isTrusted(status, directory)))
          throw notFollowed(fd, part, followed)
        count += 1
        if (count > MOST_LINKS)
          throw fileError('ELOOP', `there are too many symbolic links on the way to ${path}`)
        if (isKernels) {
          followed = 'none'
          next = findThere(at)
        } else {
          const target = readlinkSync(at)
          parts.unshift(...partsOf(target))
          next = findThere(target.startsWith('/') ? '/' : `/proc/self/fd/${fd}/.`)
        }
      }
      closeSync(fd)
      fd = next
    }
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** The path of what a descriptor has found, without symbolic links. */
export function pathOf(fd: number): string {
  return readlinkSync(`/proc/self/fd/${fd}`)
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.')
}

function findThere(path: string): number {
  return openSync(path, FIND)
}

function isTrusted(link: Stats, directory: Stats): boolean {
  return isOwnedByTrusted(link) && isKeptFromOthers(directory)
}

/** EACCES of another user's, as the kernel says it where `fs.protected_symlinks` makes it look (proc(5)). */
function notFollowed(fd: number, part: string, followed: FollowedLinks): Error {
  const link = `${pathOf(fd)}/${part} is a symbolic link`
  if (followed === 'none') return fileError('ELOOP', `${link}, which is not followed`)
  return fileError('EACCES', `${link} that another user may have made, and is not followed`)
}

/** Of linux/magic.h and linux/proc_fs.h. */
const PROC_SUPER_MAGIC = 0x9fa0
const PROC_ROOT_INO = 1

/** Whether links in a directory lead where their text does not say: those of each process in /proc do, /proc/self and its like don't. */
function isOfProcess(fd: number, { ino }: Stats): boolean {
  return ino !== PROC_ROOT_INO && statfsSync(`/proc/self/fd/${fd}/.`).type === PROC_SUPER_MAGIC
}
