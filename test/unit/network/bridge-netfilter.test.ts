import { describe, expect, it } from 'vitest'
import { NfbridgeError } from '../../../src/errors.js'
import { requireBridgeNetfilter, trackingNeed } from '../../../src/network/apply/bridge-netfilter.js'

const NEED = trackingNeed('Network.update')

function failing(code: 'NFB_MISSING' | 'NFB_NOT_PERMITTED') {
  const readSysctl = async (): Promise<string> => {
    throw new NfbridgeError({ code, operation: 'netns.readSysctl', message: 'no' })
  }
  return { readSysctl }
}

describe('br_netfilter', () => {
  it('is there, whatever its sysctl says', async () => {
    await requireBridgeNetfilter({ readSysctl: async () => '0' }, NEED)
  })

  it('must be there: without it icc: false of a network that is tracked would be open without a word', async () => {
    await expect(requireBridgeNetfilter(failing('NFB_MISSING'), NEED)).rejects.toMatchObject({
      code: 'NFB_NOT_SUPPORTED',
      operation: 'Network.update',
      path: 'tracking',
      message: expect.stringContaining('modprobe br_netfilter'),
    })
    await expect(requireBridgeNetfilter(failing('NFB_NOT_PERMITTED'), NEED)).rejects.toMatchObject({
      code: 'NFB_NOT_PERMITTED',
    })
  })
})
