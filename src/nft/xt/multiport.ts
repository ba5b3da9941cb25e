/** `multiport`: linux/netfilter/xt_multiport.h. */
import { InvalidValue } from '../datatype/index.js'
import type { XtMultiport, XtRange } from '../model/index.js'
import { equals, option, type XtExtension } from './codec.js'
import { numbers, structure, u8, u16 } from './layout.js'
import { checkRange, rangeExpression, rangeText } from './range.js'

/** XT_MULTI_PORTS, with `pflags` that mark the beginning of a range. */
const MOST = 15
const info = structure(48, {
  side: u8(0),
  count: u8(1),
  ports: numbers(u16, 2, MOST, 2),
  begins: numbers(u8, 2 + MOST * 2, MOST, 1),
  invert: u8(47),
})
const sides = ['sports', 'dports', 'ports'] as const

const asRange = (port: number | XtRange): XtRange => (typeof port === 'number' ? [port, port] : port)

export const multiport: XtExtension<XtMultiport> = {
  codecs: [
    {
      rev: 1,
      size: info.size,
      read: (bytes) => {
        const { side, count, ports, begins, invert } = info.read(bytes)
        const name = sides[side]
        if (name === undefined || count > MOST) return undefined
        const list: (number | XtRange)[] = []
        for (let index = 0; index < count; index++) {
          const port = ports[index] ?? 0
          if (begins[index] !== 0) list.push([port, ports[++index] ?? 0])
          else list.push(port)
        }
        return { side: name, ports: list, ...(invert !== 0 && { inv: true }) }
      },
      write: ({ side, ports, inv }) => {
        for (const port of ports) checkRange(asRange(port))
        const flat = ports.flat()
        if (flat.length > MOST)
          throw new InvalidValue(`at most ${MOST} ports are expected, a range counts as two`)
        return info.write({
          side: sides.indexOf(side),
          count: flat.length,
          ports: flat,
          begins: ports.flatMap((port) => (typeof port === 'number' ? [0] : [1, 0])),
          invert: inv ? 1 : 0,
        })
      },
    },
  ],
  text: ({ side, ports, inv }) => option(side, ports.map((port) => rangeText(asRange(port))).join(','), inv),
  meaning: ({ side, ports, inv }) => {
    // One of two fields is no comparison of nft's.
    if (side === 'ports') return undefined
    const field = side === 'sports' ? 'sport' : 'dport'
    const set = ports.map((port) => rangeExpression(asRange(port)))
    return [equals({ payload: { protocol: 'th', field } }, { set }, inv)]
  },
}
