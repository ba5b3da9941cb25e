/** Constants: addresses, numbers, names, ranges, networks. */
import { type Datatype, datatypeById } from '../datatype/index.js'
import { duration } from './duration.js'
import { quoted } from './node.js'
import type { Style } from './style.js'

/** A constant in the way of its type. */
export function immediate(value: string | number | boolean, style: Style): string {
  if (typeof value === 'boolean') return value ? 'exists' : 'missing'
  if (typeof value === 'string') return text(value, style)
  return number(value, style)
}

function text(value: string, style: Style): string {
  if (value.startsWith('@') || value === '*') return value
  // nft prints an index or a group that has no name as text in its JSON.
  if (style.quoted) return /^\d+$/.test(value) && style.type !== 'ifname' ? value : quoted(value)
  if (style.hex !== undefined && /^0x[0-9a-f]+$/i.test(value))
    return `0x${value.slice(2).padStart(style.hex, '0')}`
  return value === '' || /[\s"'{};]/.test(value) ? quoted(value) : value
}

function number(value: number, style: Style): string {
  if (style.duration) return duration(value)
  return style.hex === undefined ? String(value) : `0x${value.toString(16).padStart(style.hex, '0')}`
}

/** One end of a range: nft writes numbers there, also where there is a name, and times in seconds. */
export function rangeEnd(value: string | number | boolean, style: Style): string {
  if (style.duration && typeof value === 'number') return `${Math.floor(value)}s`
  const named = typeof value === 'string' ? numberOf(value, style) : undefined
  return immediate(named ?? value, style)
}

/** The number behind a name. */
function numberOf(value: string, { type }: Style): number | undefined {
  const symbols = type === undefined ? undefined : datatypes.get(type)?.symbols
  return symbols?.find(([name]) => name === value)?.[1]
}

/** nft's numbers of types have six bits. */
const typeIds = 64

/** Every data type by its name. */
const datatypes: ReadonlyMap<string, Datatype> = new Map(
  Array.from({ length: typeIds }, (_, id) => datatypeById(id)).flatMap((type) =>
    type === undefined ? [] : [[type.name, type]],
  ),
)
