import { describe, expect, test } from 'vitest'
import { type ErrorCode, NfbridgeError } from '../../../src/errors.js'
import type { Failure, FailureReason } from '../../../src/native/addon.js'
import { errnoName, unwrap } from '../../../src/native/failure.js'

function failure(reason: FailureReason, errno = 0, rest: Partial<Failure> = {}): Failure {
  return { reason, errno, call: 'netlink', message: '', index: -1, path: '', ...rest }
}

function errorOf(
  failures: readonly Failure[],
  locate?: (index: number, path: string) => string,
): NfbridgeError {
  try {
    unwrap(failures, 'test.run', locate)
  } catch (error) {
    if (error instanceof NfbridgeError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('failures as errors', () => {
  const kernel: [number, string, ErrorCode][] = [
    [1, 'EPERM', 'NFB_NOT_PERMITTED'],
    [13, 'EACCES', 'NFB_NOT_PERMITTED'],
    [17, 'EEXIST', 'NFB_EXISTS'],
    [2, 'ENOENT', 'NFB_MISSING'],
    [19, 'ENODEV', 'NFB_MISSING'],
    [3, 'ESRCH', 'NFB_MISSING'],
    [99, 'EADDRNOTAVAIL', 'NFB_MISSING'],
    [16, 'EBUSY', 'NFB_BUSY'],
    [95, 'EOPNOTSUPP', 'NFB_NOT_SUPPORTED'],
    [97, 'EAFNOSUPPORT', 'NFB_NOT_SUPPORTED'],
    [85, 'ERESTART', 'NFB_STALE_GENERATION'],
    [90, 'EMSGSIZE', 'NFB_TOO_LARGE'],
    [22, 'EINVAL', 'NFB_REJECTED'],
    [34, 'ERANGE', 'NFB_REJECTED'],
  ]
  test.each(kernel)('errno %i, %s, is %s', (errno, name, code) => {
    const error = errorOf([failure('kernel', errno)])
    expect(error.code).toBe(code)
    expect(error.errno).toBe(name)
    expect(error.operation).toBe('test.run')
  })

  const reasons: [FailureReason, string, ErrorCode][] = [
    ['closed', '', 'NFB_CLOSED'],
    ['inconsistent', '', 'NFB_DUMP_INCONSISTENT'],
    ['overflow', '', 'NFB_EVENTS_LOST'],
    ['too-large', '', 'NFB_TOO_LARGE'],
    ['malformed', 'encode', 'NFB_INVALID_ARGUMENT'],
    ['malformed', 'decode', 'NFB_INTERNAL'],
    ['system', 'socket', 'NFB_REJECTED'],
  ]
  test.each(reasons)('%s in "%s" is %s', (reason, call, code) => {
    expect(errorOf([failure(reason, 0, { call })]).code).toBe(code)
  })

  test.each([
    [24, 'descriptors'],
    [23, 'fs.file-max'],
  ])('errno %i of a system call is of descriptors, not of a set', (errno, words) => {
    expect(errorOf([failure('system', errno, { call: 'socket' })])).toMatchObject({
      code: 'NFB_TOO_LARGE',
      reason: expect.stringContaining(words),
    })
    expect(errorOf([failure('kernel', 23)]).reason).toContain('the set is full')
  })

  test('the first is the cause, the rest are related, each with its place', () => {
    const error = errorOf([
      failure('kernel', 17, { index: 2, path: 'ifname', message: 'taken' }),
      failure('kernel', 19, { index: 3 }),
    ])
    expect(error.path).toBe('operations[2].ifname')
    expect(error.kernelMessage).toBe('taken')
    expect(error.related.map(({ code, path }) => [code, path])).toEqual([['NFB_MISSING', 'operations[3]']])
  })

  test('the caller says where things are', () => {
    const error = errorOf(
      [failure('kernel', 22, { index: 1, path: 'a.b' })],
      (index, path) => `x${index}/${path}`,
    )
    expect(error.path).toBe('x1/a.b')
  })

  test('our own sentence is no word of the kernel', () => {
    const error = errorOf([failure('too-large', 90, { message: '9 MiB of 8' })])
    expect(error.kernelMessage).toBeUndefined()
    expect(error.message).toContain('9 MiB of 8')
  })

  test('what succeeded is passed on', () => {
    const buffer = new ArrayBuffer(4)
    expect(unwrap(buffer, 'test.run')).toBe(buffer)
    expect(unwrap(undefined, 'test.run')).toBeUndefined()
  })

  test('an errno without a name keeps its number', () => {
    expect(errnoName(4000)).toBe('errno 4000')
    expect(errnoName(0)).toBeUndefined()
  })

  test('failures without a single one are a fault of ours', () => {
    expect(errorOf([]).code).toBe('NFB_INTERNAL')
  })
})
