/** Loads the lab's addons (lab/native), which stand beside the compiled files. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

/** @param T its functions, as its source declares them */
export function loadAddon<T>(name: string): T {
  // vitest runs lab/*.ts from source.
  const folder = import.meta.url.endsWith('.ts') ? '../build/lab/' : './'
  const path = fileURLToPath(new URL(`${folder}${name}.node`, import.meta.url))
  if (!existsSync(path)) throw new Error(`${path} is missing: npm run build`)
  return createRequire(import.meta.url)(path)
}
