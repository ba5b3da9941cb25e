import { readProperty } from '../read-input.js'

/** An int of C. */
const MOST = 0x7fff_ffff

/** The process or the descriptor that a namespace is given by, `{ pid }`, `{ fd }` or a Namespace; undefined where it is none. */
export function namespaceNumber(
  source: unknown,
  operation: string,
  path: string,
): { readonly kind: 'pid' | 'fd'; readonly number: number } | undefined {
  if (typeof source !== 'object' || source === null) return undefined
  const kind = 'pid' in source ? 'pid' : 'fd'
  const number = readProperty(source, kind, operation, path)
  const least = kind === 'pid' ? 1 : 0
  const isNumber = typeof number === 'number' && Number.isInteger(number)
  return isNumber && number >= least && number <= MOST ? { kind, number } : undefined
}
