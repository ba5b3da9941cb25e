import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { cleanUp, createMachines } from '../kernel/network/setting.js'
import { ownMounts } from '../support/own-mounts.js'
import { run } from '../support/tools.js'

const FILLED = fileURLToPath(new URL('./programs/filled-state.mjs', import.meta.url))
const PROGRAM = fileURLToPath(new URL('./programs/open-state.mjs', import.meta.url))

/** Runs the program in mounts of its own, in a folder of its own, after what a shell makes there. It is ended when it does not end. */
async function outcomeOf(make: string, state: string, hostsFile = ''): Promise<unknown> {
  const { host, machines } = await createMachines('web')
  const folder = mkdtempSync(join(tmpdir(), 'nfbridge-files-'))
  cleanUp(async () => rmSync(folder, { recursive: true, force: true }))
  const given = (name: string): string => name.replace('.', folder)
  const { stdout, stderr } = await run('unshare', [
    ...[...ownMounts(), 'sh', '-c', `set -e; cd ${folder}; ${make}; exec "$@"`, 'sh'],
    ...[process.execPath, PROGRAM],
    ...[host.namespace.path(), machines.get('web')?.namespace.path() ?? '', given(state), given(hostsFile)],
  ])
  expect(stderr).toBe('')
  return JSON.parse(stdout)
}

const PROC = 'mkdir proc && mount -t proc proc proc'
const DAMAGED = { code: 'NFB_STATE_DAMAGED' }

describe('a state directory that can not be one ends in an error', () => {
  it.each<[string, string, string, object]>([
    [
      'in a file system that makes no folders',
      PROC,
      './proc/x',
      { ...DAMAGED, path: 'state', errno: 'ENOENT' },
    ],
    ['deeper in it', PROC, './proc/x/y/z', { ...DAMAGED, path: 'state' }],
    [
      'read-only',
      'mkdir ro && mount -t tmpfs -o ro tmpfs ro',
      './ro/state',
      { code: 'NFB_READ_ONLY', path: 'state', errno: 'EROFS' },
    ],
    [
      'without space',
      'mkdir full && mount -t tmpfs -o nr_inodes=1 tmpfs full',
      './full/state',
      { code: 'NFB_TOO_LARGE', path: 'state', errno: 'ENOSPC' },
    ],
    ['a FIFO', 'mkfifo state', './state', { ...DAMAGED, path: 'state', errno: 'ENOTDIR' }],
    ['a file', 'true > state', './state', { ...DAMAGED, path: 'state', errno: 'ENOTDIR' }],
    ['below a file', 'true > file', './file/state', { ...DAMAGED, path: 'state', errno: 'ENOTDIR' }],
    ['a device', 'ln -s /dev/zero state', './state', { ...DAMAGED, path: 'state', errno: 'ENOTDIR' }],
    [
      'a loop of symbolic links',
      'ln -s b a; ln -s a b',
      './a/state',
      { ...DAMAGED, path: 'state', errno: 'ELOOP' },
    ],
    [
      'its lock a FIFO',
      'mkdir state; mkfifo state/lock',
      './state',
      { ...DAMAGED, path: 'state', errno: 'EINVAL' },
    ],
    ['its lock a folder', 'mkdir -p state/lock', './state', { ...DAMAGED, path: 'state', errno: 'EISDIR' }],
    ['one of its files a FIFO', 'mkdir -p state/networks; mkfifo state/networks/a.json', './state', DAMAGED],
    [
      'one of its files a device',
      'mkdir -p state/networks; ln -s /dev/zero state/networks/a.json',
      './state',
      DAMAGED,
    ],
    ['one of its files a folder', 'mkdir -p state/networks/a.json', './state', DAMAGED],
    ['one of its folders a FIFO', 'mkdir state; mkfifo state/networks', './state', DAMAGED],
    ['(control) a new one, deep', 'true', './a/b/c', { code: 'opened' }],
    ['(control) by a symbolic link', 'mkdir real; ln -s real state', './state', { code: 'opened' }],
  ])('%s', async (_, make, state, outcome) => {
    expect(await outcomeOf(make, state)).toMatchObject(outcome)
  })
})

