// The C and C++ files that clang-format is responsible for.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

/** @returns {string[]} paths below the root of the repository */
export function nativeFiles() {
  return ['native', 'test/native', 'lab/native', 'bench'].flatMap((folder) => {
    let entries = []
    try {
      entries = readdirSync(join(root, folder), { recursive: true })
    } catch (error) {
      if (error.code !== 'ENOENT') throw error
    }
    return entries.filter((path) => /\.(c|cc|h)$/.test(path)).map((path) => join(folder, path))
  })
}

export const howToGetClangFormat = 'clang-format is missing: apt-get install clang-format'
