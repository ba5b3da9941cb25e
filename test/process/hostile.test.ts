import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { defences } from '../../hostile/without.js'
import { run } from '../support/tools.js'

const hostile = fileURLToPath(new URL('../../build/hostile/main.js', import.meta.url))

/** Most need a second; a run that finds nothing ends after so many minutes, of which a busy machine may need more than one. */
const MINUTES = 4
const LIMIT_MS = (MINUTES + 1) * 60_000

test.each(defences)(
  'frames at random find that $name is taken out',
  { timeout: LIMIT_MS },
  async ({ name }) => {
    const words = ['--without', name, '--seed', '1', '--minutes', `${MINUTES}`]
    const { code, stdout } = await run(process.execPath, [hostile, ...words], undefined, LIMIT_MS)
    expect({ code, last: stdout.trimEnd().split('\n').at(-1) }, stdout).toEqual({
      code: 0,
      last: 'defences=1 missed=0',
    })
  },
)
