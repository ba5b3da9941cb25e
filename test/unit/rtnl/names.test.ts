import { describe, expect, test } from 'vitest'
import { NfbridgeError } from '../../../src/errors.js'
import { checkInterfaceName } from '../../../src/rtnl/index.js'

describe('names of interfaces', () => {
  test.each([
    'eth0',
    'docker0',
    'a',
    'fifteen-bytes-x',
    'br-0123456789ab',
    'eth0.100',
    'ää',
    '...',
    'veth@x',
  ])('"%s" is one', (name) => {
    expect(checkInterfaceName(name, 'test')).toBe(name)
  })

  const wrong: [unknown, RegExp][] = [
    ['', /empty/],
    ['sixteen-bytes-xx', /16 bytes/],
    ['ääääääää', /16 bytes/],
    ['.', /directory/],
    ['..', /directory/],
    ['a/b', /"\/"/],
    ['a:b', /":"/],
    ['a b', /" "/],
    ['a\tb', /"\\t"/],
    ['a\n', /"\\n"/],
    ['a\u0000', /contains/],
    ['veth%d', /"%"/],
    ['br\ud800', /half a character/],
    [7, /not a string/],
    [undefined, /not a string/],
  ]
  test.each(wrong)('%j is none', (name, reason) => {
    let thrown: unknown
    try {
      Reflect.apply(checkInterfaceName, undefined, [name, 'test.run', 'containers[3].name'])
    } catch (error) {
      thrown = error
    }
    if (!(thrown instanceof NfbridgeError)) throw new Error('it was accepted')
    expect(thrown).toMatchObject({
      code: 'NFB_INVALID_NAME',
      operation: 'test.run',
      path: 'containers[3].name',
    })
    expect(thrown.message).toMatch(reason)
  })
})
