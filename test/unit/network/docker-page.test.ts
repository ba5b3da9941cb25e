import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const docs = new URL('../../../docs/', import.meta.url)
const page = readFileSync(new URL('docker.md', docs), 'utf8')
const options = readFileSync(new URL('../../../src/network/options.ts', import.meta.url), 'utf8')

describe('docs/docker.md', () => {
  it('has a row for every option of a host, a network, a container and its endpoint', () => {
    const rows = [...page.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name),
    )
    const missing = [
      'HostOptions',
      'NetworkOptions',
      'PoolOptions',
      'EndpointOptions',
      'ContainerOptions',
    ].flatMap((type) => optionsOf(type).filter((name) => !rows.includes(name)))
    expect(missing).toEqual([])
  })
})

/** Names of the properties that an interface of options.ts declares itself. */
function optionsOf(type: string): string[] {
  const body = new RegExp(`^export interface ${type} .*?^}`, 'ms').exec(options)?.[0] ?? ''
  const names = [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name = '']) => name)
  expect(names.length, type).toBeGreaterThan(1)
  return names
}

it('pages refer to pages, and to headings, that there are', () => {
  for (const file of readdirSync(docs).filter((name) => name.endsWith('.md'))) {
    const text = readFileSync(new URL(file, docs), 'utf8')
    for (const [, target = '', heading] of text.matchAll(/\]\(([\w-]+\.md)?(?:#([\w-]+))?\)/g)) {
      const other = target === '' ? text : readFileSync(new URL(target, docs), 'utf8')
      if (heading === undefined) continue
      const headings = [...other.matchAll(/^#+ (.*)$/gm)].map(([, words = '']) =>
        words
          .toLowerCase()
          .replaceAll(/[^\w -]/g, '')
          .replaceAll(' ', '-'),
      )
      expect(headings, `${file}: ${target}#${heading}`).toContain(heading)
    }
  }
})
