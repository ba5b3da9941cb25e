import { describe, expect, it } from 'vitest'
import { addressBytes, addressText } from '../../../lab/raw-socket.js'
import { crc32c } from '../../../lab/sctp.js'

describe('the packets of the lab', () => {
  it('have the checksum of RFC 9260', () => {
    // The check value of CRC-32C, and 32 bytes of zero (RFC 3720, B.4; there in the order of the wire).
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa)
  })

  it.each(['203.0.113.2', '2001:db8:113::2', '::1', 'fe80::42:acff:fe11:2', 'fd00:17::9:9'])(
    'are addressed to %s',
    (address) => {
      const bytes = addressBytes(address)
      expect(bytes).toHaveLength(address.includes(':') ? 16 : 4)
      expect(addressText(bytes)).toBe(address)
    },
  )
})
