import { block } from './block.js'
import { type Context, inFamily } from './context.js'
import { child, commentText, list, type Node, onlyEntry, quoted, words } from './node.js'
import { priorityText } from './priority.js'
import { ruleText } from './rule.js'

/** The lines of a chain: its comment, where it is hooked in, its rules. */
export function chainLines(
  chain: Node,
  rules: readonly Node[],
  context: Context,
  bound: BoundChains = new Map(),
): string[] {
  const within = inFamily(context, chain.family)
  const lines: string[] = []
  const comment = commentText(chain.comment)
  if (comment !== undefined) lines.push(comment)
  if (chain.hook !== undefined) lines.push(hookText(chain, within.family))
  if (list(chain.flags).includes('offload')) lines.push('flags offload;')
  return [...lines, ...rules.map((rule) => withBound(ruleText(rule, within), rule, bound))]
}

/** The lines of chains that belong to a rule, by their names. */
export type BoundChains = ReadonlyMap<string, readonly string[]>

/** `jump { … }`: a chain that belongs to the rule stands in the place of its name. */
function withBound(text: string, rule: Node, bound: BoundChains): string {
  if (bound.size === 0) return text
  for (const statement of list(rule.expr)) {
    const [verdict = '', argument] = onlyEntry(statement) ?? []
    const target = String(child(argument, 'target'))
    const lines = bound.get(target)
    if (lines === undefined || (verdict !== 'jump' && verdict !== 'goto')) continue
    return text.replace(`${verdict} ${target}`, () => block(verdict, lines))
  }
  return text
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
