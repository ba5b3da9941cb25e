import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { run } from '../support/tools.js'

const program = (name: string): string => fileURLToPath(new URL(`programs/${name}.mjs`, import.meta.url))

/** Runs a program of this folder in a process of its own, which ends by itself and says nothing on stderr. */
async function expectProgram(name: string, args: readonly string[] = [], flags: readonly string[] = []) {
  const result = await run(process.execPath, [...flags, program(name), ...args])
  expect({ code: result.code, stderr: result.stderr }).toEqual({ code: 0, stderr: '' })
  return result.stdout
}

describe('worker threads', () => {
  test('load the addon several times and work in parallel', () => expectProgram('parallel-workers'))
  test('are terminated during calls', () => expectProgram('terminate-worker'))
  test('enter a namespace for good', () => expectProgram('enter-thread'))
})

describe('process.exit', () => {
  test.each([
    ['in the turn of the calls', ['main', '0']],
    ['5 ms later', ['main', '5']],
    ['30 ms later', ['main', '30']],
    ['on the main thread, during calls of a worker thread', ['worker']],
  ])('during calls, %s', async (_, args) => {
    for (let round = 0; round < 5; round++) {
      const result = await run(process.execPath, [program('exit-during-calls'), ...args])
      expect({ code: result.code, stderr: result.stderr }).toEqual({ code: 7, stderr: '' })
    }
  })
})

describe('the event loop', () => {
  test('ends with handles open', async () => expect(await expectProgram('event-loop', ['idle'])).toBe(''))
  test('ends while somebody watches', async () =>
    expect(await expectProgram('event-loop', ['watch'])).toBe(''))
  test('waits for a call', async () => expect(await expectProgram('event-loop', ['call'])).toBe('0\n'))
  test('waits for a monitor', async () =>
    expect(await expectProgram('event-loop', ['monitor'])).toBe('true\n'))
})

describe('nothing is left', () => {
  test('of a thousand handles that were closed', () => expectProgram('open-close'))
  test('of handles that were collected, calls running', () => expectProgram('collect', [], ['--expose-gc']))
})

test('a process that cannot return to its namespace works in others', async ({ skip }) => {
  // A user namespace without a network namespace of its own: setns() back is refused.
  const { code, stderr } = await run('unshare', ['--user', '--map-root-user', 'true'])
  if (code !== 0) skip(`the kernel gives no user namespace here: ${stderr.trim()}`)
  const result = await run('unshare', ['--user', '--map-root-user', process.execPath, program('no-return')])
  expect({ code: result.code, stderr: result.stderr }).toEqual({ code: 0, stderr: '' })
})
