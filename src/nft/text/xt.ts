/** Matches and targets of xtables. */
import type { Family, XtStatement } from '../model/index.js'
import { xtOptionsText } from '../xt/index.js'
import { child, isNode, quoted, words } from './node.js'

/** As nft prints it, which reads it not, with the options as iptables prints them: `xt match "conntrack" --ctstate ESTABLISHED`. */
export function xtText(value: unknown, family: string): string {
  return words(
    `xt ${String(child(value, 'type'))} ${quoted(child(value, 'name'))}`,
    optionsText(value, family),
  )
}

function optionsText(value: unknown, family: string): string | undefined {
  if (!isExtension(value)) return undefined
  try {
    return xtOptionsText({ xt: value }, isFamily(family) ? family : 'inet')
  } catch {
    // Options that are none are refused when the rule is compiled; a text there is of anything.
    return undefined
  }
}

function isExtension(value: unknown): value is XtStatement['xt'] {
  return (
    isNode(value) && typeof value.name === 'string' && (value.type === 'match' || value.type === 'target')
  )
}

function isFamily(family: string): family is Family {
  return ['ip', 'ip6', 'inet', 'arp', 'bridge', 'netdev'].includes(family)
}
