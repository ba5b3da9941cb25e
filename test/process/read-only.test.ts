import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { HostOptions, NetworkOptions } from '../../src/index.js'
import { createMachines } from '../kernel/network/setting.js'
import { stateOf } from '../kernel/network/state.js'
import { ownMounts } from '../support/own-mounts.js'
import { run } from '../support/tools.js'

const PROGRAM = fileURLToPath(new URL('./programs/read-only.mjs', import.meta.url))
/** As runtimes mount it for all but privileged containers; in a mount namespace of its own. */
const READ_ONLY = 'mount --bind /proc/sys /proc/sys && mount -o remount,ro,bind /proc/sys && exec "$@"'

const FOUR = { subnet: '172.17.0.0/16' }
const DUAL = { pools: [FOUR, { subnet: 'fd00:17::/64' }] }
const FORWARDS = { 'net.ipv4.ip_forward': '1' }
const LOCALNET = { 'net.ipv4.conf.default.route_localnet': '1' }
const SIX = { 'net.ipv6.conf.all.forwarding': '1', 'net.ipv6.conf.default.disable_ipv6': '0' }

interface Case {
  readonly settings: Readonly<Record<string, string>>
  readonly host?: HostOptions
  readonly network: Partial<NetworkOptions>
  /** The setting that is missing; none: all is made. */
  readonly lacks?: string
}

describe('where /proc/sys is read-only', () => {
  const cases: Readonly<Record<string, Case>> = {
    'all is right already': { settings: { ...FORWARDS, ...LOCALNET }, network: FOUR },
    'all is right in both families': { settings: { ...FORWARDS, ...LOCALNET, ...SIX }, network: DUAL },
    'nothing is to be forwarded': { settings: LOCALNET, host: { ipForward: false }, network: FOUR },
    'no rules are made either': { settings: {}, host: { ipForward: false, firewall: false }, network: FOUR },
    'forwarding is off': { settings: LOCALNET, network: FOUR, lacks: 'net.ipv4.ip_forward=1' },
    'forwarding of IPv6 is off': {
      settings: { ...FORWARDS, ...LOCALNET },
      network: DUAL,
      lacks: 'net.ipv6.conf.all.forwarding=1',
    },
    'route_localnet is off': {
      settings: FORWARDS,
      network: FOUR,
      lacks: 'net.ipv4.conf.default.route_localnet=1',
    },
    'new interfaces have no IPv6': {
      settings: { ...FORWARDS, ...LOCALNET, ...SIX, 'net.ipv6.conf.default.disable_ipv6': '1' },
      network: DUAL,
      lacks: 'net.ipv6.conf.default.disable_ipv6=0',
    },
  }
  it.each(Object.entries(cases))('%s', async (_, { settings, host: options = {}, network, lacks }) => {
    const { host, machines } = await createMachines('web')
    const web = machines.get('web')
    if (!web) throw new Error('a machine')
    for (const [name, value] of Object.entries(settings)) await host.namespace.writeSysctl(name, value)
    const before = await stateOf(host.namespace)
    const { stdout, stderr } = await run('unshare', [
      ...[...ownMounts(), 'sh', '-c', READ_ONLY, 'sh', process.execPath, PROGRAM],
      ...[host.namespace.path(), web.namespace.path(), JSON.stringify(options), JSON.stringify(network)],
    ])
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toEqual(
      lacks === undefined
        ? { made: true }
        : { code: 'NFB_READ_ONLY', message: expect.stringContaining(lacks), remaining: [] },
    )
    expect(await stateOf(host.namespace)).toEqual(before)
  })
})
