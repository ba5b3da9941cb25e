// Removes from dist/ what has no source in src/ any more: tsc leaves it, and it would go into the tarball. Part of `prepack`.
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './native-files.mjs'

const dist = join(root, 'dist')
if (existsSync(dist))
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    const made = join(entry.parentPath, entry.name)
    const source = join(root, 'src', made.slice(dist.length + 1).replace(/(\.d\.ts|\.js)$/, '.ts'))
    if (!existsSync(source)) rmSync(made, { recursive: true, force: true })
  }
