import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { run } from '../support/tools.js'

const hostile = fileURLToPath(new URL('../../build/hostile/main.js', import.meta.url))

/** Most defences need a second; one that is not missed has so many minutes, of which a busy machine may need more than one. */
const MINUTES = 4
const LIMIT_MS = 1_800_000

test('frames at random find each defence that is taken out', { timeout: LIMIT_MS }, async () => {
  const words = ['--without', 'all', '--seed', '1', '--minutes', `${MINUTES}`]
  const { code, stdout } = await run(process.execPath, [hostile, ...words], undefined, LIMIT_MS)
  expect(stdout.split('\n').filter((line) => line.includes('NOT FOUND'))).toEqual([])
  expect({ code, last: stdout.trimEnd().split('\n').at(-1) }).toEqual({
    code: 0,
    last: expect.stringMatching(/^defences=\d+ missed=0$/),
  })
})
