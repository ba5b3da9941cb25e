import { describe, expect, it } from 'vitest'
import { processesStarted } from '../../../examples/demo/cost.js'
import { BLOCKED, isKept, reachedAs } from '../../../examples/demo/matrix.js'
import { run } from '../../support/tools.js'

const reached = (seen: string) =>
  ({ outcome: 'reached', seen, server: 'web', seenPort: 1, local: '172.17.0.2', localPort: 80 }) as const

describe('what the demo takes for a kept promise', () => {
  it.each([
    [reachedAs('172.17.0.3'), reached('172.17.0.3'), true],
    [reachedAs('172.17.0.3'), reached('172.17.0.1'), false],
    [reachedAs('172.17.0.3'), { outcome: 'timeout' } as const, false],
    [BLOCKED, { outcome: 'timeout' } as const, true],
    [BLOCKED, { outcome: 'refused' } as const, false],
    [BLOCKED, reached('172.17.0.3'), false],
    [BLOCKED, { outcome: 'unreachable', error: 'EHOSTUNREACH' } as const, false],
  ])('%j, seen %j: %s', (promised, outcome, kept) => {
    expect(isKept(promised, outcome)).toBe(kept)
  })

  it('a process that was started is counted, while it runs and after', async () => {
    const sleeping = run('sleep', ['0.2'])
    expect(processesStarted().running).toBeGreaterThanOrEqual(1)
    await sleeping
    expect(processesStarted().waitedFor).toBe(true)
  })
})
