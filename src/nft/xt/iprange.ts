/** `iprange`: linux/netfilter/xt_iprange.h. */
import type { Statement, XtIprange } from '../model/index.js'
import { addressBytes, addressText } from './address.js'
import { equals, option, options, type XtExtension } from './codec.js'
import { raw, structure, u8 } from './layout.js'

const info = structure(68, {
  srcLow: raw(0, 16),
  srcHigh: raw(16, 16),
  dstLow: raw(32, 16),
  dstHigh: raw(48, 16),
  flags: u8(64),
})
const Flags = { src: 1, dst: 2, srcInverted: 0x10, dstInverted: 0x20 } as const
const none = new Uint8Array(16)

export const iprange: XtExtension<XtIprange> = {
  codecs: [
    {
      rev: 1,
      size: info.size,
      read: (bytes, family) => {
        const { srcLow, srcHigh, dstLow, dstHigh, flags } = info.read(bytes)
        const inverted = (flag: number): { readonly inv?: true } =>
          (flags & flag) !== 0 ? { inv: true } : {}
        const src = [addressText(srcLow, family), addressText(srcHigh, family)] as const
        const dst = [addressText(dstLow, family), addressText(dstHigh, family)] as const
        return {
          ...((flags & Flags.src) !== 0 && { 'src-range': { value: src, ...inverted(Flags.srcInverted) } }),
          ...((flags & Flags.dst) !== 0 && { 'dst-range': { value: dst, ...inverted(Flags.dstInverted) } }),
        }
      },
      write: ({ 'src-range': src, 'dst-range': dst }, family) => {
        const bytes = (text: string | undefined): Uint8Array =>
          text === undefined ? none : addressBytes(text, family)
        return info.write({
          srcLow: bytes(src?.value[0]),
          srcHigh: bytes(src?.value[1]),
          dstLow: bytes(dst?.value[0]),
          dstHigh: bytes(dst?.value[1]),
          flags:
            (src ? Flags.src : 0) |
            (dst ? Flags.dst : 0) |
            (src?.inv ? Flags.srcInverted : 0) |
            (dst?.inv ? Flags.dstInverted : 0),
        })
      },
    },
  ],
  text: ({ 'src-range': src, 'dst-range': dst }) =>
    options(
      option('src-range', src?.value.join('-'), src?.inv),
      option('dst-range', dst?.value.join('-'), dst?.inv),
    ),
  meaning: ({ 'src-range': src, 'dst-range': dst }, family) => {
    const statements: Statement[] = []
    for (const [field, test] of [
      ['saddr', src],
      ['daddr', dst],
    ] as const)
      if (test)
        statements.push(equals({ payload: { protocol: family, field } }, { range: test.value }, test.inv))
    return statements
  },
}
