/** `addrtype`: linux/netfilter/xt_addrtype.h. */
import type { Statement, XtAddressType, XtAddrtype } from '../model/index.js'
import { equals, option, options, type XtExtension, type XtTest } from './codec.js'
import { bitsOf, namesOf } from './flags.js'
import { structure, u16, u32 } from './layout.js'

const info = structure(8, { source: u16(0), dest: u16(2), flags: u32(4) })

const types: { readonly [T in XtAddressType]: number } = {
  UNSPEC: 1,
  UNICAST: 2,
  LOCAL: 4,
  BROADCAST: 8,
  ANYCAST: 16,
  MULTICAST: 32,
  BLACKHOLE: 64,
  UNREACHABLE: 128,
  PROHIBIT: 256,
  THROW: 512,
  NAT: 1024,
  XRESOLVE: 2048,
}
const Flags = { invertSource: 1, invertDestination: 2, limitIn: 4, limitOut: 8 } as const

/** No type at all: the side is not tested. */
function tested(bits: number, inverted: boolean): XtTest<XtAddressType[]> | null | undefined {
  if (bits === 0) return null
  const value = namesOf(types, bits)
  return value && { value, ...(inverted && { inv: true }) }
}

function limitOf(flags: number): XtAddrtype['limit-iface'] {
  if ((flags & Flags.limitIn) !== 0) return 'in'
  return (flags & Flags.limitOut) !== 0 ? 'out' : undefined
}

export const addrtype: XtExtension<XtAddrtype> = {
  codecs: [
    {
      rev: 1,
      size: info.size,
      read: (bytes) => {
        const { source, dest, flags } = info.read(bytes)
        const src = tested(source, (flags & Flags.invertSource) !== 0)
        const dst = tested(dest, (flags & Flags.invertDestination) !== 0)
        if (src === undefined || dst === undefined) return undefined
        const limit = limitOf(flags)
        return {
          ...(src && { 'src-type': src }),
          ...(dst && { 'dst-type': dst }),
          ...(limit !== undefined && { 'limit-iface': limit }),
        }
      },
      write: ({ 'src-type': src, 'dst-type': dst, 'limit-iface': limit }) =>
        info.write({
          source: bitsOf(types, src?.value ?? []),
          dest: bitsOf(types, dst?.value ?? []),
          flags:
            (src?.inv ? Flags.invertSource : 0) |
            (dst?.inv ? Flags.invertDestination : 0) |
            (limit === 'in' ? Flags.limitIn : limit === 'out' ? Flags.limitOut : 0),
        }),
    },
  ],
  text: ({ 'src-type': src, 'dst-type': dst, 'limit-iface': limit }) =>
    options(
      option('src-type', src?.value.join(','), src?.inv),
      option('dst-type', dst?.value.join(','), dst?.inv),
      limit === undefined ? '' : `--limit-iface-${limit}`,
    ),
  meaning: ({ 'src-type': src, 'dst-type': dst, 'limit-iface': limit }) => {
    const device = limit === undefined ? [] : [limit === 'in' ? ('iif' as const) : ('oif' as const)]
    const statements: Statement[] = []
    for (const [side, test] of [
      ['saddr', src],
      ['daddr', dst],
    ] as const) {
      if (test === undefined) continue
      const names = test.value.map((name) => name.toLowerCase())
      const [only = ''] = names
      statements.push(
        equals(
          { fib: { result: 'type', flags: [side, ...device] } },
          names.length === 1 ? only : { set: names },
          test.inv,
        ),
      )
    }
    return statements
  },
}
