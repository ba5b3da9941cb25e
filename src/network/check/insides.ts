/** Containers whose interface has not the address that it was given. */
import type { HostWorld } from '../explain/host-world.js'
import { linkLocalPrefixLength } from '../plan/asked-addresses.js'
import { toldAddresses } from '../plan/endpoints.js'
import { poolOf, standingEndpoints } from '../plan/records.js'
import type { CheckFacts } from './facts.js'
import type { Finding } from './finding.js'
import { MOST } from './standing-traffic.js'

/** Of as many containers as are looked into: to read the state of a namespace takes milliseconds. */
export async function insideFindings({ registry }: CheckFacts, world: HostWorld): Promise<Finding[]> {
  const findings: Finding[] = []
  const running = [...registry.containers].filter(({ state }) => state === 'running')
  for (const container of running.slice(0, MOST)) {
    const endpoints = standingEndpoints(container)
    const inside = await world.container(container)
    for (const endpoint of endpoints) {
      const network = registry.network(endpoint.network)
      if (!network || !inside.links.some(({ index }) => index === endpoint.index)) continue
      for (const address of toldAddresses(endpoint)) {
        const has = inside.addresses.some(
          (each) => each.device === endpoint.index && each.address.address.equals(address),
        )
        if (has) continue
        const length = poolOf(network, address)?.subnet.prefixLength ?? linkLocalPrefixLength(address.family)
        findings.push({
          code: 'address-gone',
          severity: 'warning',
          subject: container.name,
          message: `${endpoint.interfaceName} of ${container.name} has lost the address ${address}: ${container.name} is not reached by it`,
          remedy: `in the container's namespace: \`ip address add ${address}/${length} dev ${endpoint.interfaceName}${address.family === 6 ? ' nodad' : ''}\`, and its routes; or stop ${container.name} and start it again`,
        })
      }
    }
  }
  return findings
}

/** Containers that have more inside than is read: what they are part of was judged as they were configured. */
export function tooLargeFindings({ tooLarge }: Pick<HostWorld, 'tooLarge'>): Finding[] {
  return [...tooLarge].map(([name, sentence]) => ({
    code: 'inside-too-large',
    severity: 'warning',
    subject: name,
    message: `${sentence}: ${name} was taken to be as it was configured`,
    remedy: `see what ${name} has put into its namespace: \`ip link\`, \`ip route\`, \`nft list ruleset\` there`,
  }))
}
