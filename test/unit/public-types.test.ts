import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { programAt, programOf, unnameableTypes } from '../support/public-types.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

it('no export has a type in its public face that no entry point exports', () => {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const entries = Object.values<{ types?: string }>(exports).flatMap(({ types }) =>
    types === undefined ? [] : [join(root, types.replace(/^\.\/dist\//, 'src/').replace(/\.d\.ts$/, '.ts'))],
  )
  expect(entries.length).toBeGreaterThan(3)
  const sources = join(root, 'src/')
  const found = unnameableTypes(programAt(root, 'tsconfig.json'), entries, (file) => file.startsWith(sources))
  expect(found).toEqual([])
})

it('such a type is found wherever it stands, and nothing else', () => {
  const program = programOf({
    '/entry.ts': `export { Box, type Shape, make, type Named } from './inner.ts'`,
    '/inner.ts': `
      export interface Hidden {}
      export interface Base<T> { readonly base: T }
      export interface Named {}
      export interface Shape extends Base<Hidden> { readonly size: readonly Hidden[]; readonly name: Named }
      export class Box<T> {
        #secret: Hidden
        private secret: Hidden
        /** @internal */
        constructor(secret: Hidden) {}
        get value(): Hidden { const other: Hidden = {}; return other }
        put(value: T, by: (from: Hidden) => T): Named { return {} }
        /** @internal */
        forget(value: Hidden): void {}
      }
      export type Mixed = Hidden
      export function make(): Promise<Mixed> { const made: Hidden = {}; return made }
    `,
  })
  const found = unnameableTypes(program, ['/entry.ts'], () => true)
  expect(found).toEqual([
    'Box.put: Hidden',
    'Box.value: Hidden',
    'Shape.size: Hidden',
    'Shape: Base',
    'Shape: Hidden',
    'make: Mixed',
  ])
})
