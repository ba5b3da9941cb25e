/** `tcp` and `udp`: linux/netfilter/xt_tcpudp.h. */
import type { Statement, XtRange, XtTcp, XtUdp } from '../model/index.js'
import { equals, hex, option, options, type XtExtension, type XtTest } from './codec.js'
import { numbers, structure, u8, u16 } from './layout.js'
import { checkRange, rangeExpression, rangeText, testedRange } from './range.js'

const tcpInfo = structure(12, {
  sports: numbers(u16, 0, 2, 2),
  dports: numbers(u16, 4, 2, 2),
  option: u8(8),
  mask: u8(9),
  set: u8(10),
  invert: u8(11),
})
const udpInfo = structure(10, { sports: numbers(u16, 0, 2, 2), dports: numbers(u16, 4, 2, 2), invert: u8(8) })
const Invert = { sport: 1, dport: 2, flags: 4, option: 8 } as const
const all: XtRange = [0, 0xffff]

function ports(sports: readonly number[], dports: readonly number[], invert: number): XtUdp {
  const sport = testedRange(sports, 0xffff, (invert & Invert.sport) !== 0)
  const dport = testedRange(dports, 0xffff, (invert & Invert.dport) !== 0)
  return { ...(sport && { sport }), ...(dport && { dport }) }
}

const invertOf = ({ sport, dport }: XtUdp): number =>
  (sport?.inv ? Invert.sport : 0) | (dport?.inv ? Invert.dport : 0)

const bounds = (test: XtTest<XtRange> | undefined): number[] => [...checkRange(test?.value ?? all)]

const portsText = ({ sport, dport }: XtUdp): string =>
  options(
    option('sport', sport && rangeText(sport.value), sport?.inv),
    option('dport', dport && rangeText(dport.value), dport?.inv),
  )

function portsMeaning(protocol: 'tcp' | 'udp', { sport, dport }: XtUdp): Statement[] {
  const statements: Statement[] = []
  for (const [field, test] of [
    ['sport', sport],
    ['dport', dport],
  ] as const)
    if (test) statements.push(equals({ payload: { protocol, field } }, rangeExpression(test.value), test.inv))
  return statements
}

export const udp: XtExtension<XtUdp> = {
  codecs: [
    {
      rev: 0,
      size: udpInfo.size,
      read: (bytes) => {
        const { sports, dports, invert } = udpInfo.read(bytes)
        return ports(sports, dports, invert)
      },
      write: (udp) =>
        udpInfo.write({ sports: bounds(udp.sport), dports: bounds(udp.dport), invert: invertOf(udp) }),
    },
  ],
  text: portsText,
  meaning: (udp) => portsMeaning('udp', udp),
}

const flagNames = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG'] as const

function flagsText(bits: number): string {
  const names = flagNames.filter((_, index) => (bits & (1 << index)) !== 0)
  return bits > 0x3f ? hex(bits) : names.length === 0 ? 'NONE' : names.join(',')
}

export const tcp: XtExtension<XtTcp> = {
  codecs: [
    {
      rev: 0,
      size: tcpInfo.size,
      read: (bytes) => {
        const { sports, dports, option: number, mask, set, invert } = tcpInfo.read(bytes)
        const flagged = mask !== 0 || set !== 0 || (invert & Invert.flags) !== 0
        const optional = number !== 0 || (invert & Invert.option) !== 0
        return {
          ...ports(sports, dports, invert),
          ...(flagged && {
            'tcp-flags': { value: [mask, set], ...((invert & Invert.flags) !== 0 && { inv: true }) },
          }),
          ...(optional && {
            'tcp-option': { value: number, ...((invert & Invert.option) !== 0 && { inv: true }) },
          }),
        }
      },
      write: (tcp) => {
        const { 'tcp-flags': flags, 'tcp-option': number } = tcp
        return tcpInfo.write({
          sports: bounds(tcp.sport),
          dports: bounds(tcp.dport),
          option: number?.value ?? 0,
          mask: flags?.value[0] ?? 0,
          set: flags?.value[1] ?? 0,
          invert: invertOf(tcp) | (flags?.inv ? Invert.flags : 0) | (number?.inv ? Invert.option : 0),
        })
      },
    },
  ],
  text: (tcp) => {
    const { 'tcp-flags': flags, 'tcp-option': number } = tcp
    return options(
      portsText(tcp),
      option('tcp-flags', flags && `${flagsText(flags.value[0])} ${flagsText(flags.value[1])}`, flags?.inv),
      option('tcp-option', number && String(number.value), number?.inv),
    )
  },
  meaning: (tcp) => {
    const { 'tcp-flags': flags, 'tcp-option': number } = tcp
    if (number !== undefined) return undefined
    const statements = portsMeaning('tcp', tcp)
    if (flags !== undefined) {
      const [mask, set] = flags.value
      const left = { '&': [{ payload: { protocol: 'tcp', field: 'flags' } }, mask] } as const
      statements.push(equals(left, set, flags.inv))
    }
    return statements
  },
}
