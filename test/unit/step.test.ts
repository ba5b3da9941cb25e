import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { runStep } from '../../scripts/step.mjs'

/** Far below what the commands would take that must not be waited for, and far above what a slow machine needs. */
const LIMIT_SECONDS = 60
const quiet = { limit: LIMIT_SECONDS, quiet: true }

/** Whether a process stays; one that nobody has reaped yet is gone. */
async function isAlive(pid: number): Promise<boolean> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    if (!existsSync(`/proc/${pid}`)) return false
    if (/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) return false
    await sleep(25)
  }
  return true
}

describe('a step of the tests', () => {
  it('gives code and whole output', async () => {
    const { ok, code, output } = await runStep('sh', ['-c', 'seq 20000; echo oops >&2; exit 3'], quiet)
    expect({ ok, code }).toEqual({ ok: false, code: 3 })
    expect(output).toContain('\n20000\n')
    expect(output).toContain('oops')
    expect(await runStep('true', [], quiet)).toMatchObject({ ok: true, code: 0, timedOut: false })
  })

  it('fails when the command is not there', async () => {
    const { ok, output } = await runStep('no-such-command', [], quiet)
    expect(ok).toBe(false)
    expect(output).toContain('no-such-command')
  })

  it('is ended at its limit, with what it started', async () => {
    const result = await runStep('sh', ['-c', 'sleep 600 & echo $!; wait'], { limit: 0.5, quiet: true })
    expect(result).toMatchObject({ ok: false, timedOut: true })
    expect(result.seconds).toBeLessThan(LIMIT_SECONDS)
    expect(await isAlive(Number(result.output))).toBe(false)
  })

  it('leaves nothing running behind it', async () => {
    const result = await runStep('sh', ['-c', 'sleep 600 & echo $!'], quiet)
    expect(result).toMatchObject({ ok: true, timedOut: false })
    expect(result.seconds).toBeLessThan(LIMIT_SECONDS)
    expect(await isAlive(Number(result.output))).toBe(false)
  })
})
