// Compiles the binary that goes into the tarball: prebuilds/linux-<arch>/, one for all versions of Node, because the
// addon uses Node-API only. npm runs it as `prepack`. It needs no network where node-gyp finds the headers of the
// running Node (`--nodedir`, npm's `nodedir`, or beside the executable).
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withNodeHeaders } from './node-headers.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const require = createRequire(import.meta.url)

// prebuildify cleans build/, where the TypeScript of lab, examples and bench goes too: it works on a copy.
const copy = mkdtempSync(join(tmpdir(), 'nfbridge-prebuild-'))
try {
  for (const name of ['native', 'binding.gyp', 'package.json'])
    cpSync(join(root, name), join(copy, name), { recursive: true })
  const result = spawnSync(
    process.execPath,
    [
      require.resolve('prebuildify/bin.js'),
      '--napi',
      '--strip',
      '--node-gyp',
      require.resolve('node-gyp/bin/node-gyp.js'),
      '--target',
      process.versions.node,
    ],
    {
      cwd: copy,
      stdio: 'inherit',
      env: withNodeHeaders(process.env),
    },
  )
  if (result.status !== 0) {
    process.exitCode = result.status ?? 1
  } else {
    cpSync(join(copy, 'prebuilds'), join(root, 'prebuilds'), { recursive: true })
  }
} finally {
  rmSync(copy, { recursive: true, force: true })
}