describe('a state directory that another user can change is refused', () => {
  const EXPOSED = { code: 'NFB_STATE_EXPOSED', path: 'state' }
  it.each<[string, string, string, object]>([
    ['that is his', 'mkdir state; chown 12345 state', './state', EXPOSED],
    ['that his group can', 'mkdir state; chmod 770 state', './state', EXPOSED],
    ['that everybody can', 'mkdir state; chmod 702 state', './state', EXPOSED],
    ['with the sticky bit too', 'mkdir state; chmod 1777 state', './state', EXPOSED],
    ['by what is above it', 'mkdir open; chmod 777 open', './open/a/state', EXPOSED],
    ['in a directory of his', 'mkdir his; mkdir -m 700 his/state; chown 12345 his', './his/state', EXPOSED],
    ['in its lock', 'mkdir state; true > state/lock; chmod 602 state/lock', './state', EXPOSED],
    ['in a lock of his', 'mkdir state; true > state/lock; chown 12345 state/lock', './state', EXPOSED],
    ['in one of its folders', 'mkdir -p state/networks; chmod 777 state/networks', './state', EXPOSED],
    [
      'in one of its files',
      'mkdir -p state/networks; echo {} > state/networks/a.json; chmod 666 state/networks/a.json',
      './state',
      EXPOSED,
    ],
    [
      'by a symbolic link of his',
      'mkdir his real; ln -s ../real his/state; chown -h 12345 his his/state',
      './his/state',
      { code: 'NFB_NOT_PERMITTED', path: 'state', errno: 'EACCES' },
    ],
    ['(control) that all can read', 'mkdir state; chmod 755 state', './state', { code: 'opened' }],
    [
      '(control) where all can make some of their own',
      'mkdir -m 1777 tmp; mkdir tmp/state',
      './tmp/state',
      { code: 'opened' },
    ],
  ])('%s', async (_, make, state, outcome) => {
    expect(await outcomeOf(`umask 022; ${make}`, state)).toMatchObject(outcome)
  })
})

describe('a file system that is full by the time', () => {
  it('what opens and can not be remembered changes nothing and says why; what takes back is done, and stays so', async () => {
    const { host, machines } = await createMachines('web')
    const folder = mkdtempSync(join(tmpdir(), 'nfbridge-files-'))
    cleanUp(async () => rmSync(folder, { recursive: true, force: true }))
    const { stdout, stderr } = await run('unshare', [
      ...[...ownMounts(), 'sh', '-c', `set -e; mount -t tmpfs -o size=256k tmpfs ${folder}; exec "$@"`, 'sh'],
      ...[process.execPath, FILLED],
      ...[host.namespace.path(), machines.get('web')?.namespace.path() ?? '', folder],
    ])
    expect(stderr).toBe('')
    const refused = {
      code: 'NFB_TOO_LARGE',
      errno: 'ENOSPC',
      remaining: [],
      message: expect.stringMatching(/containers\/.*\.json.*make room/),
      state: 'running',
      hasInterface: true,
    }
    const stopped = { state: 'stopped', hasInterface: false }
    expect(JSON.parse(stdout)).toEqual({
      publish: { operation: 'Container.publish', ...refused },
      stop: { code: 'done', ...stopped },
      close: {
        operation: 'BridgeHost.close',
        ...refused,
        ...stopped,
        message: expect.stringContaining('make room'),
      },
      afterwards: 'stopped',
    })
  })
})

describe('a hosts file that can not be one ends in an error', () => {
  const INVALID = { code: 'NFB_INVALID_ARGUMENT', path: 'hostsFile' }
  it.each<[string, string, string, object]>([
    ['in a file system that makes no files', PROC, './proc/x', { ...INVALID, errno: 'ENOENT' }],
    [
      'read-only',
      'mkdir ro && mount -t tmpfs -o ro tmpfs ro',
      './ro/hosts',
      { code: 'NFB_NOT_PERMITTED', path: 'hostsFile', errno: 'EROFS' },
    ],
    [
      'without space',
      'mkdir full && mount -t tmpfs -o nr_inodes=1 tmpfs full',
      './full/hosts',
      { ...INVALID, errno: 'ENOSPC' },
    ],
    ['a FIFO', 'mkfifo hosts', './hosts', INVALID],
    ['a device without end', 'ln -s /dev/zero hosts', './hosts', INVALID],
    ['a device', 'mknod hosts c 1 5', './hosts', INVALID],
    ['a folder', 'mkdir hosts', './hosts', INVALID],
    ['mounted over', 'true > hosts; mount --bind hosts hosts', './hosts', { ...INVALID, errno: 'EBUSY' }],
    ['a symbolic link', 'true > target; ln -s target hosts', './hosts', { ...INVALID, errno: 'ELOOP' }],
    [
      'by a symbolic link of another user',
      'mkdir his real; ln -s ../real his/etc; chown -h 12345 his his/etc',
      './his/etc/hosts',
      { code: 'NFB_NOT_PERMITTED', path: 'hostsFile', errno: 'EACCES' },
    ],
    ['(control) by one of ours', 'mkdir real; ln -s real etc', './etc/hosts', { code: 'attached' }],
    ['a loop of symbolic links', 'ln -s b a; ln -s a b', './a', { ...INVALID, errno: 'ELOOP' }],
    ['(control) a file', 'true > hosts', './hosts', { code: 'attached' }],
  ])('%s', async (_, make, hostsFile, outcome) => {
    expect(await outcomeOf(make, '', hostsFile)).toMatchObject(outcome)
  })
})
