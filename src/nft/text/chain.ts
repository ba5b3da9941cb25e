import { type Context, inFamily } from './context.js'
import { commentText, list, type Node, quoted, words } from './node.js'
import { priorityText } from './priority.js'
import { ruleText } from './rule.js'

/** The lines of a chain: its comment, where it is hooked in, its rules. */
export function chainLines(chain: Node, rules: readonly Node[], context: Context): string[] {
  const within = inFamily(context, chain.family)
  const lines: string[] = []
  const comment = commentText(chain.comment)
  if (comment !== undefined) lines.push(comment)
  if (chain.hook !== undefined) lines.push(hookText(chain, within.family))
  if (list(chain.flags).length > 0) lines.push(`flags ${list(chain.flags).join(',')};`)
  return [...lines, ...rules.map((rule) => ruleText(rule, within))]
}

/** `type filter hook input priority filter; policy accept;` */
function hookText({ type, hook, dev, prio, policy }: Node, family: string): string {
  return words(
    `type ${String(type)} hook ${String(hook)}`,
    devicesText(dev),
    `priority ${priorityText(family, hook, prio)};`,
    `policy ${String(policy ?? 'accept')};`,
  )
}

/** `device "lo"`, `devices = { a, b }` */
function devicesText(dev: unknown): string | undefined {
  const devices = list(dev)
  if (devices.length === 0) return undefined
  return devices.length === 1 ? `device ${quoted(devices[0])}` : `devices = { ${devices.join(', ')} }`
}

/** `chain input { # handle 1` begins with this. */
export function chainHead(chain: Node): string {
  return `chain ${String(chain.name)}`
}
