/** Shorter frames than one that shows a fault. */
import type { Frame } from './frame.js'

/** What a property must have: it can be simpler, and not be left out. */
const NEEDED = new Set([
  'packet',
  'payload',
  'kind',
  'inner',
  'type',
  'vlan',
  'offset',
  'more',
  'by',
  'protocol',
])

/**
 * What is a little less than a frame: without one of its properties or list entries, and with one replaced by something plain. In the order in
 * which most is got rid of.
 */
export function* shorter(frame: Frame): Generator<Frame> {
  const { packet } = frame
  // All of the packet at once, where it does not matter.
  if (packet.kind !== 'ipv4') yield { ...frame, packet: { kind: 'ipv4', payload: { kind: 'udp' } } }
  for (const less of without(frame)) yield less as Frame
}

function* without(value: unknown): Generator<unknown> {
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1)
      if (value.length > 1) yield value.toSpliced(index, 1)
    for (let index = 0; index < value.length; index += 1)
      for (const less of without(value[index])) yield value.with(index, less)
  } else if (typeof value === 'object' && value !== null) {
    const entries: [string, unknown][] = Object.entries(value)
    for (const [key] of entries)
      if (!NEEDED.has(key) && (key !== 'type' || 'packet' in value))
        yield Object.fromEntries(entries.filter(([other]) => other !== key))
    for (const [key, part] of entries) {
      for (const plain of plainer(key, part)) yield { ...value, [key]: plain }
      for (const less of without(part)) yield { ...value, [key]: less }
    }
  }
}

/** What could stand in the place of a whole part. */
function* plainer(key: string, part: unknown): Generator<unknown> {
  if (key === 'payload' && typeof part === 'object' && part !== null && 'kind' in part) {
    if (part.kind === 'tunnel' && 'inner' in part) yield { kind: 'udp' }
    else if (part.kind !== 'udp') yield { kind: 'udp' }
  }
}
