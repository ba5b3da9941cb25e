import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { cleanUp, createMachines } from '../kernel/network/setting.js'
import { ownMounts } from '../support/own-mounts.js'
import { run } from '../support/tools.js'

const PROGRAM = fileURLToPath(new URL('./programs/revoke-without-disk.mjs', import.meta.url))

/** What an open finds. */
type Found = Readonly<Record<string, unknown>>

interface Outcome {
  readonly rounds: readonly {
    readonly before: Found
    readonly said: 'killed' | Found
    readonly first: Found
    readonly later: Found
  }[]
  readonly control: Found
  readonly left: string
}

const STANDING: Found = {
  web: 'running',
  networks: ['docker0'],
  exposed: ['53/udp'],
  published: ['8080:80/tcp'],
  links: ['web'],
  icc: true,
  peers: 1,
  userRules: 0,
  lost: 0,
  opens: true,
  translates: true,
}

/** What each call leaves of it. */
const CALLS: Readonly<Record<string, Found>> = {
  unlink: { links: [], opens: false },
  unpublish: { published: [], translates: false },
  unexpose: { exposed: [] },
  stop: { web: 'stopped', opens: false, translates: false },
  detach: { links: [], opens: false, translates: false },
  disconnect: { networks: [], opens: false, translates: false },
  'icc: false': { icc: false },
  removePeer: { peers: 0 },
  'a rule of the users that drops': { userRules: 1 },
}
const GONE = ['web', 'networks', 'exposed', 'published']

function leftBy(call: string): Found {
  const left = { ...STANDING, ...CALLS[call] }
  if (call !== 'detach') return left
  return Object.fromEntries(Object.entries(left).filter(([name]) => !GONE.includes(name)))
}

async function outcomeOf(
  call: string,
  disk: 'full' | 'read-only',
  moments: 'every' | 'after',
): Promise<Outcome> {
  const { host, machines } = await createMachines('web', 'client')
  const folder = mkdtempSync(join(tmpdir(), 'nfbridge-disk-'))
  cleanUp(async () => rmSync(folder, { recursive: true, force: true }))
  const places = ['web', 'client'].map((name) => machines.get(name)?.namespace.path() ?? '')
  const { stdout, stderr } = await run('unshare', [
    ...[
      ...ownMounts(),
      'sh',
      '-c',
      `set -e; mount -t tmpfs -o size=512k,mode=700 tmpfs ${folder}; exec "$@"`,
    ],
    ...['sh', process.execPath, PROGRAM],
    ...[host.namespace.path(), folder, call, disk, moments, ...places],
  ])
  expect(stderr).toBe('')
  return JSON.parse(stdout)
}

describe('on a full disk', () => {
  it.each(Object.keys(CALLS))('%s is done, and no open brings it back', async (call) => {
    const { rounds, control, left } = await outcomeOf(call, 'full', 'after')
    expect(rounds).toEqual([
      { before: STANDING, said: { code: 'done' }, first: leftBy(call), later: leftBy(call) },
    ])
    // A file can be removed on a full disk as well.
    const needsNoNote = ['detach', 'removePeer'].includes(call)
    if (needsNoNote) expect(control).toEqual(leftBy(call))
    else expect(control).not.toEqual(leftBy(call))
    expect(left).toBe('')
  })

  it.each(['unlink', 'stop'])('%s, killed at any moment, is done or is not', async (call) => {
    const { rounds } = await outcomeOf(call, 'full', 'every')
    const outcomes = rounds.map(({ first, later }) => {
      expect(later).toEqual(first)
      const isDone = first.links?.toString() !== STANDING.links?.toString() || first.web !== STANDING.web
      expect(first).toEqual(isDone ? leftBy(call) : STANDING)
      return isDone
    })
    expect(rounds.length).toBeGreaterThan(2)
    // What takes interfaces away is remembered before, and anything else afterwards.
    expect(outcomes[0]).toBe(call === 'stop')
    expect(outcomes.at(-1)).toBe(true)
  })

  it('what opens fails, and changes nothing', async () => {
    const { rounds } = await outcomeOf('link', 'full', 'after')
    expect(rounds).toMatchObject([
      { said: { code: 'NFB_TOO_LARGE', errno: 'ENOSPC', remaining: [] }, first: STANDING, later: STANDING },
    ])
  })
})

describe('on a disk that has become read-only', () => {
  it.each(Object.keys(CALLS))('%s is done, and no open of this boot brings it back', async (call) => {
    const { rounds, control, left } = await outcomeOf(call, 'read-only', 'after')
    expect(rounds).toEqual([
      {
        before: STANDING,
        said: {
          code: 'NFB_READ_ONLY',
          errno: 'EROFS',
          message: expect.stringContaining('after a reboot'),
          remaining: ['files of the state directory'],
        },
        first: leftBy(call),
        later: leftBy(call),
      },
    ])
    expect(control).not.toEqual(leftBy(call))
    expect(left).toBe('')
  })

  it('what opens fails, and changes nothing', async () => {
    const { rounds } = await outcomeOf('link', 'read-only', 'after')
    expect(rounds).toMatchObject([
      { said: { code: 'NFB_READ_ONLY', remaining: [] }, first: STANDING, later: STANDING },
    ])
  })
})
