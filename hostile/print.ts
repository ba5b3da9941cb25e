/** Frames as text. */
import type { Frame } from './frame.js'

/** `{ ethernet: { destination: group-0e }, packet: ipv4 { payload: udp } }` */
export function frameText(frame: Frame): string {
  return valueText(frame)
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(valueText).join(', ')}]`
  if (typeof value !== 'object' || value === null) return String(value)
  const kind = 'kind' in value ? String(value.kind) : ''
  const parts = Object.entries(value)
    .filter(([key]) => key !== 'kind')
    .map(
      ([key, part]) =>
        `${key}: ${key === 'type' && typeof part === 'number' && part > 255 ? hexadecimal(part) : valueText(part)}`,
    )
  const body = parts.length === 0 ? '' : `{ ${parts.join(', ')} }`
  return [kind, body].filter((text) => text !== '').join(' ') || '{}'
}

function hexadecimal(value: number): string {
  return `0x${value.toString(16).padStart(4, '0')}`
}

export function hexText(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('hex')
    .replace(/(..)(?=.)/g, '$1 ')
}
