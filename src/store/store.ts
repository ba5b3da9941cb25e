import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { NfbridgeError } from '../errors.js'

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
}

const SUFFIX = '.json'
const DRAFT = '.new'

/**
 * Opens a directory, made when it is missing; without one, a store that remembers nothing.
 * @throws NfbridgeError NFB_STATE_DAMAGED when the directory can't be used
 */
export function openStore(directory: string | undefined): Store {
  if (directory === undefined) return { put: () => undefined, list: () => [] }
  guarded('open', directory, () => mkdirSync(directory, { recursive: true, mode: 0o700 }))
  return new DirectoryStore(directory)
}

class DirectoryStore implements Store {
  readonly #directory: string
  readonly #kinds = new Set<string>()

  constructor(directory: string) {
    this.#directory = directory
  }

  put(kind: string, key: string, value: object | undefined): void {
    const file = join(this.#folder(kind), `${encodeURIComponent(key)}${SUFFIX}`)
    guarded('write', file, () => {
      if (value === undefined) {
        rmSync(file, { force: true })
        return
      }
      const draft = `${file}${DRAFT}`
      writeFileSync(draft, JSON.stringify(value), { mode: 0o600 })
      renameSync(draft, file)
    })
  }

  list(kind: string): { readonly key: string; readonly value: unknown }[] {
    const folder = this.#folder(kind)
    const found = guarded('read', folder, () => readdirSync(folder))
    // What a killed process was about to put in place.
    for (const name of found)
      if (name.endsWith(DRAFT)) guarded('remove', name, () => rmSync(join(folder, name)))
    const names = found.filter((name) => name.endsWith(SUFFIX))
    return names.sort().map((name) => {
      const file = join(folder, name)
      const value: unknown = guarded('read', file, () => JSON.parse(readFileSync(file, 'utf8')))
      return { key: decodeURIComponent(name.slice(0, -SUFFIX.length)), value }
    })
  }

  #folder(kind: string): string {
    const folder = join(this.#directory, kind)
    if (!this.#kinds.has(kind)) {
      guarded('open', folder, () => mkdirSync(folder, { recursive: true, mode: 0o700 }))
      this.#kinds.add(kind)
    }
    return folder
  }
}

/** A file that can't be used says which, and that the remedy is with the files. */
function guarded<T>(verb: string, file: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new NfbridgeError({
      code: 'NFB_STATE_DAMAGED',
      operation: `store.${verb}`,
      message:
        `can't ${verb} ${file}: ${error instanceof Error ? error.message : String(error)}; ` +
        'give another state directory, or mend or remove this file',
      cause: error,
    })
  }
}
