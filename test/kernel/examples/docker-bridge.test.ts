import { beforeEach, describe, expect, it } from 'vitest'
import { firewall } from '../../../examples/firewalls/docker-bridge.js'
import type { Machine } from '../../../lab/machine.js'
import { addRoute, connect, connectOutside } from '../../../lab/wiring.js'
import { ip } from '../../support/tools.js'
import { expectBlocked, expectReached } from '../network/setting.js'
import { expectInstalled, machine, protect } from './installed.js'

const rules = firewall({
  bridges: [
    { name: 'docker0', subnet: '172.17.0.0/16' },
    { name: 'closed0', subnet: '172.18.0.0/16', icc: false },
  ],
  published: [
    { protocol: 'tcp', hostPort: 8080, address: '172.17.0.2', port: 80 },
    { protocol: 'udp', hostPort: 5353, address: '172.17.0.2', port: 53 },
  ],
  links: [{ client: '172.18.0.2', server: '172.18.0.3', protocol: 'tcp', port: 80 }],
})

describe('the Docker-like bridge', () => {
  it('is what nft prints and what we list', async () => {
    await expectInstalled('docker-bridge', rules)
  })

  describe('with packets', () => {
    let host: Machine
    let outside: Machine
    let web: Machine
    let app: Machine
    let one: Machine
    let two: Machine

    /** A machine on a bridge of the host. */
    async function container(name: string, bridge: string, address: string): Promise<Machine> {
      const created = await machine(name)
      await connect(
        { machine: host, interface: name },
        { machine: created, interface: 'eth0', address: `${address}/16` },
      )
      await ip(host.namespace, 'link', 'set', name, 'master', bridge)
      await ip(host.namespace, 'link', 'set', name, 'type', 'bridge_slave', 'hairpin', 'on')
      const gateway = address.replace(/\d+$/, '1')
      await addRoute(created, { destination: 'default', gateway })
      for (const port of [80, 81]) await created.serveTcp(port)
      await created.serveUdp(53)
      return created
    }

    beforeEach(async () => {
      host = await machine('host')
      outside = await machine('outside')
      await connectOutside(host, outside, ['172.16.0.0/12'])
      await outside.serveTcp(80)
      await host.namespace.writeSysctl('net.ipv4.ip_forward', '1')
      for (const [bridge, subnet] of [
        ['docker0', '172.17.0'],
        ['closed0', '172.18.0'],
      ] as const) {
        await ip(host.namespace, 'link', 'add', bridge, 'type', 'bridge', 'nf_call_iptables', '1')
        await ip(host.namespace, 'address', 'add', `${subnet}.1/16`, 'dev', bridge)
        await ip(host.namespace, 'link', 'set', bridge, 'up')
      }
      web = await container('web', 'docker0', '172.17.0.2')
      app = await container('app', 'docker0', '172.17.0.3')
      one = await container('one', 'closed0', '172.18.0.2')
      two = await container('two', 'closed0', '172.18.0.3')
      await protect(host, rules)
    })

    it('lets containers of a bridge talk, or only those that are linked, and isolates bridges', async () => {
      await expectReached(app, '172.17.0.2', 81, '172.17.0.3')
      await expectReached(one, '172.18.0.3', 80, '172.18.0.2')
      await expectBlocked(one, '172.18.0.3', 81)
      await expectBlocked(two, '172.18.0.2', 80)
      await expectBlocked(one, '172.17.0.2', 80)
      await expectBlocked(web, '172.18.0.2', 80)
    })

    it('publishes ports, keeps the rest from the outside, and masquerades', async () => {
      await expectReached(outside, '203.0.113.1', 8080, '203.0.113.2')
      expect(await outside.probeUdp('203.0.113.1', 5353)).toMatchObject({
        outcome: 'reached',
        server: 'web',
      })
      await expectBlocked(outside, '172.17.0.2', 80)
      await expectBlocked(outside, '172.17.0.2', 81)
      await expectReached(web, '203.0.113.2', 80, '203.0.113.1')
      // from the host, another bridge, a neighbour, and from itself
      await expectReached(host, '203.0.113.1', 8080, '203.0.113.1')
      await expectReached(one, '203.0.113.1', 8080, '172.17.0.1')
      await expectReached(app, '203.0.113.1', 8080, '172.17.0.1')
      await expectReached(web, '203.0.113.1', 8080, '172.17.0.1')
    })
  })
})
