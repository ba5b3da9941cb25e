import { isNode } from './node.js'

/** What `reject` alone means in a family. */
const usual: { readonly [family: string]: string | undefined } = { ip: 'icmp', ip6: 'icmpv6' }

/** `reject`, `reject with tcp reset`, `reject with icmp host-unreachable` */
export function rejectText(value: unknown, family: string): string {
  if (!isNode(value)) return 'reject'
  const { type, expr } = value
  if (type === 'tcp reset') return 'reject with tcp reset'
  if (type === undefined) return 'reject'
  const isUsual = type === (usual[family] ?? 'icmpx') && (expr === undefined || expr === 'port-unreachable')
  return isUsual ? 'reject' : `reject with ${String(type)} ${String(expr ?? 'port-unreachable')}`
}
