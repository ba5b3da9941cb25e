/** Programs that manage interfaces of the machine, where they have taken one of ours: NetworkManager, systemd-networkd. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Link } from '../../rtnl/index.js'
import type { Finding } from './finding.js'

export type Manager = 'NetworkManager' | 'systemd-networkd'

/** Where each says what it does with an interface, by the interface's index, and what it says of those that it manages. */
const STATES: readonly {
  readonly manager: Manager
  readonly folder: string
  readonly manages: RegExp
}[] = [
  { manager: 'NetworkManager', folder: 'NetworkManager/devices', manages: /^managed=true$/m },
  {
    manager: 'systemd-networkd',
    folder: 'systemd/netif/links',
    manages: /^ADMIN_STATE=(pending|initialized|configuring|configured|failed|linger)$/m,
  },
]

/** Those that manage a link. @param run the folder `/run` of the machine whose links they are */
export async function managersOf(run: string, index: number): Promise<Manager[]> {
  const found: Manager[] = []
  for (const { manager, folder, manages } of STATES) {
    const text = await readFile(join(run, folder, String(index)), 'utf8').catch(() => '')
    if (manages.test(text)) found.push(manager)
  }
  return found
}

/** A finding for each manager, naming the interfaces of ours that it has taken. */
export async function managerFindings(run: string, links: readonly Link[]): Promise<Finding[]> {
  const taken = new Map<Manager, string[]>()
  for (const { index, name } of links)
    for (const manager of await managersOf(run, index))
      taken.set(manager, [...(taken.get(manager) ?? []), name])
  return [...taken].map(([manager, names]) => ({
    code: 'interface-managed',
    severity: 'warning',
    subject: names[0] ?? manager,
    message: `${manager} manages ${names.join(', ')}: it may take addresses, routes, the bridge of a port and settings back`,
    remedy: dropIn(manager, names),
  }))
}

/** What keeps a manager from interfaces: docs/network-managers.md has it with all that there is to say. */
function dropIn(manager: Manager, names: readonly string[]): string {
  const patterns = [...new Set(names.map((name) => (name.startsWith('veth') ? 'veth*' : name)))]
  if (manager === 'NetworkManager')
    return `/etc/NetworkManager/conf.d/nfbridge.conf with \`[keyfile]\` and \`unmanaged-devices=${patterns.map((name) => `interface-name:${name}`).join(';')}\`, then \`nmcli general reload\` (docs/network-managers.md)`
  return `/etc/systemd/network/05-nfbridge.network with \`[Match]\`, \`Name=${patterns.join(' ')}\`, \`[Link]\` and \`Unmanaged=yes\`, then \`networkctl reload\` (docs/network-managers.md)`
}
