/** Settings of bridges and their ports, and what these were told, that are not as they were made. */
import type { Link } from '../../rtnl/index.js'
import { portOptions } from '../apply/container-links.js'
import { bridgeMac, MOST_LEARNED } from '../plan/bridge.js'
import { toldAddresses } from '../plan/endpoints.js'
import type { EndpointRecord, NetworkRecord } from '../plan/records.js'
import type { CheckFacts } from './facts.js'
import type { Finding } from './finding.js'

/** `ip link … type bridge_slave` calls them so. */
const PORT_WORDS = {
  hairpin: 'hairpin',
  isolated: 'isolated',
  learning: 'learning',
  unicastFlood: 'flood',
  proxyArpForPort: 'proxy_arp_wifi',
  neighbourSuppress: 'neigh_suppress',
  locked: 'locked',
  broadcastFlood: 'bcast_flood',
  multicastFlood: 'mcast_flood',
  groupForwardMask: 'group_fwd_mask',
  multicastMaxGroups: 'mcast_max_groups',
} as const

/** What nobody asks for has the kernel's defaults. */
const PORT_DEFAULTS = {
  hairpin: false,
  isolated: false,
  learning: true,
  unicastFlood: true,
  proxyArpForPort: false,
  neighbourSuppress: false,
  locked: false,
  broadcastFlood: true,
  multicastFlood: true,
  groupForwardMask: 0,
  multicastMaxGroups: 0,
} as const

type Setting = keyof typeof PORT_WORDS

const SETTINGS = [
  'hairpin',
  'isolated',
  'learning',
  'unicastFlood',
  'proxyArpForPort',
  'neighbourSuppress',
  'locked',
  'broadcastFlood',
  'multicastFlood',
  'groupForwardMask',
  'multicastMaxGroups',
] as const satisfies readonly Setting[]

/** A port of a container that is where it should be. */
export function portFindings(
  facts: CheckFacts,
  container: string,
  endpoint: EndpointRecord,
  network: NetworkRecord,
  bridge: Link,
  port: Link,
): Finding[] {
  const { firewall } = facts.settings
  const wanted = { ...PORT_DEFAULTS, ...portOptions(endpoint, firewall) }
  const changed = SETTINGS.filter((name) => {
    const now = port.port?.[name]
    return now !== undefined && now !== wanted[name]
  })
  const about = { severity: 'error', subject: port.name } as const
  const findings: Finding[] = []
  if (changed.length > 0) {
    const words = changed.map((name) => `${PORT_WORDS[name]} ${settingText(name, wanted[name])}`)
    findings.push({
      ...about,
      code: 'port-changed',
      message: `somebody changed settings of ${port.name}, the port of ${container} on ${bridge.name}: it was made with ${words.join(', ')}`,
      remedy: `\`ip link set ${port.name} type bridge_slave ${words.join(' ')}\``,
    })
  }
  const mtu = mtuOf(network)
  if (mtu !== undefined && port.mtu !== mtu)
    findings.push({
      ...about,
      code: 'port-changed',
      message: `somebody changed the MTU of ${port.name}, the port of ${container} on ${bridge.name}, to ${port.mtu}: larger packets do not pass`,
      remedy: `\`ip link set ${port.name} mtu ${mtu}\``,
    })
  return [...findings, ...(firewall ? stationFindings(facts, container, endpoint, bridge, port) : [])]
}

function settingText(name: Setting, value: boolean | number): string {
  if (typeof value === 'number') return name === 'groupForwardMask' ? `0x${value.toString(16)}` : `${value}`
  return value ? 'on' : 'off'
}

/** Of what we made; an adopted bridge's is somebody else's. */
function mtuOf({ mtu, adopted }: NetworkRecord): number | undefined {
  return adopted ? undefined : (mtu ?? ETHERNET_MTU)
}

/** The kernel's default (ETH_DATA_LEN). */
const ETHERNET_MTU = 1500

/** The bridge was told which port a MAC address is behind, and the host which address has it. */
function stationFindings(
  { state }: CheckFacts,
  container: string,
  endpoint: EndpointRecord,
  bridge: Link,
  port: Link,
): Finding[] {
  const { mac, allowForgedSource } = endpoint
  const commands: string[] = []
  const there = state.fdb.some(
    (entry) => entry.device === port.index && entry.master === bridge.index && entry.mac.equals(mac),
  )
  if (!there && !allowForgedSource) commands.push(`bridge fdb replace ${mac} dev ${port.name} master static`)
  for (const address of allowForgedSource ? [] : toldAddresses(endpoint)) {
    const known = state.neighbours.find(
      (each) => each.device === bridge.index && !each.proxy && each.address.equals(address),
    )
    if (known?.state === 'permanent' && known.mac && !known.mac.equals(mac))
      commands.push(`ip neigh replace ${address} lladdr ${mac} dev ${bridge.name} nud permanent`)
  }
  if (commands.length === 0) return []
  return [
    {
      code: 'station-changed',
      severity: 'error',
      subject: port.name,
      message: `${there ? 'the host was told another MAC address' : `${bridge.name} no longer knows that ${mac} is behind ${port.name}`}, and does not reach ${container}`,
      remedy: `\`${commands.join(' && ')}\``,
    },
  ]
}

/** A bridge that is there and up. One that was adopted is somebody else's to set. */
export function bridgeChanges(network: NetworkRecord, bridge: Link): Finding[] {
  if (network.adopted) return []
  const { name, mac } = bridge
  const mtu = mtuOf(network)
  const wanted = bridgeMac(network, name)
  const about = { code: 'bridge-changed', subject: name } as const
  const findings: Finding[] = []
  if (mac && !mac.equals(wanted))
    findings.push({
      ...about,
      severity: 'error',
      message: `somebody changed the MAC address of ${name} to ${mac}: containers send to their gateway at ${wanted}`,
      remedy: `\`ip link set ${name} address ${wanted}\``,
    })
  if (mtu !== undefined && bridge.mtu !== mtu)
    findings.push({
      ...about,
      severity: 'warning',
      message: `somebody changed the MTU of ${name} to ${bridge.mtu}: that of ${network.name} is ${mtu}`,
      remedy: `\`ip link set ${name} mtu ${mtu}\``,
    })
  const learnt = bridge.bridge?.fdbMaxLearned
  if (learnt !== undefined && learnt !== MOST_LEARNED)
    findings.push({
      ...about,
      severity: 'warning',
      message: `somebody changed how many MAC addresses ${name} learns: a container that sends as many others can fill the kernel's memory`,
      remedy: `\`ip link set ${name} type bridge fdb_max_learned ${MOST_LEARNED}\`, or open the host again`,
    })
  const words = [
    ...(bridge.bridge?.vlanFiltering ? ['vlan_filtering 0'] : []),
    ...(bridge.bridge?.stp ? ['stp_state 0'] : []),
  ]
  if (words.length > 0)
    findings.push({
      ...about,
      severity: 'warning',
      message: `somebody turned ${words.map((each) => each.replace(/ 0$/, '')).join(' and ')} on for ${name}: new containers may wait before anything passes, or be kept apart`,
      remedy: `\`ip link set ${name} type bridge ${words.join(' ')}\``,
    })
  return findings
}
