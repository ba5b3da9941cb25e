/** What udev, systemd-networkd and NetworkManager do to interfaces, by the same changes. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ownMounts } from '../../support/own-mounts.js'
import { ip, runIn } from '../../support/tools.js'
import { type Case, expectFound, inHost, port, reopen, set } from './check-town.js'
import { cleanUp, createSetting } from './setting.js'

/** NET_ADDR_SET of linux/netdevice.h: udev's MACAddressPolicy leaves such an address alone. */
const SET = '3'

it('makes bridges and ports with MAC addresses that count as set, and stay', async () => {
  const { attach, host } = await createSetting(['web'])
  const web = await attach('web')
  const folder = mkdtempSync(join(tmpdir(), 'nfbridge-sysfs-'))
  cleanUp(async () => rmSync(folder, { recursive: true, force: true }))
  // A control: a veth that nobody gave an address has a random one.
  await ip(host.namespace, ...'link add control type veth peer name other'.split(' '))
  const read = async (name: string): Promise<string> => {
    const script = `mount -t sysfs sysfs ${folder} && cat ${folder}/class/net/${name}/addr_assign_type`
    return (await runIn(host.namespace, 'unshare', [...ownMounts(), 'sh', '-c', script])).trim()
  }
  expect(await read('control')).not.toBe(SET)
  expect(await read('docker0')).toBe(SET)
  expect(await read(web.hostInterface ?? '')).toBe(SET)
})

const cases: readonly Case[] = [
  {
    code: 'port-elsewhere',
    what: 'systemd-networkd takes a port out of its bridge (no Bridge=, no KeepMaster=)',
    provoke: (town) => port('web')(town, 'link', 'set', 'PORT', 'nomaster'),
    says: ['docker0'],
    mend: reopen,
  },
  {
    code: 'gateway-gone',
    what: 'systemd-networkd or NetworkManager removes addresses that they did not make',
    provoke: inHost('-4', 'address', 'flush', 'dev', 'docker0'),
    says: ['172.17.0.1'],
  },
  {
    code: 'bridge-changed',
    what: 'a .link file, or cloned-mac-address, gives a bridge another MAC address',
    provoke: inHost('link', 'set', 'docker0', 'address', 'be:ef:00:00:00:01'),
    says: ['be:ef:00:00:00:01'],
  },
  {
    code: 'peer-route-gone',
    what: 'systemd-networkd removes routes that it did not make (ManageForeignRoutes)',
    provoke: inHost('route', 'flush', 'proto', 'static', '172.30.0.0/24'),
    says: ['172.30.0.0/24'],
  },
  {
    code: 'route-localnet-off',
    what: 'udev applies sysctl.d to a new interface',
    provoke: set('net/ipv4/conf/docker0/route_localnet', '0'),
    says: ['docker0'],
  },
  {
    code: 'gateway-gone',
    what: 'IPv6 of an interface is turned off',
    provoke: set('net/ipv6/conf/docker0/disable_ipv6', '1'),
    says: ['disable_ipv6=0'],
  },
]

describe('host.check finds what managers of interfaces take', () => {
  it.each(cases)('$code: $what; the remedy mends it', (fault) => expectFound(fault))
})
