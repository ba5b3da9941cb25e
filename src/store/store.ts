import { createHash } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { constants as osConstants } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { type ErrorCode, NfbridgeError } from '../errors.js'
import { errnoOf, openOwn, openRegular } from '../files/index.js'
import { errorOfAll, failed } from '../native/failure.js'
import { addon } from '../native/load.js'
import { refuseExposed, refuseExposedWay } from './exposure.js'
import { openOrMake } from './files.js'
import { NO_RESERVE, openReserve, type Reserve } from './reserve.js'

/**
 * What must outlive the process and the kernel cannot hold: one small JSON file an object, so that a change costs the
 * same with ten objects or ten thousand. A file is replaced by a rename, so that a reader finds the old or the new one,
 * never half. Nothing waits for the disk (no fsync): a machine that loses its power loses its network namespaces too.
 */
export interface Store {
  /** Writes (a value) or removes (undefined) one object. */
  put(kind: string, key: string, value: object | undefined): void
  /** Every object of a kind, in the order of their keys. */
  list(kind: string): { readonly key: string; readonly value: unknown }[]
  /** The file that an object is in, for an error's sake. */
  fileOf(kind: string, key: string): string
  /** A text for which there is room on a full file system as well. */
  readonly reserve: Reserve
  /** Lets others open the directory. Idempotent. */
  close(): void
}

const SUFFIX = '.json'
const DRAFT = '.new'
const LOCK = 'lock'
const RESERVE = 'reserve'
/** Who waits for a lock asks so often: the kernel tells nobody that it is free without holding a thread. */
const RETRY_MS = 20

/**
 * Opens a directory, made when it is missing, for this store alone; without one, a store that remembers nothing.
 * @throws NfbridgeError NFB_STATE_EXPOSED when another user could change what is in it; NFB_STATE_DAMAGED when it can't be used; NFB_TOO_LARGE, NFB_NOT_PERMITTED or NFB_READ_ONLY
 * where that is not the directory's fault; NFB_BUSY when another store has it open, here,
 * in a worker thread or in another process
 */
export function openStore(directory: string | undefined): Store {
  if (directory === undefined) {
    const nothing = { put: () => undefined, list: () => [], close: () => undefined }
    return { ...nothing, fileOf: (kind) => kind, reserve: NO_RESERVE }
  }
  using folder = guarded('open', directory, () => openOrMake(resolve(directory), 0o700))
  refuseExposedWay(folder, directory)
  // Without symbolic links: what was looked at is what is used.
  const { path } = folder
  const held = lock(path)
  try {
    return new DirectoryStore(path, held)
  } catch (error) {
    closeSync(held)
    throw error
  }
}

/**
 * The same, and waits until the other store is closed.
 * @param waitMs for so long; then it fails with NFB_BUSY
 */
export async function awaitStore(directory: string | undefined, waitMs: number): Promise<Store> {
  const end = performance.now() + waitMs
  for (;;) {
    try {
      return openStore(directory)
    } catch (error) {
      const left = end - performance.now()
      if (!(error instanceof NfbridgeError) || error.code !== 'NFB_BUSY' || left <= 0) throw error
      await setTimeout(Math.min(RETRY_MS, left))
    }
  }
}

