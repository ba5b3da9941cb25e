// Formats the C and C++ files in place.
import { spawnSync } from 'node:child_process'
import { howToGetClangFormat, nativeFiles, root } from './native-files.mjs'

const files = nativeFiles()
if (files.length > 0) {
  const { status, error } = spawnSync('clang-format', ['-i', '--style=file', ...files], {
    cwd: root,
    stdio: 'inherit',
  })
  if (error) console.error(error.code === 'ENOENT' ? howToGetClangFormat : error.message)
  process.exitCode = status ?? 1
}
