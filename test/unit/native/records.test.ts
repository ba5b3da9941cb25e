import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const file = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url))

test('src/native/records.ts is what the tables of the addon give: `npm run generate` writes it', () => {
  const generated = execFileSync(process.execPath, [file('scripts/generate-records.mjs'), '--print'], {
    encoding: 'utf8',
  })
  expect(generated.length).toBeGreaterThan(10_000)
  expect(readFileSync(file('src/native/records.ts'), 'utf8')).toBe(generated)
})