/** By the kernel's lock of a file, which goes with the process, however that ends. @returns the descriptor that holds it */
function lock(directory: string): number {
  const file = join(directory, LOCK)
  const fd = guarded('open', file, () => openOwn(file, constants.O_RDWR))
  try {
    refuseExposed(fstatSync(fd), file)
    const outcome = addon.lockFile(fd)
    if (failed(outcome)) {
      if (outcome[0]?.errno === osConstants.errno.EAGAIN) throw busy(directory, readFileSync(fd, 'utf8'))
      throw errorOfAll(outcome, 'store.open')
    }
    guarded('open', file, () => {
      ftruncateSync(fd)
      writeSync(fd, String(process.pid), 0)
    })
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function busy(directory: string, holder: string): NfbridgeError {
  const who =
    holder === '' ? 'somebody else' : Number(holder) === process.pid ? 'this process' : `process ${holder}`
  return new NfbridgeError({
    code: 'NFB_BUSY',
    operation: 'store.open',
    message: `${who} has the state directory ${directory} open: close that host first, or give another directory`,
    path: 'state',
  })
}

class DirectoryStore implements Store {
  readonly reserve: Reserve
  readonly #directory: string
  readonly #kinds = new Set<string>()
  #lock: number | undefined

  constructor(directory: string, lock: number) {
    this.#directory = directory
    this.#lock = lock
    const file = join(directory, RESERVE)
    const reserve = guarded('open', file, () => openReserve(file))
    this.reserve = {
      read: () => guarded('read', file, () => reserve.read()),
      write: (text) => guarded('write', file, () => reserve.write(text)),
    }
  }

  close(): void {
    if (this.#lock !== undefined) closeSync(this.#lock)
    this.#lock = undefined
  }

  put(kind: string, key: string, value: object | undefined): void {
    this.#folder(kind)
    const file = this.fileOf(kind, key)
    guarded('write', file, () => {
      if (value === undefined) {
        rmSync(file, { force: true })
        return
      }
      const draft = `${file}${DRAFT}`
      const text = textOf(value)
      try {
        writeDraft(draft, text)
        renameSync(draft, file)
      } catch (error) {
        removeDraft(draft)
        // A change that could not be written is taken back by writing what is still there.
        if (!holds(file, text)) throw error
      }
    })
  }

  fileOf(kind: string, key: string): string {
    return join(this.#directory, kind, `${encodeURIComponent(key)}${SUFFIX}`)
  }

  list(kind: string): { readonly key: string; readonly value: unknown }[] {
    const folder = this.#folder(kind)
    const found = guarded('read', folder, () => readdirSync(folder))
    // What a killed process was about to put in place.
    for (const name of found)
      if (name.endsWith(DRAFT)) guarded('remove', join(folder, name), () => rmSync(join(folder, name)))
    const names = found.filter((name) => name.endsWith(SUFFIX))
    return names.sort().map((name) => {
      const file = join(folder, name)
      const value: unknown = guarded('read', file, () => parseText(readOwn(file)))
      const key = guarded('read', file, () => decodeURIComponent(name.slice(0, -SUFFIX.length)))
      return { key, value }
    })
  }

  #folder(kind: string): string {
    const folder = join(this.#directory, kind)
    if (!this.#kinds.has(kind)) {
      using opened = guarded('open', folder, () => openOrMake(folder, 0o700))
      refuseExposed(opened.status, folder)
      this.#kinds.add(kind)
    }
    return folder
  }
}

/** In place of what a killed process left. */
function writeDraft(draft: string, text: string): void {
  const fd = openOwn(draft, constants.O_WRONLY | constants.O_TRUNC)
  try {
    writeFileSync(fd, text)
  } finally {
    closeSync(fd)
  }
}

/** Where it can't be, the next who opens the directory does. */
function removeDraft(draft: string): void {
  try {
    rmSync(draft, { force: true })
  } catch {}
}

function readOwn(file: string): string {
  const { fd, status } = openRegular(file, constants.O_RDONLY)
  try {
    refuseExposed(status, file)
    return readFileSync(fd, 'utf8')
  } finally {
    closeSync(fd)
  }
}

function holds(file: string, text: string): boolean {
  try {
    return readOwn(file) === text
  } catch {
    return false
  }
}

/** JSON in a line, and below it its digest, by which damage is known that leaves it JSON. */
function textOf(value: object): string {
  const json = JSON.stringify(value)
  return `${json}\n${digest(json)}\n`
}

/** A file that was mended by hand may go without the digest. */
function parseText(text: string): unknown {
  const [, json, sum] = /^(.*)\n(sha256:[0-9a-f]+)\n$/s.exec(text) ?? []
  if (json === undefined) return JSON.parse(text)
  if (sum === digest(json)) return JSON.parse(json)
  throw new TypeError(
    'its digest is that of another text (where it was mended by hand, take the last line away)',
  )
}

function digest(json: string): string {
  return `sha256:${createHash('sha256').update(json).digest('hex').slice(0, 32)}`
}

const LET_IN = 'let this user have the directory, and lead to it by no symbolic link of another user'

/** What is not the fault of a file, and whose remedy is elsewhere. */
const OUTSIDE: ReadonlyMap<string, { readonly code: ErrorCode; readonly remedy: string }> = new Map([
  ['ENOSPC', { code: 'NFB_TOO_LARGE', remedy: 'no file is damaged; make room on the file system' }],
  ['EDQUOT', { code: 'NFB_TOO_LARGE', remedy: "no file is damaged; make room in the user's quota" }],
  ['EMFILE', { code: 'NFB_TOO_LARGE', remedy: "raise the process's limit of descriptors (ulimit -n)" }],
  ['ENFILE', { code: 'NFB_TOO_LARGE', remedy: "raise the system's limit of descriptors (fs.file-max)" }],
  ['EACCES', { code: 'NFB_NOT_PERMITTED', remedy: LET_IN }],
  ['EPERM', { code: 'NFB_NOT_PERMITTED', remedy: LET_IN }],
  ['EFBIG', { code: 'NFB_TOO_LARGE', remedy: 'no file is damaged; make room on the file system' }],
  ['EROFS', { code: 'NFB_READ_ONLY', remedy: 'mount it writable, or give another state directory' }],
])

const DAMAGED = {
  code: 'NFB_STATE_DAMAGED',
  remedy: 'give another state directory, or mend or remove this file',
} as const

/** A file that can't be used says which, and where the remedy is. */
function guarded<T>(verb: string, file: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof NfbridgeError) throw error
    const errno = errnoOf(error)
    const { code, remedy } = OUTSIDE.get(errno ?? '') ?? DAMAGED
    throw new NfbridgeError({
      code,
      operation: `store.${verb}`,
      message: `can't ${verb} ${file}: ${error instanceof Error ? error.message : String(error)}; ${remedy}`,
      ...(verb === 'open' && { path: 'state' }),
      errno,
      cause: error,
    })
  }
}
