import { hookOfPriority, priorities } from '../kernel/priorities.js'

/** How far from a name nft still uses it: `filter + 10`. */
const reach = 10

/** A priority by the nearest name, as nft lists it, or as a number. */
export function priorityText(family: string, hook: unknown, priority: unknown): string {
  if (typeof priority !== 'number') return String(priority)
  const names = Object.entries(priorities).find(([name]) => name === family)?.[1] ?? {}
  const hooks = new Map(Object.entries(hookOfPriority))
  for (const [name, base] of Object.entries(names)) {
    const offset = priority - base
    if (Math.abs(offset) > reach) continue
    const only = hooks.get(name)
    if (only !== undefined && only !== hook) continue
    if (offset === 0) return name
    return `${name} ${offset < 0 ? '-' : '+'} ${Math.abs(offset)}`
  }
  return String(priority)
}
