/** Statements that send a packet elsewhere: translation, tproxy, dup, fwd. */
import { expressionText } from './expression.js'
import { child, isNode, list, type Node, words } from './node.js'
import { type Style, styleOfType } from './style.js'

const noStyles: readonly Style[] = []

/** `dnat ip to 1.2.3.4:80 random` */
export function natText(name: string, value: unknown): string {
  const { family, addr, port, flags, type_flags: typeFlags } = isNode(value) ? value : {}
  const to = targetText(addr, port)
  return words(
    name,
    typeof family === 'string' && family,
    typeFlags !== undefined && String(typeFlags),
    to !== '' && `to ${to}`,
    // A prefix that is translated to a prefix implies it; nft has no word for it.
    list(flags)
      .filter((flag) => flag !== 'netmap')
      .join(','),
  )
}

/** `1.2.3.4:80`, `[fe80::1]:80`, `:80`. */
function targetText(addr: unknown, port: unknown): string {
  const address = addr === undefined ? '' : expressionText(addr, noStyles)
  if (port === undefined) return address
  const bracketed = isSixAddress(addr) ? bracket(addr) : address
  return `${bracketed}:${expressionText(port, [styleOfType('inet_service')])}`
}

function isSixAddress(addr: unknown): boolean {
  if (typeof addr === 'string') return addr.includes(':')
  const range = child(addr, 'range')
  return Array.isArray(range) && range.some((end) => typeof end === 'string' && end.includes(':'))
}

function bracket(addr: unknown): string {
  const range = child(addr, 'range')
  return Array.isArray(range) ? range.map((end) => `[${String(end)}]`).join('-') : `[${String(addr)}]`
}

/** `tproxy to 1.2.3.4:80` */
export function tproxyText(value: unknown): string {
  const { family, addr, port } = isNode(value) ? value : {}
  return words('tproxy', family !== undefined && String(family), `to ${targetText(addr, port)}`)
}

/** An interface, or a map that gives one. */
function deviceText(dev: unknown): string {
  return expressionText(dev, [styleOfType('iface_index')])
}

/** `dup to 1.2.3.4 device "lo"`; in the family netdev `dup to "lo"`. */
export function dupText({ addr, dev }: Node, family: string): string {
  const to = family === 'netdev' ? deviceText(addr ?? dev) : expressionText(addr)
  return words('dup to', to, addr !== undefined && dev !== undefined && `device ${deviceText(dev)}`)
}

/** `fwd to "lo"`, `fwd ip to 1.2.3.4 device "lo"`. */
export function forwardText({ family, addr, dev }: Node): string {
  if (addr === undefined) return `fwd to ${deviceText(dev)}`
  return words(
    'fwd',
    family !== undefined && String(family),
    `to ${expressionText(addr)} device ${deviceText(dev)}`,
  )
}
