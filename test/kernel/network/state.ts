import type { Namespace } from '../../../src/index.js'
import { ip, ipJson, nft, runIn } from '../../support/tools.js'

/**
 * What the tools print of a namespace: all that a failed or undone call could leave behind. What follows from carriers
 * that come and go is left out: the state of links, IPv6's automatic addresses and their routes.
 */
export async function stateOf(namespace: Namespace): Promise<string> {
  const [links, addresses, routes, rules, forward, neighbours] = await Promise.all([
    ipJson(namespace, 'link', 'show'),
    ip(namespace, '-o', 'address', 'show', 'scope', 'global'),
    ip(namespace, '-4', 'route', 'show', 'table', 'all'),
    nft(namespace, '-s', 'list', 'ruleset'),
    runIn(namespace, 'sysctl', ['-n', 'net.ipv4.ip_forward']),
    ip(namespace, 'neighbour', 'show', 'nud', 'permanent'),
  ])
  const parts = [
    links.map(({ ifindex, ifname, address, mtu, master, group, ifalias, linkinfo }) =>
      JSON.stringify({ ifindex, ifname, address, mtu, master, group, ifalias, kind: kindOf(linkinfo) }),
    ),
    lines(addresses),
    lines(routes).map((line) => line.replace(/ linkdown\b/, '')),
    lines(rules),
    lines(forward),
    lines(neighbours),
  ]
  return parts.map((part) => part.map((line) => line.trimEnd()).join('\n')).join('\n---\n')
}

function kindOf(linkinfo: unknown): unknown {
  return typeof linkinfo === 'object' && linkinfo !== null && 'info_kind' in linkinfo
    ? linkinfo.info_kind
    : undefined
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}
