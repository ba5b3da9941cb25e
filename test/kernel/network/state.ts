import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { listSettled } from '../../../src/explain/settled.js'
import type { Namespace } from '../../../src/index.js'
import { Rtnl } from '../../../src/rtnl/index.js'
import { runIn } from '../../support/tools.js'

/** One shell for all tools, and each tool once where it can be: starting a program takes longer than what it does. */
const SCRIPT = `
ip -d -j link show; echo @@
printf '%s\\n' 'address show scope global' 'neighbour show nud permanent' | ip -o -batch -; echo @@
printf '%s\\n' 'route show table all' 'rule show' | ip -4 -batch -; echo @@
printf '%s\\n' 'route show table all' 'rule show' | ip -6 -batch -; echo @@
nft -s list ruleset; echo @@
tc qdisc show; echo @@
bridge fdb show; echo @@
cd /proc/sys/net
exec grep -s . ipv4/ip_forward ipv6/conf/all/forwarding ipv6/conf/default/forwarding ipv4/conf/*/route_localnet ipv6/conf/*/accept_ra ipv6/conf/*/forwarding bridge/bridge-nf-call-*
`

/**
 * What the tools print of a namespace: all that a failed or undone call could leave behind. What follows from carriers
 * that come and go is left out: the state of links, IPv6's automatic addresses and their routes. What the kernel has been told to
 * do and does a little later is waited for: local routes of IPv6 addresses.
 */
export async function stateOf(namespace: Namespace): Promise<string> {
  await untilSettled(namespace)
  const output = await runIn(namespace, 'sh', ['-c', SCRIPT])
  const [links = '[]', addresses = '', routing = '', routing6 = '', ...others] = output.split('@@\n')
  const [rules = '', qdiscs = '', entries = '', sysctls = ''] = others
  const withoutCarrier = (line: string): string => line.replace(/ linkdown\b/, '')
  const parts = [
    linksOf(links),
    lines(addresses),
    lines(routing).map(withoutCarrier),
    lines(routing6)
      .filter((line) => !/fe80::|ff00::|^multicast|^anycast/.test(line))
      .map(withoutCarrier),
    lines(rules),
    lines(qdiscs).filter((line) => !/ noqueue /.test(line)),
    // What is not permanent was learned.
    lines(entries).filter((line) => /static/.test(line)),
    lines(sysctls),
  ]
  return parts.map((part) => part.map((line) => line.trimEnd()).join('\n')).join('\n---\n')
}

async function untilSettled(namespace: Namespace): Promise<void> {
  const rtnl = await Rtnl.open({ netns: namespace })
  try {
    await listSettled(rtnl)
  } finally {
    rtnl.close()
  }
}

/** The files of a state directory with what is in them, without its digest. */
export function filesOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !['lock', 'reserve'].includes(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((file) => {
      const text = readFileSync(file, 'utf8').replace(/\nsha256:[0-9a-f]+\n$/, '')
      return `${file.slice(directory.length)} ${text}`
    })
}

function linksOf(json: string): string[] {
  const links: unknown = JSON.parse(json)
  if (!Array.isArray(links)) throw new Error('ip prints a list of links')
  return links.map(({ ifindex, ifname, address, mtu, master, group, ifalias, linkinfo, flags }) => {
    const up = Array.isArray(flags) && flags.includes('UP')
    const kind = linkinfo?.info_kind
    const { nf_call_iptables, nf_call_ip6tables } = linkinfo?.info_data ?? {}
    const asks = { nf_call_iptables, nf_call_ip6tables }
    return JSON.stringify({ ifindex, ifname, address, mtu, master, group, ifalias, kind, up, ...asks })
  })
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}
