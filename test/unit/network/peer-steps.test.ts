import { expect, it } from 'vitest'
import { NfbridgeError } from '../../../src/errors.js'
import { toldOfRules } from '../../../src/network/apply/peer-steps.js'

const failing = (code: 'NFB_REJECTED' | 'NFB_MISSING', errno: 'EOPNOTSUPP' | 'EINVAL') =>
  toldOfRules({
    leaves: 'nothing',
    apply: async () => {
      throw new NfbridgeError({ code, errno, operation: 'nft.commit', message: 'not possible at the hook' })
    },
    undo: async () => undefined,
  }).apply()

it('a kernel that cannot look up the way back says so of peers', async () => {
  await expect(failing('NFB_REJECTED', 'EOPNOTSUPP')).rejects.toMatchObject({
    code: 'NFB_NOT_SUPPORTED',
    path: 'subnet',
    errno: 'EOPNOTSUPP',
    message: expect.stringContaining('peers need'),
  })
})

it('other refusals are told as they are', async () => {
  await expect(failing('NFB_REJECTED', 'EINVAL')).rejects.toMatchObject({ code: 'NFB_REJECTED' })
  await expect(failing('NFB_MISSING', 'EOPNOTSUPP')).rejects.toMatchObject({ code: 'NFB_MISSING' })
})
