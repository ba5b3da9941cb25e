import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  mkdirSync,
  openSync,
  renameSync,
  type Stats,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { errnoOf, fileError, naming } from './errors.js'
import { findFile } from './regular.js'
import { type FollowedLinks, pathOf, walk } from './walk.js'

/** What is written into a new file. */
export interface NewFile {
  readonly text: string
  readonly encoding: 'utf8' | 'latin1'
  readonly mode: number
  /** Whose it becomes, where the process may give it away; undefined: the process's own. */
  readonly owner?: Pick<Stats, 'uid' | 'gid'> | undefined
}

/**
 * A directory that is held: a name in it means the same file, whatever becomes of the way to it. The names themselves are never
 * followed.
 */
export class Folder implements Disposable {
  readonly #fd: number
  /** As whoever opened it calls it: what errors say. */
  readonly #named: string

  private constructor(fd: number, named: string) {
    this.#fd = fd
    this.#named = named
  }

  /** @throws an error of `node:fs`, or one like it; as {@link walk} */
  static open(path: string, links: FollowedLinks): Folder {
    const fd = walk(path, links)
    if (fstatSync(fd).isDirectory()) return new Folder(fd, path)
    closeSync(fd)
    throw fileError('ENOTDIR', `${path} is not a directory`)
  }

  /** Its path without symbolic links. */
  get path(): string {
    return pathOf(this.#fd)
  }

  get status(): Stats {
    return fstatSync(this.#fd)
  }

  /** By which a call finds a name in it; only while it is open. */
  at(name: string): string {
    return `/proc/self/fd/${this.#fd}/${name}`
  }

  /** What is under a name; undefined: nothing. */
  find(name: string): Stats | undefined {
    try {
      const fd = this.#naming(() => findFile(this.at(name)))
      try {
        return fstatSync(fd)
      } finally {
        closeSync(fd)
      }
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined
      throw error
    }
  }

  /** Puts a new file in the place of what is under a name: who reads it finds the old one or the new one, never half. */
  replace(name: string, draft: string, file: NewFile): void {
    this.#naming(() => {
      try {
        writeNew(this.at(draft), file)
        renameSync(this.at(draft), this.at(name))
      } catch (error) {
        if (errnoOf(error) !== 'EEXIST') this.#discard(draft)
        throw error
      }
    })
  }

  make(name: string, mode: number): void {
    this.#naming(() => mkdirSync(this.at(name), { mode }))
  }

  /** Takes a file away, and no directory. That it is gone already is as good. */
  remove(name: string): void {
    try {
      this.#naming(() => unlinkSync(this.at(name)))
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd)
  }

  #discard(draft: string): void {
    try {
      this.remove(draft)
    } catch {
      // What went wrong before says more.
    }
  }

  #naming<T>(work: () => T): T {
    return naming(`/proc/self/fd/${this.#fd}`, this.#named, work)
  }
}

/** Nobody else's to read before it is what it should be. By its descriptor, since its name may be another file's by then. */
function writeNew(path: string, { text, encoding, mode, owner }: NewFile): void {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants
  const fd = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  try {
    writeFileSync(fd, text, encoding)
    if (owner) giveTo(fd, owner)
    fchmodSync(fd, mode)
  } finally {
    closeSync(fd)
  }
}

/** Only root gives files away. */
function giveTo(fd: number, { uid, gid }: Pick<Stats, 'uid' | 'gid'>): void {
  const now = fstatSync(fd)
  if (now.uid === uid && now.gid === gid) return
  try {
    fchownSync(fd, uid, gid)
  } catch (error) {
    if (errnoOf(error) !== 'EPERM' && errnoOf(error) !== 'EINVAL') throw error
  }
}
