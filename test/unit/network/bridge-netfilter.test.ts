import { describe, expect, it } from 'vitest'
import { NfbridgeError } from '../../../src/errors.js'
import { requireBridgeNetfilter } from '../../../src/network/apply/bridge-netfilter.js'

function failing(code: 'NFB_MISSING' | 'NFB_NOT_PERMITTED') {
  const readSysctl = async (): Promise<string> => {
    throw new NfbridgeError({ code, operation: 'netns.readSysctl', message: 'no' })
  }
  return { readSysctl }
}

describe('br_netfilter', () => {
  it('is there, whatever its sysctl says', async () => {
    await requireBridgeNetfilter({ readSysctl: async () => '0' })
  })

  it('must be there: without it icc: false would be open without a word', async () => {
    await expect(requireBridgeNetfilter(failing('NFB_MISSING'))).rejects.toMatchObject({
      code: 'NFB_NOT_SUPPORTED',
      message: expect.stringContaining('modprobe br_netfilter'),
    })
    await expect(requireBridgeNetfilter(failing('NFB_NOT_PERMITTED'))).rejects.toMatchObject({
      code: 'NFB_NOT_PERMITTED',
    })
  })
})
