import type { ExprSynproxyRecord } from '../../native/records.js'
import { SynproxyFlags } from '../kernel/constants.js'
import type { SynproxyFlag, SynproxyOptions } from '../model/index.js'
import { flagNames } from './flag-names.js'

const optionFlags: { readonly [F in SynproxyFlag]: number } = {
  timestamp: SynproxyFlags.timestamp,
  'sack-perm': SynproxyFlags['sack-perm'],
}
/** They say whether there is a number. */
const numberFlags = SynproxyFlags.mss | SynproxyFlags.wscale

/** The options of a rule's own, or of a named object; undefined when there are others. */
export function readSynproxyOptions(record: ExprSynproxyRecord): SynproxyOptions | undefined {
  const { mss = 0, wscale = 0, flags = 0 } = record
  const names = flagNames<SynproxyFlag>(optionFlags, flags, numberFlags)
  if (!names) return undefined
  return {
    ...((flags & SynproxyFlags.mss) !== 0 && { mss }),
    ...((flags & SynproxyFlags.wscale) !== 0 && { wscale }),
    ...(names.length > 0 && { flags: names }),
  }
}
