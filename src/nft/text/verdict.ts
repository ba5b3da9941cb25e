import { child, isNode, onlyEntry } from './node.js'

const verdicts: ReadonlySet<string> = new Set(['accept', 'drop', 'continue', 'return', 'jump', 'goto'])

/** Whether a value is `{ accept: null }`, `{ jump: { target } }` or the like. */
export function isVerdict(value: unknown): boolean {
  const entry = isNode(value) ? onlyEntry(value) : undefined
  return entry !== undefined && verdicts.has(entry[0])
}

/** `accept`, `jump chain` */
export function verdictText(value: unknown): string {
  const [name = '', argument] = onlyEntry(value) ?? []
  const target = child(argument, 'target')
  return target === undefined ? name : `${name} ${String(target)}`
}
