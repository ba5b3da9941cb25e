import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { run } from '../../support/tools.js'

const sources = fileURLToPath(new URL('../../../examples/firewalls/', import.meta.url))
const compiled = fileURLToPath(new URL('../../../build/examples/firewalls/', import.meta.url))
const programs = readdirSync(sources)
  .filter((file) => file.endsWith('.ts') && file !== 'run.ts')
  .map((file) => file.replace(/\.ts$/, ''))

const start = (program: string, ...args: string[]): ReturnType<typeof run> =>
  run(process.execPath, [`${compiled}${program}.js`, ...args])

describe.each(programs)('examples/firewalls/%s', (program) => {
  it('installs its rules in a namespace of its own and prints them as nft does', async () => {
    expect(existsSync(`${compiled}${program}.js`), 'npm run build:ts').toBe(true)
    const demo = await start(program, '--demo')
    expect(demo.stderr).toBe('')
    expect(demo.code).toBe(0)
    expect(demo.stdout).toMatch(/^table (inet|ip) \w+ \{/)
    expect(demo.stdout).toContain('type filter hook')
  })

  it('prints its rules without asking the kernel, as text that nft reads', async () => {
    const printed = await start(program, '--print')
    expect(printed.stderr).toBe('')
    const checked = await run('unshare', ['--net', 'nft', '--check', '--file', '-'], printed.stdout)
    expect(checked.stderr).toBe('')
    expect(checked.code).toBe(0)
  })

  it('says how it is used, and what is wrong with a namespace', async () => {
    const unused = await start(program)
    expect(unused.code).toBe(2)
    expect(unused.stderr).toContain('--demo')
    const missing = await start(program, '/run/netns/there-is-none')
    expect(missing.code).toBe(1)
    expect(missing.stderr).toMatch(/^NFB_NAMESPACE_GONE: /)
  })
})

it('README.md names all six', () => {
  const readme = readFileSync(`${sources}README.md`, 'utf8')
  expect(programs).toHaveLength(6)
  for (const program of programs) expect(readme).toContain(`[${program}](${program}.ts)`)
})
