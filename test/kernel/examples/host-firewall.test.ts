import { beforeEach, describe, expect, it } from 'vitest'
import { firewall } from '../../../examples/firewalls/host-firewall.js'
import { type Machine, SILENCE_MS } from '../../../lab/machine.js'
import { addAddress, connect } from '../../../lab/wiring.js'
import { run } from '../../support/tools.js'
import { expectBlocked, expectReached } from '../network/setting.js'
import { expectInstalled, machine, protect } from './installed.js'

const rules = firewall({
  administrators: { ip: ['192.0.2.0/24', '203.0.113.5-203.0.113.9'], ip6: ['2001:db8:1::/48'] },
  services: [80, 443],
  blocked: ['198.51.100.0/24'],
})

describe('the host firewall', () => {
  it('is what nft prints and what we list', async () => {
    await expectInstalled('host-firewall', rules)
  })

  describe('with packets', () => {
    let host: Machine
    let peer: Machine
    beforeEach(async () => {
      host = await machine('host')
      peer = await machine('peer')
      await connect(
        {
          machine: host,
          interface: 'eth0',
          address: ['203.0.113.1/24', '2001:db8:1::1/48', '2001:db8:2::1/48'],
        },
        {
          machine: peer,
          interface: 'eth0',
          address: ['203.0.113.2/24', '2001:db8:1::2/48', '2001:db8:2::2/48'],
        },
      )
      await addAddress(host, 'eth0', '198.51.100.1/24')
      await addAddress(peer, 'eth0', '198.51.100.2/24')
      await addAddress(peer, 'eth0', '203.0.113.7/24')
      for (const port of [22, 80, 8080]) await host.serveTcp(port, { address: '::' })
      await host.serveUdp(53)
      await peer.serveTcp(80)
      await protect(host, rules)
    })

    it('lets services in from everywhere, SSH from administrators, by IPv4 and IPv6, and nothing else', async () => {
      await expectReached(peer, '203.0.113.1', 80, '203.0.113.2')
      await expectReached(peer, '2001:db8:2::1', 80, '2001:db8:2::2')
      await expectBlocked(peer, '203.0.113.1', 8080)
      await expectBlocked(peer, '203.0.113.1', 22)
      await expectReached(peer, '203.0.113.1', 22, '203.0.113.7', { localAddress: '203.0.113.7' })
      await expectBlocked(peer, '2001:db8:2::1', 22)
      await expectReached(peer, '2001:db8:1::1', 22, '2001:db8:1::2')
      expect((await peer.probeUdp('203.0.113.1', 53, { timeoutMs: SILENCE_MS })).outcome).toBe('timeout')
    })

    it('drops who is blocked, and lets the answers to its own connections in', async () => {
      await expectBlocked(peer, '198.51.100.1', 80)
      await expectReached(host, '203.0.113.2', 80, '203.0.113.1')
      await expectReached(host, '127.0.0.1', 8080, '127.0.0.1')
    })

    it('answers pings, but not a flood of them', async () => {
      for (const address of ['203.0.113.1', '2001:db8:2::1']) {
        const { stdout } = await run('nsenter', [
          `--net=${peer.namespace.path()}`,
          ...['ping', '-q', '-c', '100', '-l', '100', '-i', '0.005', '-W', '1', address],
        ])
        const [, replies, milliseconds] = /(\d+) received.* time (\d+)ms/.exec(stdout) ?? []
        expect(Number(replies)).toBeGreaterThan(2)
        // Three at once, ten a second, and one for a fraction of the time.
        expect(Number(replies)).toBeLessThanOrEqual(4 + Number(milliseconds) / 100)
        expect(Number(replies)).toBeLessThan(100)
      }
    })
  })
})
