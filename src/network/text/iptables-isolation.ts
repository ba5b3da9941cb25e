import { poolEndpoints } from '../plan/endpoints.js'
import {
  type Family,
  familyOf,
  isForHostAlone,
  type NetworkRecord,
  standingEndpoints,
} from '../plan/records.js'
import type { NetworkView } from '../plan/view.js'
import { destinationPorts, is, isClosed, isNot, networksOf, publishedIn } from './iptables-selection.js'
import type { IptablesChain, IptablesRule, Selector } from './iptables-table.js'

const STAGE_1 = 'DOCKER-ISOLATION-STAGE-1'
const STAGE_2 = 'DOCKER-ISOLATION-STAGE-2'

/** Docker's two chains that keep networks from each other. */
export function isolationChains(view: NetworkView, family: Family): IptablesChain[] {
  const networks = networksOf(view, family)
  const open = networks.filter((network) => !isClosed(network, family))
  const closed = networks.filter((network) => isClosed(network, family))
  const isolated = open.filter(({ isolation }) => isolation === 'default')
  const bridgesOf = (some: readonly NetworkRecord[]): string[] => some.flatMap(({ bridges }) => bridges)
  // A published port of the host is reached from every network, so what was translated passes; and a routed network is
  // reached from others on its published ports, so there are answers; as where direct routing is allowed.
  const direct = open.some(
    (network) =>
      ['routed', 'nat-unprotected'].includes(familyOf(network, family).mode) ||
      network.allowDirectRouting ||
      network.trustedInterfaces.length > 0,
  )
  const states = direct ? ['RELATED', 'ESTABLISHED', 'DNAT'] : ['DNAT']
  const translated: IptablesRule[] =
    open.length === 0 ? [] : [{ target: 'RETURN', matches: [{ kind: 'state', states }] }]
  return [
    {
      name: STAGE_1,
      rules: [
        ...networks.flatMap(withinRules),
        ...closed.flatMap((network) => closedRules(network, family)),
        ...translated,
        ...strictRules(open),
        ...bridgesOf(isolated).map((bridge) => ({
          target: STAGE_2,
          input: is(bridge),
          output: isNot(bridge),
        })),
        { target: 'RETURN' },
      ],
    },
    {
      name: STAGE_2,
      rules: [
        ...isolated.flatMap((network) => directRules(view, network, family)),
        ...bridgesOf(isolated).map((bridge) => ({ target: 'DROP', output: is(bridge) })),
        { target: 'RETURN' },
      ],
    },
  ]
}

/** Interfaces of other networks whose containers reach those of this one. */
export function passesBetween(view: NetworkView, network: NetworkRecord, family: Family): Selector[] {
  return networksOf(view, family)
    .filter((other) => other.name !== network.name && !isClosed(other, family))
    .filter(({ isolation }) => isolation !== 'strict' && network.isolation !== 'strict')
    .filter(({ isolation }) => isolation === 'none' || network.isolation === 'none')
    .flatMap(({ bridges }) => bridges.map(is))
}

/** The bridges of one network are one network. */
function withinRules({ bridges }: NetworkRecord): IptablesRule[] {
  return bridges.flatMap((bridge) =>
    bridges
      .filter((other) => other !== bridge)
      .map((other) => ({ target: 'RETURN', input: is(bridge), output: is(other) })),
  )
}

/** Docker's two rules of an internal network; where a bridge has several pools, by the bridge. */
function closedRules({ bridges, pools }: NetworkRecord, family: Family): IptablesRule[] {
  return bridges.flatMap((bridge): IptablesRule[] => {
    const [pool, ...more] = pools.filter((each) => each.bridge === bridge && each.subnet.family === family)
    if (!pool || more.length > 0 || bridges.length > 1) {
      return [
        { target: 'DROP', input: isNot(bridge), output: is(bridge) },
        { target: 'DROP', input: is(bridge), output: isNot(bridge) },
      ]
    }
    return [
      { target: 'DROP', output: is(bridge), source: isNot(pool.subnet) },
      { target: 'DROP', input: is(bridge), destination: isNot(pool.subnet) },
    ]
  })
}

/** A strict network and every other one. */
function strictRules(networks: readonly NetworkRecord[]): IptablesRule[] {
  const pairs = networks.flatMap((one) =>
    networks
      .filter((other) => other !== one && [one.isolation, other.isolation].includes('strict'))
      .map((other) => [one, other] as const),
  )
  return pairs.flatMap(([from, to]) =>
    from.bridges.flatMap((input) =>
      to.bridges.map((output) => ({ target: 'DROP', input: is(input), output: is(output) })),
    ),
  )
}

/** What other networks reach of one by its containers' own addresses. */
function directRules(view: NetworkView, network: NetworkRecord, family: Family): IptablesRule[] {
  const { mode } = familyOf(network, family)
  const { bridges, trustedInterfaces } = network
  if (mode === 'nat-unprotected') return bridges.map((bridge) => ({ target: 'RETURN', output: is(bridge) }))
  const everywhere = mode === 'routed' || network.allowDirectRouting
  const inputs = everywhere ? [{}] : trustedInterfaces.map((trusted) => ({ input: is(trusted) }))
  const published = inputs.flatMap((input) =>
    publishedRules(view, network, family).map((rule) => ({ ...rule, ...input })),
  )
  const icmp = bridges.map(
    (bridge): IptablesRule => ({
      target: 'RETURN',
      protocol: family === 4 ? 'icmp' : 'icmpv6',
      output: is(bridge),
    }),
  )
  return mode === 'routed' ? [...published, ...icmp] : published
}

function publishedRules(view: NetworkView, network: NetworkRecord, family: Family): IptablesRule[] {
  return [...view.containers].flatMap((container) =>
    standingEndpoints(container)
      .filter((endpoint) => endpoint.network === network.name)
      .flatMap(poolEndpoints)
      .filter((each) => each.family === family)
      .flatMap(({ endpoint, address }) =>
        publishedIn(container.published, family)
          .filter((published) => !isForHostAlone(published))
          .map(
            ({ protocol, containerPorts }): IptablesRule => ({
              target: 'RETURN',
              protocol,
              output: is(endpoint.bridge),
              destination: is(address),
              matches: [destinationPorts(containerPorts)],
            }),
          ),
      ),
  )
}
