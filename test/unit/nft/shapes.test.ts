import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const file = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url))

test('src/nft/json/shapes.ts is what the types of the model give: `npm run generate` writes it', () => {
  const generated = execFileSync(process.execPath, [file('scripts/generate-nft-shapes.mjs'), '--print'], {
    encoding: 'utf8',
  })
  expect(generated.length).toBeGreaterThan(10_000)
  expect(readFileSync(file('src/nft/json/shapes.ts'), 'utf8')).toBe(generated)
})
