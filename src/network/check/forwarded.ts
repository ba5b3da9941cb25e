/** What the host forwards for other programs, and our forward policy drops. */
import { devicesOf, Evaluator, type NamespaceState, type Packet, type Step } from '../../explain/index.js'
import type { Link } from '../../rtnl/index.js'
import { eachFamily } from '../plan/endpoints.js'
import type { Family } from '../plan/records.js'
import { FORWARD_CHAIN, USER_CHAINS } from '../rules/names.js'
import type { Finding } from './finding.js'
import { neighbourIn, STRANGER } from './sample-addresses.js'
import { uplinks } from './uplinks.js'

/** Who is to be told: a host whose policy drops, or will with its first network. */
export interface DroppingHost {
  readonly state: NamespaceState
  /** Name of our tables. */
  readonly table: string
  /** Names of our bridges. */
  readonly bridges: ReadonlySet<string>
  /** Families in which it drops what nothing allows. */
  readonly drop: readonly Family[]
  /** Whether it does so already. */
  readonly stands: boolean
}

/** Names that programs give to the interfaces whose traffic they have the host forward. */
const OWNERS: readonly (readonly [owner: string, name: RegExp])[] = [
  ['Docker', /^(docker\d+|docker_gwbridge|br-[0-9a-f]{12})$/],
  ['libvirt', /^virbr\d+$/],
  ['LXD or Incus', /^(lxdbr|incusbr)\d+$/],
  ['LXC', /^lxcbr\d+$/],
  ['Podman', /^(podman\d+|cni-podman\d+)$/],
  ['a CNI plugin', /^(cni\d+|cbr\d+|cali[0-9a-f]+|cilium_.*|flannel.*|kube-bridge)$/],
  ['Tailscale', /^tailscale\d+$/],
  ['ZeroTier', /^zt[0-9a-z]+$/],
  ['WireGuard', /^wg/],
  ['a VPN', /^(tun|tap|ppp|ipsec|nordlynx)/],
]

/** Links that lead to other machines by a way of their own. */
const TUNNELS: ReadonlySet<string | undefined> = new Set([
  'wireguard',
  'tun',
  'ppp',
  'xfrm',
  'vti',
  'ipip',
  'gre',
])

/** Whether a link may be one that others forward for. Cheap: a host without such links need not be looked at. */
export function mayForward({ name, kind }: Pick<Link, 'name' | 'kind'>): boolean {
  return kind === 'bridge' || TUNNELS.has(kind) || ownerOf(name, kind) !== undefined
}

/** A finding for each interface whose traffic its owner lets pass, and our policy does not. */
export function forwardedFindings(host: DroppingHost): Finding[] {
  const { state, bridges } = host
  return state.links
    .filter((link) => link.name !== 'lo' && link.up && !bridges.has(link.name) && mayForward(link))
    .flatMap((link) => {
      const families = host.drop.filter((family) => isDropped(host, link, family))
      return families.length > 0 ? [findingOf(host, link, families)] : []
    })
}

function isDropped({ state, table, stands }: DroppingHost, link: Link, family: Family): boolean {
  const [uplink] = uplinks(state, family)
  const out = state.links.find(({ name }) => name === uplink)
  const source = sourceBehind(state, link, family)
  if (!out || out.index === link.index || source === undefined) return false
  const packet = firstPacket(link, out, source, family)
  const layer = family === 4 ? 'ip' : 'ip6'
  const ours = { family: 'inet', table } as const
  const others = new Evaluator(
    state.evaluator.catalog.withRules(ours, FORWARD_CHAIN, []),
    state.evaluator.environment,
  )
  const forward = others.hook({ layer, hook: 'forward' }, packet)
  if (forward.verdict !== 'accept') return false
  const sent = others.hook({ layer, hook: 'postrouting' }, forward.packet)
  const isMeant =
    ownerOf(link.name, link.kind) !== undefined ||
    TUNNELS.has(link.kind) ||
    forward.steps.some(
      (step) => step.kind === 'rule' && step.effect === 'accept' && isForeign(step, table),
    ) ||
    sent.packet.source !== source
  if (!isMeant) return false
  if (!stands) return true
  const now = state.evaluator.hook({ layer, hook: 'forward' }, packet)
  return now.verdict === 'drop' && now.decisive !== undefined && !isForeign(now.decisive, table)
}

function isForeign(step: Step, table: string): boolean {
  return step.table !== table
}

/** An address of somebody behind a link: in a network of its own, or of a route by it. */
function sourceBehind(state: NamespaceState, link: Link, family: Family): string | undefined {
  for (const { device, address, scope } of state.addresses) {
    if (device !== link.index || address.family !== family || scope !== 'universe') continue
    const found = neighbourIn(address, address.address)
    if (found !== undefined) return found
  }
  const route = state.routes.find(
    (each) =>
      each.family === family &&
      each.type === 'unicast' &&
      each.destination.prefixLength > 1 &&
      devicesOf(each).includes(link.index) &&
      !each.destination.toString().startsWith('fe80:'),
  )
  return route && neighbourIn(route.destination)
}

function firstPacket(inputDevice: Link, outputDevice: Link, source: string, family: Family): Packet {
  const original = {
    source,
    destination: STRANGER[family],
    protocol: 6,
    sourcePort: { low: 32768, high: 60999 },
    destinationPort: 443,
  }
  const reply = {
    source: original.destination,
    destination: source,
    protocol: 6,
    sourcePort: 443,
    destinationPort: original.sourcePort,
  }
  return {
    family: family === 4 ? 'ip' : 'ip6',
    ...original,
    inputDevice,
    outputDevice,
    tcpFlags: 0x02,
    mark: 0,
    connection: { state: 'new', status: 0, direction: 'original', original, reply, mark: 0 },
  }
}

function findingOf({ table, stands }: DroppingHost, link: Link, families: readonly Family[]): Finding {
  const { name } = link
  const owner = ownerOf(name, link.kind)
  const whose = owner === undefined ? name : `${name}, an interface of ${owner}`
  const which = eachFamily.filter((family) => families.includes(family)).map((family) => `IPv${family}`)
  const why = `the host forwarded nothing, so forwardPolicy: 'auto' drops what nothing allows (${which.join(', ')})`
  const settings = families.map((family) =>
    family === 4 ? 'sysctl -w net.ipv4.ip_forward=1' : 'sysctl -w net.ipv6.conf.all.forwarding=1',
  )
  const insert = `nft insert rule inet ${table} ${USER_CHAINS.forward}`
  return {
    code: 'policy-drops-foreign',
    severity: stands ? 'error' : 'warning',
    subject: name,
    message: stands
      ? `our forward policy drops what comes from ${whose}, which the host's other rules let pass: ${why}`
      : `with the first network, what comes from ${whose} will be dropped: ${why}`,
    remedy: stands
      ? `\`${insert} iifname "${name}" accept && ${insert} oifname "${name}" accept\`, the same by host.userRules.forward, or open the host with forwardPolicy: 'leave'`
      : `\`${settings.join(' && ')}\` before the first network is made, or open the host with forwardPolicy: 'leave'`,
  }
}

function ownerOf(name: string, kind: string | undefined): string | undefined {
  if (kind === 'wireguard') return OWNERS.find(([, pattern]) => pattern.test(name))?.[0] ?? 'WireGuard'
  return OWNERS.find(([, pattern]) => pattern.test(name))?.[0]
}
