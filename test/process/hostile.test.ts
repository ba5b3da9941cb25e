import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { defences } from '../../hostile/without.js'
import { run } from '../support/tools.js'

const hostile = fileURLToPath(new URL('../../build/hostile/main.js', import.meta.url))

/** A run that finds nothing ends after a minute; most need a second. */
const LIMIT_MS = 120_000

test.each(defences)(
  'frames at random find that $name is taken out',
  { timeout: LIMIT_MS },
  async ({ name }) => {
    const { code, stdout } = await run(process.execPath, [hostile, '--without', name, '--seed', '1'])
    expect({ code, last: stdout.trimEnd().split('\n').at(-1) }, stdout).toEqual({
      code: 0,
      last: 'defences=1 missed=0',
    })
  },
)
