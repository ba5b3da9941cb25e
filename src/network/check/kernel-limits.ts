/** Limits of what a container can fill, where the kernel is too old for them (docs/security.md). */
import type { Link } from '../../rtnl/index.js'
import { standingEndpoints } from '../plan/records.js'
import type { CheckFacts } from './facts.js'
import type { Finding } from './finding.js'

export function kernelLimitFindings({ registry, state, settings }: CheckFacts): Finding[] {
  const endpoints = [...registry.containers].flatMap(standingEndpoints)
  const named = (names: readonly string[]): Link[] => state.links.filter(({ name }) => names.includes(name))
  const learning = endpoints.filter(({ allowForgedSource }) => allowForgedSource || !settings.firewall)
  return [
    ...withoutGroupLimit(named(endpoints.map(({ hostInterface }) => hostInterface))),
    ...withoutLearningLimit(named(learning.map(({ bridge }) => bridge))),
  ]
}

/** @param ports of containers */
export function withoutGroupLimit(ports: readonly Link[]): Finding[] {
  if (ports.every(({ port }) => port === undefined || port.multicastMaxGroups !== undefined)) return []
  return [
    {
      code: 'limit-unsupported',
      severity: 'warning',
      subject: 'mcast_max_groups',
      message:
        'the kernel does not limit the multicast groups of a port: one container can use up what a bridge remembers, which then floods all of them',
      remedy: 'a kernel from 6.3 on; then open the host again',
    },
  ]
}

/** @param bridges with a port that learns MAC addresses */
export function withoutLearningLimit(bridges: readonly Link[]): Finding[] {
  if (bridges.every(({ bridge }) => bridge === undefined || bridge.fdbMaxLearned !== undefined)) return []
  return [
    {
      code: 'limit-unsupported',
      severity: 'warning',
      subject: 'fdb_max_learned',
      message:
        "the kernel does not limit the MAC addresses that a bridge learns: a container that may send as others can fill the kernel's memory",
      remedy: 'a kernel from 6.7 on, or attach without `allowForgedSource`; then open the host again',
    },
  ]
}
