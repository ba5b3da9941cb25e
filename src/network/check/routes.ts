/** Routes and routing rules of the host that lead what is for containers or peers elsewhere. */
import type { Cidr } from '../../address/index.js'
import { linkByIndex, type NamespaceState } from '../../explain/index.js'
import type { Route } from '../../rtnl/index.js'
import { type Diversion, diversions, diversionText, mainFirst } from '../plan/host-routing.js'
import type { PeerRecord } from '../plan/records.js'
import type { CheckFacts } from './facts.js'
import type { Finding } from './finding.js'

export function routeFindings({ state, registry }: CheckFacts): Finding[] {
  const main = state.routes.filter(({ table }) => table === 'main')
  const own = new Set(
    [...registry.networks].flatMap(({ pools }) => pools.map(({ subnet }) => subnet.toString())),
  )
  return [
    ...[...registry.networks].flatMap((network) =>
      network.pools.flatMap(({ bridge, subnet, gateway }) => {
        const index = state.links.find(({ name }) => name === bridge)?.index
        // Without an address of the bridge's there is no route to the pool, and none is wanted.
        if (!gateway || index === undefined) return []
        const isOurs = (route: Route): boolean => deviceOf(route) === index
        const shadowing = shadows(main, subnet, isOurs)
          .filter(({ destination }) => !own.has(destination.toString()) || destination.equals(subnet))
          .map(
            (route): Finding => ({
              code: 'pool-shadowed',
              severity: 'error',
              subject: network.name,
              message: `the host's route to ${route.destination} (${wayText(state, route)}) takes what is for addresses of ${network.name} (${subnet})`,
              remedy: deletion(state, route),
            }),
          )
        const diverting = diversions(state, subnet, gateway, isOurs)
          .filter((diversion) => isOfSomebody(state, diversion))
          .map((diversion) =>
            diversionFinding(state, 'pool-shadowed', network.name, `addresses of ${network.name}`, diversion),
          )
        return [...shadowing, ...diverting]
      }),
    ),
    ...[...registry.peers].flatMap((peer) => peerFindings(state, main, peer)),
  ]
}

function peerFindings(state: NamespaceState, main: readonly Route[], peer: PeerRecord): Finding[] {
  const { subnet, via, device } = peer
  const isOurs = (route: Route): boolean =>
    route.destination.equals(subnet) &&
    (via === undefined || route.gateway?.toString() === via.toString()) &&
    (device === undefined || linkByIndex(state, deviceOf(route))?.name === device)
  const way = [...(via ? ['via', `${via}`] : []), ...(device ? ['dev', device] : [])].join(' ')
  const found: Finding[] = main.some(isOurs)
    ? []
    : [
        {
          code: 'peer-route-gone',
          severity: 'error',
          subject: subnet.toString(),
          message: `the route to the peer ${subnet} is gone`,
          remedy: `\`ip route add ${subnet} ${way}\``,
        },
      ]
  return [
    ...found,
    ...diversions(state, subnet, undefined, isOurs)
      .filter(({ of }) => of === 'all')
      .map((each) => diversionFinding(state, 'peer-shadowed', `${subnet}`, 'containers of the peer', each)),
    ...shadows(main, subnet, isOurs).map(
      (route): Finding => ({
        code: 'peer-shadowed',
        severity: 'error',
        subject: subnet.toString(),
        message: `the host's route to ${route.destination} (${wayText(state, route)}) takes what is for containers of the peer ${subnet}`,
        remedy: deletion(state, route),
      }),
    ),
  ]
}

/** Whether anybody here sends what a rule names: a source that the host has not, or an interface, means nothing. */
function isOfSomebody(state: NamespaceState, { rule, of }: Diversion): boolean {
  if (of === 'all' || !rule) return true
  const { source, inputDevice } = rule
  if (inputDevice !== undefined && !state.links.some(({ name }) => name === inputDevice)) return false
  return (
    source === undefined ||
    rule.not ||
    state.addresses.some(({ address }) => source.contains(address.address))
  )
}

/** A rule for some packets only takes these, and all others find their way. */
function diversionFinding(
  state: NamespaceState,
  code: 'pool-shadowed' | 'peer-shadowed',
  subject: string,
  whose: string,
  diversion: Diversion,
): Finding {
  const { subnet, route, of } = diversion
  const way = route ? ` (${wayText(state, route)})` : ''
  return {
    code,
    severity: of === 'all' ? 'error' : 'warning',
    subject,
    message: `what is for ${whose} (${subnet}) ${diversionText(diversion)}${way}`,
    remedy: mainFirst(diversion),
  }
}

/** Routes that win against ours in a part of a subnet: longer ones, or as long with a lower metric. */
function shadows(main: readonly Route[], subnet: Cidr, isOurs: (route: Route) => boolean): Route[] {
  const ours = main.find((route) => route.destination.equals(subnet) && isOurs(route))
  return main.filter(
    (route) =>
      !isOurs(route) &&
      route.destination.family === subnet.family &&
      subnet.contains(route.destination.address) &&
      (route.destination.prefixLength > subnet.prefixLength ||
        (route.destination.prefixLength === subnet.prefixLength &&
          (ours === undefined || (route.metric ?? 0) < (ours.metric ?? 0)))),
  )
}

function deviceOf({ device, nexthops }: Route): number | undefined {
  return device ?? nexthops?.[0]?.device
}

function wayText(state: NamespaceState, route: Route): string {
  const device = linkByIndex(state, deviceOf(route))?.name
  const parts = [...(route.gateway ? [`via ${route.gateway}`] : []), ...(device ? [`dev ${device}`] : [])]
  return parts.length > 0 ? parts.join(' ') : String(route.type)
}

function deletion(state: NamespaceState, route: Route): string {
  const type = route.type === 'unicast' ? '' : `${route.type} `
  const way = route.type === 'unicast' ? ` ${wayText(state, route)}` : ''
  const metric = route.metric === undefined ? '' : ` metric ${route.metric}`
  const six = route.family === 6 ? '-6 ' : ''
  return `\`ip ${six}route delete ${type}${route.destination}${way}${metric}\`, or use another pool`
}
