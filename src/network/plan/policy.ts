import type { ForwardPolicy } from '../options.js'
import type { Family, HostPolicyRecord } from './records.js'

/**
 * What becomes of forwarded packets that nothing allows. `auto` drops in the families in which we turned forwarding on: the
 * host forwarded nothing before, and shall not become everybody's router because it has containers.
 */
export function hostPolicy(
  policy: ForwardPolicy,
  turnedOn: readonly Family[],
  { userRules, maxConnections }: Pick<HostPolicyRecord, 'userRules' | 'maxConnections'>,
): HostPolicyRecord {
  const drop: readonly Family[] = { auto: turnedOn, drop: [4, 6] as const, accept: [], leave: [] }[policy]
  return { drop: [...new Set(drop)].sort(), acceptDirect: policy === 'accept', userRules, maxConnections }
}
