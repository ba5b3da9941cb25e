import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { BridgeHost, Namespace } from '../../../src/index.js'
import { conntrack, ip } from '../../support/tools.js'
import { withFaults } from './faults.js'
import { cleanUp, createMachines, createSetting, failureOf, openHost } from './setting.js'

const POOLS = [{ subnet: '172.17.0.0/16' }, { subnet: 'fd00:17::/64' }]

let lastPort = 7000

/** A connection from outside that was translated to an address, as by a published port. */
async function trackTo(host: Namespace, address: string): Promise<void> {
  const [from, to] = address.includes(':')
    ? ['2001:db8::2', '2001:db8::1']
    : address.startsWith('169.254.')
      ? ['169.254.0.1', address]
      : ['203.0.113.2', '203.0.113.1']
  lastPort += 1
  const ports = ['--sport', String(lastPort), '--dport', '5353', '-t', '120', '-u', 'SEEN_REPLY']
  await conntrack(host, '-I', '-p', 'udp', '-s', from, '-d', to, ...ports, '-g', `${address}`)
}

/** The addresses among these that connection tracking knows a connection of. */
async function tracked(host: Namespace, ...addresses: string[]): Promise<string[]> {
  const lists = [await conntrack(host, '-L'), await conntrack(host, '-L', '-f', 'ipv6')]
  return addresses.filter((address) => lists.some((list) => list.includes(`=${address} `)))
}

function flowRequests(host: BridgeHost): number {
  return host.statistics.flowRequests
}

it('a new network begins without connections to its pools, of whoever had them before', async () => {
  const { host } = await createMachines()
  const addresses = ['172.17.0.2', 'fd00:17::2', '172.18.0.2']
  for (const address of addresses) await trackTo(host.namespace, address)
  // (control) They are there, and those to other addresses stay.
  expect(await tracked(host.namespace, ...addresses)).toEqual(addresses)
  const bridgeHost = await openHost(host)
  await bridgeHost.createNetwork({ name: 'docker0', pools: POOLS })
  expect(await tracked(host.namespace, ...addresses)).toEqual(['172.18.0.2'])
})

it('of addresses that are known to be clean, attach, detach and a second owner walk through no table', async () => {
  const { attach, bridgeHost } = await createSetting(['web', 'app'], { pools: POOLS, subnet: undefined })
  const begin = flowRequests(bridgeHost)
  const web = await attach('web')
  expect(flowRequests(bridgeHost)).toBe(begin)
  const { address } = web
  await web.detach()
  const ended = flowRequests(bridgeHost)
  await attach('app', { address })
  expect(flowRequests(bridgeHost)).toBe(ended)
})

it('open forgets the connections of addresses that nobody has, and no others', async () => {
  const { host, outside, machines } = await createMachines('web')
  const web = machines.get('web')
  if (!web) throw new Error('a machine')
  const state = mkdtempSync(join(tmpdir(), 'nfbridge-former-'))
  cleanUp(async () => rmSync(state, { recursive: true, force: true }))
  const first = await openHost(host, { state })
  const network = await first.createNetwork({
    name: 'docker0',
    pools: [{ subnet: '172.17.0.0/16', exclude: ['172.17.9.0/24'] }, { subnet: 'fd00:17::/64' }],
  })
  await network.attach({ name: 'web', netns: web.namespace.path(), publish: ['8080:80'] })
  await web.serveTcp(80)
  const held = await outside.holdTcp('203.0.113.1', 8080)
  await first.close()
  await ip(host.namespace, 'address', 'add', '172.17.0.77/16', 'dev', 'docker0')
  // Of nobody; of nobody that is ours: it is excluded; of the host.
  const addresses = ['172.17.0.9', 'fd00:17::9', '172.17.9.9', '172.17.0.77']
  for (const address of addresses) await trackTo(host.namespace, address)
  expect(await tracked(host.namespace, ...addresses)).toEqual(addresses)
  const second = await openHost(host, { state })
  expect(await tracked(host.namespace, ...addresses)).toEqual(['172.17.9.9', '172.17.0.77'])
  expect(await held.send('still there')).toBe('echo')
  // It is known now, whichever process had them.
  const begin = flowRequests(second)
  await second.container('web')?.detach()
  const ended = flowRequests(second)
  expect(ended).toBeGreaterThan(begin)
  await second.network('docker0')?.attach({ name: 'next', netns: web.namespace, address: '172.17.0.2' })
  expect(flowRequests(second)).toBe(ended)
})

it('link-local addresses go and come without connections', async () => {
  const { host, attach, bridgeHost } = await createSetting(['web', 'app'])
  const linkLocalAddresses = ['169.254.7.7']
  const web = await attach('web', { linkLocalAddresses })
  await trackTo(host.namespace, '169.254.7.7')
  expect(await tracked(host.namespace, '169.254.7.7')).toEqual(['169.254.7.7'])
  await web.detach()
  expect(await tracked(host.namespace, '169.254.7.7')).toEqual([])

  // One that another program has when the host comes is left to it, until a container gets it.
  await trackTo(host.namespace, '169.254.8.8')
  await bridgeHost.createNetwork({ name: 'other', subnet: '172.18.0.0/16' })
  expect(await tracked(host.namespace, '169.254.8.8')).toEqual(['169.254.8.8'])
  await attach('app', { linkLocalAddresses: ['169.254.8.8'] })
  expect(await tracked(host.namespace, '169.254.8.8')).toEqual([])
})

it('on a bridge of somebody else, others have addresses too: each container begins without their connections', async () => {
  const { host, machines } = await createMachines('web')
  const web = machines.get('web')
  if (!web) throw new Error('a machine')
  await ip(host.namespace, 'link', 'add', 'lan', 'type', 'bridge')
  await ip(host.namespace, 'address', 'add', '172.19.0.1/24', 'dev', 'lan')
  await ip(host.namespace, 'link', 'set', 'lan', 'up')
  const bridgeHost = await openHost(host)
  const network = await bridgeHost.createNetwork({ name: 'lan', subnet: '172.19.0.0/24', adopt: true })
  const addresses = ['172.19.0.7', '172.19.0.8']
  for (const address of addresses) await trackTo(host.namespace, address)
  await network.attach({ name: 'web', netns: web.namespace, address: '172.19.0.7' })
  expect(await tracked(host.namespace, ...addresses)).toEqual(['172.19.0.8'])
})

it('where a call failed and nothing of it could be taken back, who gets its address has none of its connections', async () => {
  const { host, attach, machine, network } = await createSetting(['web', 'app'])
  const address = '172.17.0.9'
  const calls = await withFaults([], async (faults) => {
    await attach('web', { address })
    return faults.calls
  })
  await network.detach('web')
  // From the interfaces on all fails, as does what is tried again before the next call.
  const first = calls.indexOf('applyLinks')
  expect(first).toBeGreaterThan(0)
  const failing = Array.from({ length: 100 }, (_, number) => number)
  await withFaults(failing.slice(first), () => failureOf(attach('web', { address })))
  await withFaults(failing, () => failureOf(attach('web', { address })))
  await trackTo(host.namespace, address)
  expect(await tracked(host.namespace, address)).toEqual([address])
  await network.attach({ name: 'app', netns: machine('app').namespace, address })
  expect(await tracked(host.namespace, address)).toEqual([])
})
