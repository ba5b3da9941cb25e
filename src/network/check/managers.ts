/** Programs that manage interfaces of the machine, where they have taken one of ours: NetworkManager, systemd-networkd. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Link } from '../../rtnl/index.js'
import type { Finding } from './finding.js'

export type Manager = 'NetworkManager' | 'systemd-networkd'

/** Whether each manages an interface, by its index, as it writes below `/run`. */
const MANAGES: readonly {
  readonly manager: Manager
  readonly manages: (run: string, index: number) => Promise<boolean>
}[] = [
  { manager: 'NetworkManager', manages: networkManagerManages },
  { manager: 'systemd-networkd', manages: networkdManages },
]

/** Those that manage a link. @param run the folder `/run` of the machine whose links they are */
export async function managersOf(run: string, index: number): Promise<Manager[]> {
  const found: Manager[] = []
  for (const { manager, manages } of MANAGES) if (await manages(run, index)) found.push(manager)
  return found
}

/** `pending` and `initialized` are interfaces that it has not looked up yet: it has changed nothing of them. */
async function networkdManages(run: string, index: number): Promise<boolean> {
  const state = await read(join(run, 'systemd/netif/links', String(index)))
  return /^ADMIN_STATE=(configuring|configured|failed|linger)$/m.test(state)
}

/** Interfaces that others set up count as managed too, with a profile that it made of what it found ("connected (externally)"). */
async function networkManagerManages(run: string, index: number): Promise<boolean> {
  const state = await read(join(run, 'NetworkManager/devices', String(index)))
  if (!/^managed=true$/m.test(state)) return false
  const [, profile] = /^connection-uuid=(.+)$/m.exec(state) ?? []
  return profile === undefined || !(await isExternal(run, profile))
}

/** Only root reads the profiles. Without them an interface counts as external: NetworkManager makes every bridge of others so. */
async function isExternal(run: string, uuid: string): Promise<boolean> {
  const folder = join(run, 'NetworkManager/system-connections')
  try {
    const profiles = await Promise.all(
      (await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')),
    )
    const profile = profiles.find((text) => text.split('\n').includes(`uuid=${uuid}`))
    return profile !== undefined && /^external=true$/m.test(profile)
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ENOENT')
  }
}

function read(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '')
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
