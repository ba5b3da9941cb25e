/** `mac`: linux/netfilter/xt_mac.h. */
import { MacAddress } from '../../address/index.js'
import type { XtMac } from '../model/index.js'
import { equals, option, type XtExtension } from './codec.js'
import { raw, structure, u32 } from './layout.js'

const info = structure(12, { source: raw(0, 6), invert: u32(8) })

export const mac: XtExtension<XtMac> = {
  codecs: [
    {
      rev: 0,
      size: info.size,
      read: (bytes) => {
        const { source, invert } = info.read(bytes)
        return {
          'mac-source': {
            value: MacAddress.fromBytes(source).toString(),
            ...(invert !== 0 && { inv: true }),
          },
        }
      },
      write: ({ 'mac-source': { value, inv } }) =>
        info.write({ source: MacAddress.parse(value).bytes, invert: inv ? 1 : 0 }),
    },
  ],
  text: ({ 'mac-source': { value, inv } }) => option('mac-source', value, inv),
  meaning: ({ 'mac-source': { value, inv } }) => [
    equals({ payload: { protocol: 'ether', field: 'saddr' } }, value, inv),
  ],
}
