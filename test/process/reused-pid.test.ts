import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { ownMounts } from '../support/own-mounts.js'
import { run } from '../support/tools.js'

const PROGRAM = fileURLToPath(new URL('./programs/reused-pid.mjs', import.meta.url))

it('a container whose process ended does not start in the namespace of who has its number now', async () => {
  const gone = { code: 'NFB_NAMESPACE_GONE', path: 'netns' }
  const { stdout, stderr } = await run('unshare', [
    ...[...ownMounts(), '--pid', '--fork', 'sh', '-c', 'mount -t proc proc /proc && exec "$@"', 'sh'],
    ...[process.execPath, PROGRAM],
  ])
  expect(stderr).toBe('')
  expect(JSON.parse(stdout)).toEqual({
    still: 'done',
    ended: gone,
    byNumber: gone,
    // (control) Whoever opens what is remembered is in the other's namespace, and a caller who means it is.
    isReused: true,
    leadsToOthers: true,
    again: gone,
    given: 'done',
  })
})
