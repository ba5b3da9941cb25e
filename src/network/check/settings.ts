/** Settings of the kernel that keep packets from where they should go, or from the rules. */
import { longestMatch } from '../../explain/index.js'
import { type Family, familiesOf, type NetworkRecord } from '../plan/records.js'
import { isTracked } from '../plan/tracking.js'
import type { CheckFacts } from './facts.js'
import type { Finding } from './finding.js'
import { uplinks } from './uplinks.js'

/** From here on connection tracking is about to drop new connections. */
const NEARLY_FULL = 0.9

export async function settingFindings(facts: CheckFacts): Promise<Finding[]> {
  if ([...facts.registry.networks].length === 0) return []
  return [
    ...(await bridgeNetfilter(facts)),
    ...(await forwarding(facts)),
    ...(await reversePath(facts)),
    ...(await loopback(facts)),
    ...trustedInterfaces(facts),
    ...(await conntrack(facts)),
  ]
}

async function bridgeNetfilter({ state, registry, settings }: CheckFacts): Promise<Finding[]> {
  if (!settings.firewall) return []
  const tracked = [...registry.networks].filter((network) => isTracked(network, registry.policy))
  if (tracked.length === 0) return []
  const all = await state.sysctl('net/bridge/bridge-nf-call-iptables')
  if (all === undefined)
    return [
      {
        code: 'br-netfilter-missing',
        severity: 'error',
        subject: 'br_netfilter',
        message: `the kernel has no br_netfilter: ${withoutRules(tracked.map(({ name }) => name).join(', '))}`,
        remedy: `\`modprobe br_netfilter\`, or ${WITHOUT_TRACKING}`,
      },
    ]
  const all6 = await state.sysctl('net/bridge/bridge-nf-call-ip6tables')
  const own = new Map(tracked.flatMap(({ name, bridges }) => bridges.map((bridge) => [bridge, name])))
  return state.links.flatMap(({ name, bridge }): Finding[] => {
    const network = own.get(name)
    if (!bridge || network === undefined) return []
    const four = all === '1' || bridge.nfCallIptables
    const six = all6 === '1' || bridge.nfCallIp6tables
    if (four && six) return []
    return [
      {
        code: 'br-netfilter-off',
        severity: 'error',
        subject: name,
        message: `${name} does not show ${four ? 'IPv6' : six ? 'IPv4' : 'IP'} packets to the rules (nf_call_iptables, nf_call_ip6tables): ${withoutRules(network)}`,
        remedy: `\`ip link set ${name} type bridge nf_call_iptables 1 nf_call_ip6tables 1\``,
      },
    ]
  })
}

/** What is tracked is judged by the chains of table inet alone, which see nothing of it then. */
const withoutRules = (networks: string): string =>
  `between containers of ${networks} neither icc: false nor a rule of host.userRules holds`
const WITHOUT_TRACKING =
  'update the networks to tracking: false and let the rules of host.userRules.forward name interfaces that are none of our bridges'

async function forwarding({ state, registry, settings }: CheckFacts): Promise<Finding[]> {
  const networks = [...registry.networks].filter(({ internal }) => !internal)
  const findings: Finding[] = []
  const off = async (name: string, what: string): Promise<void> => {
    if ((await state.sysctl(name)) !== '0') return
    const dotted = name.replaceAll('/', '.')
    findings.push({
      code: 'forwarding-off',
      severity: settings.ipForward ? 'error' : 'warning',
      subject: dotted,
      message: `${dotted} is 0: ${what}`,
      remedy: `\`sysctl -w ${name}=1\`${settings.ipForward ? '' : ', or open the host with ipForward: true'}`,
    })
  }
  const of = (family: Family): NetworkRecord[] =>
    networks.filter((network) => familiesOf(network).includes(family))
  const beyond = 'containers reach nobody beyond their bridge, and nobody reaches them by published ports'
  if (of(6).length > 0) await off('net/ipv6/conf/all/forwarding', `in IPv6 ${beyond}`)
  if (of(4).length === 0) return findings
  await off('net/ipv4/ip_forward', beyond)
  if (findings.some(({ subject }) => subject === 'net.ipv4.ip_forward')) return findings
  for (const network of of(4))
    for (const bridge of network.bridges)
      await off(
        `net/ipv4/conf/${bridge}/forwarding`,
        `what the containers of ${network.name} send is not forwarded`,
      )
  for (const uplink of uplinks(state, 4))
    await off(
      `net/ipv4/conf/${uplink}/forwarding`,
      `what comes in by ${uplink}, answers included, is not forwarded`,
    )
  return findings
}

