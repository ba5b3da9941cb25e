import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testPath } from '../../scripts/prerequisites.mjs'

/**
 * Vitest's global set-up: tests find the programs that the prerequisites name and no others, also when one file is run by hand.
 * Else this machine would hide what a fresh one lacks.
 */
export default function restrictPath(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'nfbridge-programs-'))
  chmodSync(folder, 0o755) // some programs are run as other users
  process.env.PATH = testPath(join(folder, 'bin'))
  return () => rmSync(folder, { recursive: true, force: true })
}
