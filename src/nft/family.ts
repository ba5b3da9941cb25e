import { checkOneOf } from '../input.js'
import { familyNumbers } from './kernel/constants.js'
import type { Family } from './model/index.js'

const FAMILIES: readonly Family[] = ['ip', 'ip6', 'inet', 'arp', 'bridge', 'netdev']

/** The kernel's number of a family that a caller names. @throws NfbridgeError NFB_INVALID_ARGUMENT */
export function familyOf(family: Family, operation: string, path: string): number {
  return familyNumbers[checkOneOf(family, FAMILIES, operation, path)]
}
