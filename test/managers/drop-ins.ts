/** The files that docs/network-managers.md shows: what is documented is what is tried. */
import { readFileSync } from 'node:fs'
import { configure } from './daemons.js'

const page = readFileSync(new URL('../../docs/network-managers.md', import.meta.url), 'utf8')
const files = new Map(
  [...page.matchAll(/`(\/etc\/[^`]+)`:\n\n```\n([^`]*)```/g)].map(([, path = '', text = '']) => [path, text]),
)

/** Writes one of them, until the test ends. */
export function useDropIn(path: string): void {
  const text = files.get(path)
  if (text === undefined) throw new Error(`docs/network-managers.md has no ${path}`)
  configure(path, text)
}
