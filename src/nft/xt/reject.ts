/** The target REJECT: struct ipt_reject_info, ip6t_reject_info. */
import { InvalidValue, quote } from '../datatype/index.js'
import type { IcmpCode, Icmpv6Code, RejectStatement, XtReject } from '../model/index.js'
import { option, type XtCodec, type XtExtension, type XtFamily } from './codec.js'
import { structure, u32 } from './layout.js'

const info = structure(4, { with: u32(0) })

/** By their numbers; some that no program asks for have no name. */
const names: { readonly [F in XtFamily]: readonly (string | undefined)[] } = {
  ip: [
    'icmp-net-unreachable',
    'icmp-host-unreachable',
    'icmp-proto-unreachable',
    'icmp-port-unreachable',
    undefined,
    'icmp-net-prohibited',
    'icmp-host-prohibited',
    'tcp-reset',
    'icmp-admin-prohibited',
  ],
  ip6: [
    'icmp6-no-route',
    'icmp6-adm-prohibited',
    undefined,
    'icmp6-addr-unreachable',
    'icmp6-port-unreachable',
    undefined,
    'tcp-reset',
    'icmp6-policy-fail',
    'icmp6-reject-route',
  ],
}

const codes: { readonly [name: string]: IcmpCode } = {
  'icmp-net-unreachable': 'net-unreachable',
  'icmp-host-unreachable': 'host-unreachable',
  'icmp-proto-unreachable': 'prot-unreachable',
  'icmp-port-unreachable': 'port-unreachable',
  'icmp-net-prohibited': 'net-prohibited',
  'icmp-host-prohibited': 'host-prohibited',
  'icmp-admin-prohibited': 'admin-prohibited',
}
const codes6: { readonly [name: string]: Icmpv6Code } = {
  'icmp6-no-route': 'no-route',
  'icmp6-adm-prohibited': 'admin-prohibited',
  'icmp6-addr-unreachable': 'addr-unreachable',
  'icmp6-port-unreachable': 'port-unreachable',
  'icmp6-policy-fail': 'policy-fail',
  'icmp6-reject-route': 'reject-route',
}

function codec(family: XtFamily): XtCodec<XtReject> {
  return {
    rev: 0,
    family,
    size: info.size,
    read: (bytes) => {
      const name = names[family][info.read(bytes).with]
      return name === undefined ? undefined : { 'reject-with': name }
    },
    write: ({ 'reject-with': name }) => {
      const number = names[family].indexOf(name)
      if (number < 0) {
        const known = names[family].filter((each) => each !== undefined)
        throw new InvalidValue(`${quote(name)} is none of ${known.join(', ')}`)
      }
      return info.write({ with: number })
    },
  }
}

function meaningOf(name: string): RejectStatement {
  const [code, code6] = [codes[name], codes6[name]]
  if (code !== undefined) return { reject: { type: 'icmp', expr: code } }
  return code6 === undefined ? { reject: { type: 'tcp reset' } } : { reject: { type: 'icmpv6', expr: code6 } }
}

export const reject: XtExtension<XtReject> = {
  codecs: [codec('ip'), codec('ip6')],
  text: ({ 'reject-with': name }) => option('reject-with', name),
  meaning: ({ 'reject-with': name }) => [meaningOf(name)],
}
