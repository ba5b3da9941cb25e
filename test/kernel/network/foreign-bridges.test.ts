import { describe, expect, it } from 'vitest'
import { answerLimit, Machine } from '../../../lab/machine.js'
import { connect, untilRunning } from '../../../lab/wiring.js'
import { ip, nft } from '../../support/tools.js'
import { cleanUp, openHost } from './setting.js'

/** Machines at the ports of a bridge of the host that has nothing to do with us. */
async function plug(host: Machine, bridge: string, network: string, machines: readonly Machine[]) {
  await ip(host.namespace, 'link', 'add', bridge, 'type', 'bridge')
  await ip(host.namespace, 'addr', 'add', `10.9.${network}.1/24`, 'dev', bridge)
  await ip(host.namespace, 'addr', 'add', `fd09:${network}::1/64`, 'dev', bridge, 'nodad')
  await ip(host.namespace, 'link', 'set', bridge, 'up')
  for (const [index, machine] of machines.entries()) {
    const number = index + 11
    await connect(
      { machine: host, interface: `tap${network}-${number}` },
      {
        machine,
        interface: 'eth0',
        address: [`10.9.${network}.${number}/24`, `fd09:${network}::${number}/64`],
        routes: [
          { destination: 'default', gateway: `10.9.${network}.1` },
          { destination: '::/0', gateway: `fd09:${network}::1` },
        ],
      },
    )
    await ip(host.namespace, 'link', 'set', `tap${network}-${number}`, 'master', bridge)
    await machine.serveTcp(80, { address: '::' })
  }
  await untilRunning(host, bridge)
}

async function machinesOf(...names: readonly string[]): Promise<Machine[]> {
  const machines = await Machine.createAll(names)
  for (const machine of machines) cleanUp(() => machine.close())
  return machines
}

const DUAL = { pools: [{ subnet: '172.17.0.0/16' }, { subnet: 'fd00:17::/64' }] }
/** Fails unless frames pass, or do not. */
async function expectOutcome(from: Machine, address: string, expected: 'reached' | 'timeout'): Promise<void> {
  const timeoutMs = answerLimit(expected === 'reached')
  expect((await from.probeTcp(address, 80, { timeoutMs })).outcome, address).toBe(expected)
}

describe("the host's other bridges, where we turned forwarding on and drop the rest", () => {
  it.each(['before', 'after'])(
    'go on passing frames from port to port, made %s our network',
    async (when) => {
      const [host, one, two] = await machinesOf('host', 'one', 'two')
      if (!host || !one || !two) throw new Error('three machines')
      await host.namespace.writeSysctl('net.bridge.bridge-nf-call-iptables', '1')
      await host.namespace.writeSysctl('net.bridge.bridge-nf-call-ip6tables', '1')
      if (when === 'before') await plug(host, 'br0', '1', [one, two])
      const bridgeHost = await openHost(host)
      await bridgeHost.createNetwork({ name: 'docker0', ...DUAL })
      if (when === 'after') await plug(host, 'br0', '1', [one, two])
      expect(await nft(host.namespace, 'list', 'map', 'inet', 'nfbridge', 'forward_policy')).toContain('drop')
      await expectOutcome(one, '10.9.1.12', 'reached')
      await expectOutcome(one, 'fd09:1::12', 'reached')
      // The same packets without the rule: what was found is its doing.
      await nft(host.namespace, 'flush', 'chain', 'inet', 'nfbridge', 'forward')
      await nft(
        host.namespace,
        ...'add rule inet nfbridge forward meta nfproto vmap @forward_policy'.split(' '),
      )
      await expectOutcome(one, '10.9.1.12', 'timeout')
      await expectOutcome(one, 'fd09:1::12', 'timeout')
    },
  )

  it('are not joined with each other', async () => {
    const [host, one, two] = await machinesOf('host', 'one', 'two')
    if (!host || !one || !two) throw new Error('three machines')
    await plug(host, 'br0', '1', [one])
    await plug(host, 'br1', '2', [two])
    const bridgeHost = await openHost(host)
    await bridgeHost.createNetwork({ name: 'docker0', ...DUAL })
    await expectOutcome(one, '10.9.2.11', 'timeout')
    await expectOutcome(one, 'fd09:2::11', 'timeout')
    await bridgeHost.destroy()
    const open = await openHost(host, { forwardPolicy: 'leave' })
    await open.createNetwork({ name: 'docker0', ...DUAL })
    await expectOutcome(one, '10.9.2.11', 'reached')
    await expectOutcome(one, 'fd09:2::11', 'reached')
  })

  it('are not routed back into: ports that the bridge keeps apart stay apart', async () => {
    const [host, one, two] = await machinesOf('host', 'one', 'two')
    if (!host || !one || !two) throw new Error('three machines')
    await plug(host, 'br0', '1', [one, two])
    for (const port of ['tap1-11', 'tap1-12'])
      await ip(host.namespace, 'link', 'set', port, 'type', 'bridge_slave', 'isolated', 'on')
    // Who knows the host's MAC sends by it what the bridge would not pass.
    const gateway = (await ip(host.namespace, '-o', 'link', 'show', 'br0')).match(/ether ([0-9a-f:]+)/)?.[1]
    const mac = (await ip(one.namespace, '-o', 'link', 'show', 'eth0')).match(/ether ([0-9a-f:]+)/)?.[1]
    if (!gateway || !mac) throw new Error('two MAC addresses')
    await ip(one.namespace, 'neigh', 'replace', '10.9.1.12', 'lladdr', gateway, 'dev', 'eth0')
    await ip(two.namespace, 'neigh', 'replace', '10.9.1.11', 'lladdr', gateway, 'dev', 'eth0')
    const bridgeHost = await openHost(host)
    await bridgeHost.createNetwork({ name: 'docker0', ...DUAL })
    await expectOutcome(one, '10.9.1.12', 'timeout')
    await nft(host.namespace, 'flush', 'map', 'inet', 'nfbridge', 'forward_policy')
    await expectOutcome(one, '10.9.1.12', 'reached')
  })

  it('what the rule keeps for them is no finding', async () => {
    const [host, one, two] = await machinesOf('host', 'one', 'two')
    if (!host || !one || !two) throw new Error('three machines')
    await plug(host, 'br0', '1', [one, two])
    const bridgeHost = await openHost(host)
    await bridgeHost.createNetwork({ name: 'docker0', ...DUAL })
    await expectOutcome(one, '10.9.1.12', 'reached')
    expect(await nft(host.namespace, 'list', 'set', 'inet', 'nfbridge', 'same_bridge')).toContain(
      '"br0" . "br0"',
    )
    expect(await bridgeHost.check()).toEqual([])
  })
})
