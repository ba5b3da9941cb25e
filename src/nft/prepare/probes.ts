/** Finds the slots of what is to be prepared, and puts probes in their places. */
import { SlotProbe } from '../compile/slot.js'
import type { Trail } from '../compile/trail.js'
import { InvalidValue, quote } from '../datatype/index.js'

/** A copy of `value` with a probe for each slot; the trail stands at it. Slots of one name share a probe. */
export function withProbes<T>(value: T, probes: Map<string, SlotProbe>, trail: Trail): T
export function withProbes(value: unknown, probes: Map<string, SlotProbe>, trail: Trail): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  if (Array.isArray(value)) return value.map((item: unknown, index) => entered(item, index, probes, trail))
  if (isSlotLike(value)) return probeOf(value.slot, probes)
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, entered(item, name, probes, trail)]),
  )
}

function isSlotLike(value: object): value is { readonly slot: unknown } {
  return Object.keys(value).length === 1 && 'slot' in value
}

function entered(
  value: unknown,
  step: string | number,
  probes: Map<string, SlotProbe>,
  trail: Trail,
): unknown {
  trail.enter(step)
  if ((step === 'range' || step === 'prefix') && holdsSlot(value))
    throw new InvalidValue(`no slot can stand in a ${step}: a slot is one value`)
  const copy = withProbes(value, probes, trail)
  trail.leave()
  return copy
}

function holdsSlot(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return isSlotLike(value) || Object.values(value).some(holdsSlot)
}

function probeOf(name: unknown, probes: Map<string, SlotProbe>): SlotProbe {
  if (typeof name !== 'string' || name === '') throw new InvalidValue(`a slot has a name, not ${quote(name)}`)
  const probe = probes.get(name) ?? new SlotProbe(name)
  probes.set(name, probe)
  return probe
}
