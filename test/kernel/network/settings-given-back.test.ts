import { describe, expect, it } from 'vitest'
import type { Machine } from '../../../lab/machine.js'
import { ip } from '../../support/tools.js'
import { allSettings } from './all-settings.js'
import { createMachines, openHost } from './setting.js'

const DUAL = { pools: [{ subnet: '172.17.0.0/16' }, { subnet: 'fd00:17::/64' }] }
const HARDENED = ['accept_redirects', 'secure_redirects', 'send_redirects', 'accept_source_route']

async function write({ namespace }: Machine, settings: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, value] of Object.entries(settings)) await namespace.writeSysctl(name, value)
}

describe('destroy leaves every setting as it was found', () => {
  const hosts: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'as the kernel makes it': {},
    hardened: Object.fromEntries(
      ['all', 'default', 'uplink'].flatMap((name) => [
        ...HARDENED.map((setting) => [`net/ipv4/conf/${name}/${setting}`, '0'] as const),
        [`net/ipv4/conf/${name}/rp_filter`, '1'] as const,
        [`net/ipv6/conf/${name}/accept_redirects`, '0'] as const,
        [`net/ipv6/conf/${name}/accept_ra`, '0'] as const,
      ]),
    ),
    'with one interface that forwards': {
      'net/ipv4/conf/uplink/forwarding': '1',
      'net/ipv6/conf/uplink/forwarding': '1',
    },
    'whose new interfaces forward': {
      'net/ipv4/conf/default/forwarding': '1',
      'net/ipv6/conf/default/forwarding': '1',
    },
    'that forwards already': { 'net/ipv4/ip_forward': '1', 'net/ipv6/conf/all/forwarding': '1' },
  }
  it.each(Object.entries(hosts))('on a host %s', async (_, settings) => {
    const { host, machines } = await createMachines('web')
    const web = machines.get('web')
    if (!web) throw new Error('a machine')
    await write(host, settings)
    const before = await allSettings(host)
    const bridgeHost = await openHost(host)
    const network = await bridgeHost.createNetwork({ name: 'docker0', ...DUAL })
    await network.attach({ name: 'web', netns: web.namespace })
    // The control: something was written, and it is seen.
    const during = await allSettings(host)
    expect(during.get('net/ipv4/ip_forward')).toBe('1')
    if (!('net/ipv4/ip_forward' in settings)) {
      expect(during.get('net/ipv4/conf/all/accept_redirects')).toBe('0')
      expect(during.get('net/ipv6/conf/uplink/forwarding')).toBe('1')
    }
    await bridgeHost.destroy()
    expect(await allSettings(host)).toEqual(before)
  })

  it('and an interface that came meanwhile has what new ones began with', async () => {
    const { host } = await createMachines()
    await write(host, { 'net/ipv4/conf/default/forwarding': '1' })
    const bridgeHost = await openHost(host)
    await bridgeHost.createNetwork({ name: 'docker0', ...DUAL })
    await ip(host.namespace, 'link', 'add', 'later', 'type', 'bridge')
    await bridgeHost.destroy()
    expect(await host.namespace.readSysctl('net/ipv4/conf/later/forwarding')).toBe('1')
    expect(await host.namespace.readSysctl('net/ipv6/conf/later/forwarding')).toBe('0')
  })

  it('where only one family goes, the other is left alone', async () => {
    const { host } = await createMachines()
    const before = await allSettings(host)
    const bridgeHost = await openHost(host)
    await bridgeHost.createNetwork({ name: 'docker0' })
    const four = await allSettings(host)
    const six = await bridgeHost.createNetwork({
      name: 'six',
      ipv4: false,
      pools: [{ subnet: 'fd00:17::/64' }],
    })
    await six.destroy()
    expect(await allSettings(host)).toEqual(four)
    await bridgeHost.destroy()
    expect(await allSettings(host)).toEqual(before)
  })
})
