/** `icmp` and `icmp6`: struct ipt_icmp and ip6t_icmp. */
import { InvalidValue, quote } from '../datatype/index.js'
import type { Statement, XtIcmp } from '../model/index.js'
import { equals, match, option, type XtExtension, type XtFamily } from './codec.js'
import { numbers, structure, u8 } from './layout.js'
import { checkRange, rangeExpression } from './range.js'

const info = structure(4, { type: u8(0), code: numbers(u8, 1, 2, 1), invert: u8(3) })
/** Any type, of IPv4 alone. */
const ANY = 0xff

function icmpOf(family: XtFamily): XtExtension<XtIcmp> {
  const protocol = family === 'ip' ? 'icmp' : 'icmpv6'
  const field = (name: 'type' | 'code') =>
    family === 'ip'
      ? ({ payload: { protocol: 'icmp', field: name } } as const)
      : ({ payload: { protocol: 'icmpv6', field: name } } as const)
  return {
    codecs: [
      {
        rev: 0,
        family,
        size: info.size,
        read: (bytes) => {
          const { type, code, invert } = info.read(bytes)
          const [low = 0, high = 0] = code
          const any = family === 'ip' && type === ANY
          return { ...(!any && { type }), code: [low, high], ...(invert !== 0 && { inv: true }) }
        },
        write: ({ type, code, inv }) => {
          if (type !== undefined && (!Number.isInteger(type) || type < 0 || type > 0xff))
            throw new InvalidValue(`${quote(type)} is no type of ${protocol}`)
          return info.write({ type: type ?? ANY, code: [...checkRange(code, 0xff)], invert: inv ? 1 : 0 })
        },
      },
    ],
    text: ({ type, code: [low, high], inv }) => {
      const codes = low === 0 && high === 0xff ? '' : `/${low === high ? low : `${low}:${high}`}`
      return option(
        family === 'ip' ? 'icmp-type' : 'icmpv6-type',
        type === undefined ? 'any' : `${type}${codes}`,
        inv,
      )
    },
    meaning: ({ type, code, inv }) => {
      const any = code[0] === 0 && code[1] === 0xff
      if (type === undefined) return inv ? undefined : [equals({ meta: { key: 'l4proto' } }, protocol, false)]
      const statements: Statement[] = [equals(field('type'), type, inv && any)]
      if (!any) statements.push(match(field('code'), '==', rangeExpression(code)))
      // The opposite of two comparisons is no comparison.
      return inv && !any ? undefined : statements
    },
  }
}

export const icmp: XtExtension<XtIcmp> = icmpOf('ip')
export const icmp6: XtExtension<XtIcmp> = icmpOf('ip6')
