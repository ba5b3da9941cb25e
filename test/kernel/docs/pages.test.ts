/** Each page of docs/ about networks: its program is the one in examples/docs, prints what the page says, and works. */
import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { pages } from './pages.js'
import { programOf, readPage, runPage } from './stage.js'

it('every program in examples/docs belongs to a page', () => {
  const programs = readdirSync(new URL('../../../examples/docs/', import.meta.url))
  expect(programs.map((file) => file.replace(/\.mjs$/, '')).toSorted()).toEqual([...pages.keys()].toSorted())
})

describe.each([...pages])('docs/%s.md', (name, afterwards) => {
  const page = readPage(name)

  it('shows the program in examples/docs', () => {
    expect(page.program).toBe(programOf(name))
  })

  it('prints what the page says, and the packets agree', async () => {
    const { stdout, machines, close } = await runPage(page)
    try {
      const printed = stdout.split('\n').slice(0, -1)
      if (page.blocks.length === 0) expect(printed).toEqual(page.lines)
      else expect(printed.filter((line) => page.lines.includes(line))).toEqual(page.lines)
      for (const block of page.blocks) expect(stdout).toContain(block)
      await afterwards((machine) => {
        const found = machines.get(machine)
        if (!found) throw new Error(`the page names no machine ${machine}`)
        return found
      })
    } finally {
      await close()
    }
  })
})
