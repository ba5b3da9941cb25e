import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { run } from '../support/tools.js'

const DEMO = fileURLToPath(new URL('../../build/examples/demo/main.js', import.meta.url))

interface Result {
  readonly ok: boolean
  readonly scenes: readonly { readonly attempts: readonly { readonly kept: boolean }[] }[]
  readonly cost: { readonly processesStarted: number; readonly transactions: number }
  readonly leftBehind: readonly string[]
}

function expectGood(stdout: string): void {
  const result: Result = JSON.parse(stdout)
  expect(result).toMatchObject({ ok: true, leftBehind: [], cost: { processesStarted: 0 } })
  expect(result.scenes).toHaveLength(5)
  expect(result.scenes.flatMap(({ attempts }) => attempts).length).toBeGreaterThan(60)
}

describe('the demo', () => {
  it('shows what the rules promise, as data', async () => {
    const { code, stdout, stderr } = await run(process.execPath, [DEMO, '--json'])
    expect(stderr).toBe('')
    expectGood(stdout)
    expect(code).toBe(0)
  })

  it('prints tables for a person', async () => {
    const { code, stdout } = await run(process.execPath, [DEMO])
    expect(code).toBe(0)
    expect(stdout).toContain('Everything is as the rules promise.')
    expect(stdout).toMatch(/^from \\ to +web:80 /m)
    expect(stdout).toMatch(/^processes started +0$/m)
  })

  it('runs as an ordinary user, or says what to do', async ({ skip }) => {
    const user = ['--reuid=65534', '--regid=65534', '--clear-groups', '--']
    const readable = await run('setpriv', [...user, 'test', '-r', DEMO])
    skip(readable.code !== 0, 'the ordinary user (65534) may not read this checkout')
    const { code, stdout, stderr } = await run('setpriv', [...user, process.execPath, DEMO, '--json'])
    if (code === 0) expectGood(stdout)
    else expect(stderr).toMatch(/^The demo needs network namespaces: run it as root .*\n$/)
  })

  it('refuses an argument that it does not know', async () => {
    const { code, stderr } = await run(process.execPath, [DEMO, '--jsn'])
    expect(code).toBe(2)
    expect(stderr).toContain('unknown argument --jsn')
  })
})
