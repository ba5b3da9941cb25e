import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { NfbridgeError } from '../../src/errors.js'
import { addon, isNativeAddon, loadAddon } from '../../src/native/load.js'

function loadError(root: string): NfbridgeError {
  try {
    loadAddon(root)
  } catch (error) {
    if (error instanceof NfbridgeError) return error
    throw error
  }
  throw new Error('it was loaded')
}

const libc = /glibc \d+\.\d+|musl/

test.each<[string, (folder: string) => void, RegExp]>([
  ['no binary', () => {}, /No native build was found/],
  [
    'a binary that is none',
    (folder) => writeFileSync(join(folder, 'nfbridge.node'), 'text'),
    /too short|invalid ELF/,
  ],
  [
    'an addon that is another',
    (folder) => {
      writeFileSync(
        join(folder, 'other.c'),
        'void *napi_register_module_v1(void *env, void *exports) { return exports; }\n',
      )
      execFileSync('gcc', ['-shared', '-fPIC', '-o', join(folder, 'nfbridge.node'), join(folder, 'other.c')])
    },
    /another version/,
  ],
])('%s: the error names the machine and the remedy', (_, prepare, reason) => {
  const root = mkdtempSync(join(tmpdir(), 'nfbridge-load-'))
  try {
    const folder = join(root, 'build', 'Release')
    mkdirSync(folder, { recursive: true })
    prepare(folder)
    const error = loadError(root)
    expect(error.code).toBe('NFB_LOAD_FAILED')
    expect(error.message).toContain(`${process.platform}-${process.arch}`)
    expect(error.message).toMatch(libc)
    expect(error.message).toMatch(reason)
    expect(error.message).toContain('npm run build')
  } finally {
    rmSync(root, { recursive: true })
  }
})

test('an addon is one when it has every export', () => {
  expect(isNativeAddon(addon)).toBe(true)
  expect(isNativeAddon({ ...addon })).toBe(false) // its functions are not enumerable
  for (const value of [null, undefined, 'text', {}, { schemas: [], messages: [] }])
    expect(isNativeAddon(value)).toBe(false)
})
