import { basename, dirname } from 'node:path'
import { errnoOf, Folder } from '../files/index.js'

/**
 * Opens a directory, made with those above it where it is missing. Not by `mkdirSync`'s own `recursive`: where a file system says ENOENT
 * of a name in a folder that is there, as /proc does, it never ends; and it follows every symbolic link.
 */
export function openOrMake(path: string, mode: number): Folder {
  try {
    return Folder.open(path, 'trusted')
  } catch (error) {
    const above = dirname(path)
    if (errnoOf(error) !== 'ENOENT' || above === path) throw error
    using folder = openOrMake(above, mode)
    makeIn(folder, basename(path), mode)
    return Folder.open(path, 'trusted')
  }
}

/** Another process may be making it too. */
function makeIn(folder: Folder, name: string, mode: number): void {
  try {
    folder.make(name, mode)
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error
  }
}
