/** Bridges, gateways' addresses and containers' interfaces that are not as they were made. */
import { linkByIndex } from '../../explain/index.js'
import type { Link } from '../../rtnl/index.js'
import { bridgePools } from '../plan/bridge.js'
import { type EndpointRecord, familiesOf, type NetworkRecord, standingEndpoints } from '../plan/records.js'
import type { CheckFacts } from './facts.js'
import type { Finding } from './finding.js'
import { bridgeChanges, portFindings } from './ports.js'

const REOPEN = 'open the host again with its state directory, which makes it anew'

export function bridgeFindings(facts: CheckFacts): Finding[] {
  const links = new Map(facts.state.links.map((link) => [link.name, link]))
  return [...facts.registry.networks].flatMap((network) =>
    network.bridges.flatMap((name) => oneBridge(facts, network, name, links)),
  )
}

function oneBridge(
  facts: CheckFacts,
  network: NetworkRecord,
  name: string,
  links: ReadonlyMap<string, Link>,
): Finding[] {
  const bridge = links.get(name)
  if (bridge?.kind !== 'bridge')
    return [
      {
        code: 'bridge-gone',
        severity: 'error',
        subject: name,
        message: bridge
          ? `${name} is no bridge any more, but a ${bridge.kind ?? 'device'}: the containers of ${network.name} are cut off`
          : `the bridge ${name} is gone: the containers of ${network.name} are cut off`,
        remedy: REOPEN,
      },
    ]
  return [
    ...(bridge.up ? [] : [bridgeDown(network, name)]),
    ...gatewaysGone(facts, network, bridge),
    ...bridgeChanges(network, bridge),
    ...facts.registry.containersOf(network.name).flatMap((container) =>
      standingEndpoints(container)
        .filter((endpoint) => endpoint.bridge === name && endpoint.network === network.name)
        .flatMap((endpoint) => onePort(facts, network, container.name, endpoint, bridge, links)),
    ),
    ...backlogSmall(facts, bridge),
  ]
}

function bridgeDown({ name: network }: NetworkRecord, name: string): Finding {
  return {
    code: 'bridge-down',
    severity: 'error',
    subject: name,
    message: `the bridge ${name} is down: the containers of ${network} reach nobody`,
    remedy: `\`ip link set ${name} up\``,
  }
}

function gatewaysGone(
  { state, gatewaysOfOthers }: CheckFacts,
  network: NetworkRecord,
  bridge: Link,
): Finding[] {
  return bridgePools(network, bridge.name).flatMap(({ gateway, subnet }): Finding[] => {
    if (!gateway || gatewaysOfOthers.includes(gateway.toString())) return []
    const there = state.addresses.some(
      ({ device, address }) => device === bridge.index && address.address.equals(gateway),
    )
    if (there) return []
    return [
      {
        code: 'gateway-gone',
        severity: 'error',
        subject: bridge.name,
        message: `${bridge.name} has lost the address ${gateway}, which is the gateway of its containers`,
        remedy: `\`${gateway.family === 6 ? `sysctl -w net/ipv6/conf/${bridge.name}/disable_ipv6=0 && ` : ''}ip address add ${gateway}/${subnet.prefixLength} dev ${bridge.name}${gateway.family === 6 ? ' nodad' : ''}\``,
      },
    ]
  })
}

function onePort(
  facts: CheckFacts,
  network: NetworkRecord,
  container: string,
  endpoint: EndpointRecord,
  bridge: Link,
  links: ReadonlyMap<string, Link>,
): Finding[] {
  const { hostInterface, interfaceName } = endpoint
  const { state } = facts
  const port = links.get(hostInterface)
  const about = { severity: 'error', subject: hostInterface } as const
  if (!port)
    return [
      {
        ...about,
        code: 'port-gone',
        message: `${hostInterface}, the host's end of ${container}'s ${interfaceName}, is gone: ${container} is cut off`,
        remedy: `stop ${container} and start it again: container('${container}').stop(), then start()`,
      },
    ]
  if (port.master !== bridge.index)
    return [
      {
        ...about,
        code: 'port-elsewhere',
        message: `${hostInterface}, the host's end of ${container}'s ${interfaceName}, is ${port.master === undefined ? 'no port of a bridge' : `a port of ${linkByIndex(state, port.master)?.name ?? 'another device'}`} any more, and not of ${bridge.name}`,
        remedy: `open the host again with its state directory, which puts it back; a command (\`ip link set ${hostInterface} master ${bridge.name}\`) leaves out the port's settings`,
      },
    ]
  if (!port.up)
    return [
      {
        ...about,
        code: 'port-down',
        message: `${hostInterface}, the host's end of ${container}'s ${interfaceName}, is down: ${container} is cut off`,
        remedy: `\`ip link set ${hostInterface} up\``,
      },
    ]
  const changed = portFindings(facts, container, endpoint, network, bridge, port)
  if (port.lowerUp) return changed
  return [
    ...changed,
    {
      code: 'interface-down',
      severity: 'warning',
      subject: container,
      message: `${interfaceName} of ${container} is down: ${container} is not reached by it`,
      remedy: `in the container's namespace: \`ip link set ${interfaceName} up\``,
    },
  ]
}

/** What goes to every port of a bridge is one packet for each, in the queue of one processor. */
function backlogSmall({ state, backlog, registry }: CheckFacts, bridge: Link): Finding[] {
  const ports = state.links.filter(({ master }) => master === bridge.index).length
  if (backlog === undefined || ports <= backlog) return []
  const network = [...registry.networks].find(({ bridges }) => bridges.includes(bridge.name))
  const six = network && familiesOf(network).includes(6)
  return [
    {
      code: 'backlog-small',
      severity: 'warning',
      subject: bridge.name,
      message: `${bridge.name} has ${ports} ports and net.core.netdev_max_backlog is ${backlog}: broadcasts${six ? ' and multicasts, IPv6 neighbour discovery among them,' : ''} don't come to all of them`,
      remedy: `\`sysctl -w net.core.netdev_max_backlog=${2 ** Math.ceil(Math.log2(ports + 1))}\` (on the machine, not in a namespace), or make the network with more bridges`,
    },
  ]
}