/** Strict, a link takes only what it would answer by the same link (RFC 3704). */
async function reversePath({ state, registry }: CheckFacts): Promise<Finding[]> {
  const expected = [
    ...[...registry.networks].flatMap(({ pools }) =>
      pools.flatMap(({ bridge, subnet, gateway }) =>
        gateway ? [{ device: bridge, subnet, whose: bridge }] : [],
      ),
    ),
    ...[...registry.peers].flatMap(({ subnet, device }) =>
      device === undefined ? [] : [{ device, subnet, whose: `peer ${subnet}` }],
    ),
  ]
  const findings: Finding[] = []
  const all = Number(await state.sysctl('net/ipv4/conf/all/rp_filter'))
  for (const { device, subnet, whose } of expected) {
    if (subnet.family !== 4) continue
    const link = state.links.find(({ name }) => name === device)
    const own = Number(await state.sysctl(`net/ipv4/conf/${device}/rp_filter`))
    if (!link || Math.max(all, own) !== 1) continue
    // A part of the subnet that the host answers by another link.
    const elsewhere = state.routes.find(
      (route) =>
        route.table === 'main' &&
        route.device !== link.index &&
        route.destination.family === 4 &&
        route.destination.prefixLength >= subnet.prefixLength &&
        subnet.contains(route.destination.address) &&
        longestMatch(
          state.routes.filter(({ table }) => table === 'main'),
          route.destination.address.toString(),
        ) === route,
    )
    if (!elsewhere) continue
    const setting = all === 1 ? 'all' : device
    findings.push({
      code: 'rp-filter-drops',
      severity: 'error',
      subject: device,
      message: `rp_filter of ${device} is strict and the route to ${elsewhere.destination} does not lead back to it: what is sent from there (${whose}) is dropped`,
      remedy: `\`sysctl -w net/ipv4/conf/${setting}/rp_filter=2\`, or take the route away`,
    })
  }
  return findings
}

/** Without it the host does not reach published ports by 127.0.0.1. */
async function loopback({ state, registry, settings }: CheckFacts): Promise<Finding[]> {
  if (!settings.firewall || (await state.sysctl('net/ipv4/conf/all/route_localnet')) === '1') return []
  const findings: Finding[] = []
  for (const network of registry.networks) {
    if (!familiesOf(network).includes(4)) continue
    for (const bridge of network.bridges) {
      const name = `net/ipv4/conf/${bridge}/route_localnet`
      if ((await state.sysctl(name)) !== '0') continue
      findings.push({
        code: 'route-localnet-off',
        severity: 'error',
        subject: name.replaceAll('/', '.'),
        message: `${name.replaceAll('/', '.')} is 0: the host does not reach ports that containers of ${network.name} publish by 127.0.0.1`,
        remedy: `\`sysctl -w ${name}=1\``,
      })
    }
  }
  return findings
}

function trustedInterfaces({ state, registry }: CheckFacts): Finding[] {
  return [...registry.networks].flatMap((network) =>
    network.trustedInterfaces
      .filter((name) => !state.links.some((link) => link.name === name))
      .map(
        (name): Finding => ({
          code: 'trusted-interface-missing',
          severity: 'warning',
          subject: name,
          message: `${network.name} trusts the interface ${name}, and there is none of that name: whoever gets it reaches published ports by the containers' own addresses`,
          remedy: `see whether the name is right (\`ip link show\`); make the network again without it otherwise`,
        }),
      ),
  )
}

async function conntrack({ state }: CheckFacts): Promise<Finding[]> {
  const count = Number(await state.sysctl('net/netfilter/nf_conntrack_count'))
  const most = Number(await state.sysctl('net/netfilter/nf_conntrack_max'))
  if (!(most > 0) || !(count >= most * NEARLY_FULL)) return []
  return [
    {
      code: 'conntrack-full',
      severity: count >= most ? 'error' : 'warning',
      subject: 'net.netfilter.nf_conntrack_max',
      message: `connection tracking has ${count} of at most ${most} connections: new ones are dropped when it is full`,
      remedy: `\`sysctl -w net.netfilter.nf_conntrack_max=${most * 2}\` (on the machine, not in a namespace)`,
    },
  ]
}
