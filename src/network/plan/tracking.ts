import type { HostPolicyRecord, NetworkRecord } from './records.js'

/**
 * Whether what passes within a network meets connection tracking, and with it the rules of table inet: as its option says, or
 * because a rule of the users can concern it. All other networks are judged in their bridges.
 */
export function isTracked(
  { tracking }: Pick<NetworkRecord, 'tracking'>,
  { userRules }: Pick<HostPolicyRecord, 'userRules'>,
): boolean {
  return tracking || userRules
}
