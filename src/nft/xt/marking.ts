/** The targets MARK and CONNMARK: linux/netfilter/xt_MARK.h, xt_CONNMARK.h. */
import type { Expression, Statement, XtConnmarkTarget, XtMarkTarget } from '../model/index.js'
import { hex, option, options, type XtExtension } from './codec.js'
import { structure, u8, u32 } from './layout.js'

const ALL = 0xffffffff
const meta = { meta: { key: 'mark' } } as const
const ct = { ct: { key: 'mark' } } as const

/** `kept & ~mask ^ value` */
function remade(kept: Expression, mask: number, value: Expression): Expression {
  return mask === ALL ? value : { '^': [{ '&': [kept, ~mask >>> 0] }, value] }
}

const masked = (value: Expression, mask: number): Expression =>
  mask === ALL ? value : { '&': [value, mask] }

const markInfo = structure(8, { mark: u32(0), mask: u32(4) })

export const markTarget: XtExtension<XtMarkTarget> = {
  codecs: [
    {
      rev: 2,
      size: markInfo.size,
      read: (bytes) => {
        const { mark, mask } = markInfo.read(bytes)
        return { 'set-xmark': [mark, mask] }
      },
      write: ({ 'set-xmark': [mark, mask] }) => markInfo.write({ mark, mask }),
    },
  ],
  text: ({ 'set-xmark': [mark, mask] }) => option('set-xmark', `${hex(mark)}/${hex(mask)}`),
  meaning: ({ 'set-xmark': [mark, mask] }) => [{ mangle: { key: meta, value: remade(meta, mask, mark) } }],
}

const modes = ['set', 'save', 'restore'] as const
const connmarkFields = { ctmark: u32(0), ctmask: u32(4), nfmask: u32(8) }
const connmarkInfo = structure(16, { ...connmarkFields, mode: u8(12) })
/** Revision 2 can shift, which the options do not say: such a target stays as it is. */
const shiftingInfo = structure(16, { ...connmarkFields, mode: u8(14) })

export const connmarkTarget: XtExtension<XtConnmarkTarget> = {
  codecs: (
    [
      [1, connmarkInfo],
      [2, shiftingInfo],
    ] as const
  ).map(([rev, info]) => ({
    rev,
    size: info.size,
    read: (bytes) => {
      const { mode, ...masks } = info.read(bytes)
      const name = modes[mode]
      return name && { mode: name, ...masks }
    },
    write: ({ mode, ctmark, ctmask, nfmask }) =>
      info.write({ ctmark, ctmask, nfmask, mode: modes.indexOf(mode) }),
  })),
  text: ({ mode, ctmark, ctmask, nfmask }) =>
    mode === 'set'
      ? option('set-xmark', `${hex(ctmark)}/${hex(ctmask)}`)
      : options(`--${mode}-mark`, option('nfmask', hex(nfmask)), option('ctmask', hex(ctmask))),
  meaning: ({ mode, ctmark, ctmask, nfmask }): Statement[] => {
    if (mode === 'set') return [{ mangle: { key: ct, value: remade(ct, ctmask, ctmark) } }]
    if (mode === 'save') return [{ mangle: { key: ct, value: remade(ct, ctmask, masked(meta, nfmask)) } }]
    return [{ mangle: { key: meta, value: remade(meta, nfmask, masked(ct, ctmask)) } }]
  },
}
