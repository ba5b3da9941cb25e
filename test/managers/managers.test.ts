/** NetworkManager, systemd-networkd and udev, the real ones, beside a host: what they take, and what keeps them away. */
import { beforeEach, describe, expect, it } from 'vitest'
import {
  configure,
  managersRoot,
  networkdState,
  networkManagerState,
  runProgram,
  settleUdev,
  startNetworkd,
  startNetworkManager,
  startUdev,
} from './daemons.js'
import { useDropIn } from './drop-ins.js'
import {
  codes,
  connectUplink,
  createHost,
  expectCodes,
  expectWhole,
  ip,
  type OwnHost,
  reopen,
} from './setting.js'

/** What a machine of systemd-networkd has: its way outside. */
function configureUplink(): void {
  configure(
    '/etc/systemd/network/10-uplink.network',
    '[Match]\nName=uplink\n\n[Network]\nAddress=203.0.113.1/24\nGateway=203.0.113.2\nLinkLocalAddressing=no\n',
  )
}

/** The broad one that many machines have. */
function configureAll(): void {
  configure('/etc/systemd/network/80-dhcp.network', '[Match]\nName=*\n\n[Network]\nDHCP=yes\n')
}

const NETWORKD = '/etc/systemd/network/05-nfbridge.network'
const NETWORKD_ROUTES = '/etc/systemd/networkd.conf.d/nfbridge.conf'
const NETWORK_MANAGER = '/etc/NetworkManager/conf.d/nfbridge.conf'

/** Until systemd-networkd has done with the uplink and decided about the bridge. */
async function networkdSettled(own: OwnHost): Promise<void> {
  const uplink = Number(/^(\d+):/.exec(await ip('-o', 'link', 'show', 'uplink'))?.[1])
  await expect.poll(() => networkdState(uplink)).toBe('configured')
  await expect.poll(() => networkdState(own.index)).not.toMatch(/pending|initialized/)
}

beforeEach(({ skip }) => {
  if (managersRoot === undefined) skip('`npm run managers` runs it')
})

const TAKEN = ['gateway-gone', 'interface-managed', 'port-elsewhere']

describe('systemd-networkd', () => {
  it('leaves alone what no file of its matches', async () => {
    await connectUplink()
    await startUdev()
    const own = await createHost()
    await startNetworkd()
    await expect.poll(() => networkdState(own.index)).toBe('unmanaged')
    await expectWhole(own)
  })

  it('takes a bridge and its ports by Name=*; the files, a reload and another open() bring them back', async () => {
    configureUplink()
    configureAll()
    await connectUplink()
    await startUdev()
    const own = await createHost()
    await startNetworkd()
    await expectCodes(own, ...TAKEN, 'peer-route-gone')
    expect(await ip('rule')).not.toContain('lookup 100')
    useDropIn(NETWORKD)
    useDropIn(NETWORKD_ROUTES)
    await runProgram('networkctl', 'reload')
    await expect.poll(() => networkdState(own.index)).toBe('unmanaged')
    await reopen(own)
    await networkdSettled(own)
    expect(await codes(own)).toEqual([])
  })

  it.each(['before', 'after'])('takes nothing with the files, started %s the host', async (order) => {
    configureUplink()
    configureAll()
    useDropIn(NETWORKD)
    useDropIn(NETWORKD_ROUTES)
    await connectUplink()
    await startUdev()
    if (order === 'before') {
      await startNetworkd()
      await expect.poll(() => ip('route')).toContain('default via 203.0.113.2 dev uplink proto static')
    }
    const own = await createHost()
    if (order === 'after') await startNetworkd()
    await networkdSettled(own)
    expect(networkdState(own.index)).toBe('unmanaged')
    await expectWhole(own)
  })

  it('removes routes and rules of others when it starts, also when it manages the uplink alone', async () => {
    configureUplink()
    await connectUplink()
    await startUdev()
    const own = await createHost()
    await startNetworkd()
    await networkdSettled(own)
    expect(await codes(own)).toEqual(['peer-route-gone'])
    expect(await ip('rule')).not.toContain('lookup 100')
  })

  it('keeps routes and rules of others with ManageForeign…=no', async () => {
    configureUplink()
    useDropIn(NETWORKD_ROUTES)
    await connectUplink()
    await startUdev()
    const own = await createHost()
    await startNetworkd()
    await networkdSettled(own)
    await expectWhole(own)
  })

  it('changes nothing before udev knows an interface, and check says nothing', async () => {
    configureAll()
    await connectUplink()
    const own = await createHost()
    await startNetworkd()
    await expect.poll(() => networkdState(own.index)).toBe('pending')
    await expectWhole(own)
  })
})

