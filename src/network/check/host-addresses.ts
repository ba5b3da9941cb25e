/** Addresses of the host that networks and publications name, and that it has no longer: what is not named follows by itself. */
import type { IPAddress } from '../../address/index.js'
import type { NamespaceState } from '../../explain/index.js'
import { eachFamily } from '../plan/endpoints.js'
import { familyOf, isForHostAlone, oneHostAddress, publishedText } from '../plan/records.js'
import type { CheckFacts } from './facts.js'
import type { Finding } from './finding.js'
import { uplinks } from './uplinks.js'

export function hostAddressFindings({ state, registry, settings }: CheckFacts): Finding[] {
  if (!settings.firewall) return []
  return [
    ...[...registry.networks].flatMap((network) =>
      eachFamily.flatMap((family): Finding[] => {
        const { snat } = familyOf(network, family)
        if (!snat || isOwn(state, snat)) return []
        const near = state.addresses.some(({ address }) => address.contains(snat))
        return [
          {
            code: 'snat-address-gone',
            // Routed to the host without being its own, it works: only who routes it knows.
            severity: near ? 'error' : 'warning',
            subject: network.name,
            message: `${network.name} sends under the address ${snat}, which the host has not (any more): ${near ? 'nobody answers for it, and no answer comes back' : 'answers come back only where somebody routes it here'}`,
            remedy: `make the network again without snat, which follows the host's address, or with an address that the host has; or give it the address: ${addition(state, snat)}`,
          },
        ]
      }),
    ),
    ...[...registry.containers].flatMap((container) =>
      container.state !== 'running'
        ? []
        : container.published.flatMap((port): Finding[] => {
            const address = oneHostAddress(port)
            if (!address || isForHostAlone(port) || isOwn(state, address)) return []
            return [
              {
                code: 'published-address-gone',
                severity: 'error',
                subject: container.name,
                message: `${container.name} publishes ${publishedText(port)}, and the host has the address ${address} no longer: nobody gets there`,
                remedy: `publish it without an address, which follows the host's, or on one that the host has; or give it the address: ${addition(state, address)}`,
              },
            ]
          }),
    ),
  ]
}

function isOwn(state: NamespaceState, address: IPAddress): boolean {
  return state.evaluator.environment.addressType(address.toString()) === 'local'
}

function addition(state: NamespaceState, address: IPAddress): string {
  const [uplink = 'lo'] = uplinks(state, address.family)
  return `\`ip address add ${address}/${address.family === 4 ? 32 : 128} dev ${uplink}${address.family === 6 ? ' nodad' : ''}\``
}
