/** Room that was set aside while there was some: what is written into it needs no more, whatever else fills the file system. */
import { createHash } from 'node:crypto'
import { closeSync, constants, fstatSync, readSync, type Stats, writeSync } from 'node:fs'
import { errnoOf, fileError, openOwn } from '../files/index.js'
import { refuseExposed } from './exposure.js'

/** Of a text with its number and digest. */
const SLOT = 65_536
/** The text that stands, and the one that is being written. */
const SLOTS = 2
const BLOCK = 512

export interface Reserve {
  /** What was written last; undefined: nothing. */
  read(): string | undefined
  /** Whole or not at all, also where the process is killed. @throws as `node:fs`; EFBIG where the text is too long for it */
  write(text: string): void
}

/** Without a state directory everything is forgotten with the process. */
export const NO_RESERVE: Reserve = { read: () => undefined, write: () => undefined }

/**
 * Opens the file, made where it is missing. Where there is no room for it, nothing is set aside, and writing fails.
 * @throws an error of `node:fs`, or NfbridgeError NFB_STATE_EXPOSED
 */
export function openReserve(file: string): Reserve {
  try {
    withFile(file, constants.O_RDWR | constants.O_CREAT, (fd, status) => {
      if (!isAllocated(status)) writeAll(fd, Buffer.alloc(SLOT * SLOTS, '\n'), 0)
    })
  } catch (error) {
    if (!['ENOSPC', 'EDQUOT'].includes(errnoOf(error) ?? '')) throw error
  }
  return new FileReserve(file)
}

class FileReserve implements Reserve {
  readonly #file: string

  constructor(file: string) {
    this.#file = file
  }

  read(): string | undefined {
    return withFile(this.#file, constants.O_RDONLY, newest)?.text
  }

  write(text: string): void {
    withFile(this.#file, constants.O_RDWR, (fd, status) => {
      if (!isAllocated(status)) throw fileError('ENOSPC', `no room was set aside in ${this.#file}`)
      const number = (newest(fd)?.number ?? 0) + 1
      const body = `${number}\n${text}`
      const bytes = Buffer.from(`${body}\n${digest(body)}\n`)
      if (bytes.length > SLOT)
        throw fileError('EFBIG', `${text.length} characters do not fit into ${this.#file}`)
      const slot = Buffer.alloc(SLOT, '\n')
      bytes.copy(slot)
      writeAll(fd, slot, (number % SLOTS) * SLOT)
    })
  }
}

interface Slot {
  readonly number: number
  readonly text: string
}

/** Of a slot in which a process was killed the digest is another's. */
function newest(fd: number): Slot | undefined {
  const slots = Array.from({ length: SLOTS }, (_, index) => readSlot(fd, index * SLOT))
  return slots.flatMap((slot) => slot ?? []).sort((one, other) => other.number - one.number)[0]
}

function readSlot(fd: number, position: number): Slot | undefined {
  const bytes = Buffer.alloc(SLOT)
  const length = readSync(fd, bytes, 0, SLOT, position)
  const [, body, number, text, sum] =
    /^((\d+)\n(.*))\n(sha256:[0-9a-f]+)\n/s.exec(bytes.toString('utf8', 0, length)) ?? []
  if (body === undefined || text === undefined || sum !== digest(body)) return undefined
  return { number: Number(number), text }
}

/** A file with holes has no room for what belongs into them. */
function isAllocated({ size, blocks }: Stats): boolean {
  return size >= SLOT * SLOTS && blocks * BLOCK >= SLOT * SLOTS
}

function withFile<T>(file: string, flags: number, work: (fd: number, status: Stats) => T): T {
  const fd = openOwn(file, flags)
  try {
    const status = fstatSync(fd)
    refuseExposed(status, file)
    return work(fd, status)
  } finally {
    closeSync(fd)
  }
}

function writeAll(fd: number, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length; )
    done += writeSync(fd, bytes, done, bytes.length - done, position + done)
}

function digest(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex').slice(0, 32)}`
}