describe('NetworkManager', () => {
  const profile = ['con', 'add', 'type', 'bridge', 'ifname', 'docker0', 'con-name', 'mine']

  it.each(['before', 'after'])(
    'leaves a bridge to its maker ("externally"), started %s the host',
    async (order) => {
      await connectUplink()
      await startUdev()
      if (order === 'before') await startNetworkManager()
      const own = await createHost()
      if (order === 'after') await startNetworkManager()
      await expect.poll(() => networkManagerState('docker0')).toBe('connected (externally)')
      expect(await networkManagerState(own.port)).toBe('unmanaged')
      await expectWhole(own)
      // A profile that matches changes nothing until somebody brings it up.
      await runProgram('nmcli', ...profile)
      expect(await networkManagerState('docker0')).toBe('connected (externally)')
      await expectWhole(own)
    },
  )

  it('takes a bridge when a profile is brought up; the file, a reload, remedies and another open() bring it back', async () => {
    await connectUplink()
    await startUdev()
    const own = await createHost()
    await startNetworkManager()
    await runProgram('nmcli', ...profile)
    await runProgram('nmcli', '--wait', '0', 'con', 'up', 'mine')
    await expectCodes(own, ...TAKEN, 'bridge-changed')
    useDropIn(NETWORK_MANAGER)
    await runProgram('nmcli', 'general', 'reload')
    await expect.poll(() => networkManagerState('docker0')).toBe('unmanaged')
    const remedies = (await own.host.check()).map(({ remedy }) => remedy)
    expect(remedies).toContain('`ip link set docker0 type bridge stp_state 0`')
    await ip(...'link set docker0 type bridge stp_state 0'.split(' '))
    await reopen(own)
    await expectCodes(own)
    expect(await networkManagerState('docker0')).toBe('unmanaged')
  })

  it('takes nothing with the file, also when a profile is brought up', async () => {
    useDropIn(NETWORK_MANAGER)
    await connectUplink()
    await startUdev()
    const own = await createHost()
    await startNetworkManager()
    await runProgram('nmcli', ...profile)
    expect(await runProgram('nmcli', 'con', 'up', 'mine')).toContain('strictly unmanaged')
    expect(await networkManagerState('docker0')).toBe('unmanaged')
    await expectWhole(own)
  })
})

describe('udev', () => {
  const assigned = (name: string): Promise<string> => ip('-o', 'link', 'show', name)
  const mac = (text: string): string | undefined => /link\/ether (\S+)/.exec(text)?.[1]

  it.each(['persistent', 'random'])(
    'leaves MAC addresses that were set, by MACAddressPolicy=%s',
    async (policy) => {
      configure(
        '/etc/systemd/network/10-all.link',
        `[Match]\nOriginalName=*\n\n[Link]\nMACAddressPolicy=${policy}\n`,
      )
      await connectUplink()
      await startUdev()
      const own = await createHost()
      await settleUdev()
      expect(mac(await assigned('docker0'))).toBe('02:42:ac:11:00:01')
      await expectWhole(own)
      // A control: one that was not set is that of the policy, each time the same or not.
      const seen = new Set<string | undefined>()
      for (let round = 0; round < 2; round++) {
        await ip('link', 'add', 'control', 'type', 'bridge')
        await settleUdev()
        seen.add(mac(await assigned('control')))
        await ip('link', 'delete', 'control')
      }
      expect(seen.size).toBe(policy === 'persistent' ? 1 : 2)
    },
  )

  it.each([true, false])('changes them by MACAddress=, unless a file comes before: %s', async (kept) => {
    configure(
      '/etc/systemd/network/10-mac.link',
      '[Match]\nDriver=bridge\n\n[Link]\nMACAddress=be:ef:00:00:00:01\n',
    )
    if (kept) useDropIn('/etc/systemd/network/05-nfbridge.link')
    await connectUplink()
    await startUdev()
    const own = await createHost()
    await settleUdev()
    if (kept) await expectWhole(own)
    else expect(await codes(own)).toEqual(['bridge-changed'])
  })

  it.each([true, false])(
    'applies sysctl.d to a bridge that it gets to know, unless a file leaves it out: %s',
    async (kept) => {
      configure(
        '/etc/sysctl.d/90-all.conf',
        'net.ipv4.conf.*.forwarding = 0\nnet.ipv4.conf.*.route_localnet = 0\nnet.ipv4.conf.*.rp_filter = 1\n',
      )
      if (kept) useDropIn('/etc/sysctl.d/99-nfbridge.conf')
      await connectUplink()
      // After our own settings: beside a running udev either may be the last.
      const own = await createHost()
      await startUdev('docker0')
      if (kept) await expectWhole(own)
      else expect(await codes(own)).toEqual(['forwarding-off', 'route-localnet-off'])
    },
  )
})
