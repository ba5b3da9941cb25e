import { readdirSync } from 'node:fs'
import type { Machine } from '../../../lab/machine.js'
import { NfbridgeError } from '../../../src/index.js'
import { ip, runIn } from '../../support/tools.js'

/** Every setting below net.ipv4.conf, net.ipv6.conf and net.bridge of a namespace, and the one that forwards. */
export async function allSettings({ namespace }: Machine): Promise<Map<string, string>> {
  const links = (await ip(namespace, '-o', 'link')).trim().split('\n')
  const interfaces = links.map((line) => line.split(': ')[1]?.split('@')[0] ?? '')
  const settings = new Map<string, string>()
  for (const family of ['ipv4', 'ipv6'])
    for (const name of ['all', 'default', ...interfaces])
      for (const setting of readdirSync(`/proc/sys/net/${family}/conf/default`)) {
        const path = `net/${family}/conf/${name}/${setting}`
        try {
          settings.set(path, await namespace.readSysctl(path))
        } catch (error) {
          // Some can be written only, and some secrets are not there yet.
          if (!(error instanceof NfbridgeError)) throw error
        }
      }
  // There where br_netfilter is.
  for (const name of (await runIn(namespace, 'sh', ['-c', 'ls /proc/sys/net/bridge || true']))
    .split('\n')
    .filter(Boolean))
    settings.set(`net/bridge/${name}`, await namespace.readSysctl(`net/bridge/${name}`))
  settings.set('net/ipv4/ip_forward', await namespace.readSysctl('net/ipv4/ip_forward'))
  return settings
}
