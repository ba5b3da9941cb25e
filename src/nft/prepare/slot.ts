import type { SlotExpression } from '../model/index.js'

/** A value that comes later: `match.ip.saddr.eq(slot('client'))`, for {@link prepare}. */
export function slot(name: string): SlotExpression {
  return { slot: name }
}
