import { closeSync, openSync, writeSync } from 'node:fs'

/** Takes all room of a file system with one file. */
export function fill(file) {
  const fd = openSync(file, 'a')
  for (const size of [4096, 1])
    try {
      for (;;) writeSync(fd, Buffer.alloc(size))
    } catch (error) {
      if (error.code !== 'ENOSPC') throw error
    }
  closeSync(fd)
}
