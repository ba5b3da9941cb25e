/** `mark` and `connmark`: linux/netfilter/xt_mark.h, xt_connmark.h. */
import type { Expression, XtMark } from '../model/index.js'
import { equals, hex, option, type XtExtension } from './codec.js'
import { structure, u8, u32 } from './layout.js'

const info = structure(12, { mark: u32(0), mask: u32(4), invert: u8(8) })

function marked(left: Expression): XtExtension<XtMark> {
  return {
    codecs: [
      {
        rev: 1,
        size: info.size,
        read: (bytes) => {
          const { mark, mask, invert } = info.read(bytes)
          return { mark: { value: [mark, mask], ...(invert !== 0 && { inv: true }) } }
        },
        write: ({ mark: { value, inv } }) =>
          info.write({ mark: value[0], mask: value[1], invert: inv ? 1 : 0 }),
      },
    ],
    text: ({ mark: { value, inv } }) =>
      option('mark', value[1] === 0xffffffff ? hex(value[0]) : `${hex(value[0])}/${hex(value[1])}`, inv),
    meaning: ({ mark: { value, inv } }) => {
      const [mark, mask] = value
      return [equals(mask === 0xffffffff ? left : { '&': [left, mask] }, mark, inv)]
    },
  }
}

export const mark: XtExtension<XtMark> = marked({ meta: { key: 'mark' } })
export const connmark: XtExtension<XtMark> = marked({ ct: { key: 'mark' } })
