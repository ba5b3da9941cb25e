import { beforeEach, describe, expect, it } from 'vitest'
import { firewall } from '../../../examples/firewalls/rate-limiter.js'
import type { HeldConnection, Machine } from '../../../lab/machine.js'
import { addAddress, connect } from '../../../lab/wiring.js'
import { Nft, type SetElement } from '../../../src/nft/index.js'
import { expectBlocked, expectReached } from '../network/setting.js'
import { expectInstalled, machine, protect } from './installed.js'

const ssh = { perMinute: 3, shutOut: 600 }
const http = { ports: [80, 443], perSecond: 5, burst: 10, connections: 100 }

describe('the rate limiter', () => {
  it('is what nft prints and what we list', async () => {
    await expectInstalled('rate-limiter', firewall({ ssh, http }))
  })

  describe('with packets', () => {
    let host: Machine
    let peer: Machine
    const address = '203.0.113.1'

    beforeEach(async () => {
      host = await machine('host')
      peer = await machine('peer')
      await connect(
        { machine: host, interface: 'eth0', address: `${address}/24` },
        { machine: peer, interface: 'eth0', address: '203.0.113.2/24' },
      )
      await addAddress(peer, 'eth0', '203.0.113.3/24')
      for (const port of [22, 80, 443]) await host.serveTcp(port)
    })

    async function elementsOf(set: string): Promise<readonly SetElement[]> {
      using connection = await Nft.open({ netns: host.namespace })
      const { nftables } = await connection.list({ family: 'inet', table: 'rate_limiter', set })
      return nftables.flatMap((object) => ('set' in object ? (object.set.elem ?? []) : []))
    }

    it('shuts out who opens too many SSH connections, and nobody else', async () => {
      await protect(host, firewall({ ssh, http }))
      for (let attempt = 0; attempt < 3; attempt++) await expectReached(peer, address, 22, '203.0.113.2')
      await expectBlocked(peer, address, 22)
      await expectBlocked(peer, address, 80)
      await expectReached(peer, address, 22, '203.0.113.3', { localAddress: '203.0.113.3' })
      const [shutOut, ...others] = await elementsOf('shut_out')
      expect(others).toEqual([])
      expect(shutOut).toMatchObject({ elem: { val: '203.0.113.2', expires: expect.any(Number) } })
      expect(await elementsOf('ssh_clients')).toEqual(
        expect.arrayContaining(
          ['203.0.113.2', '203.0.113.3'].map((val) => ({
            elem: expect.objectContaining({ val, limit: { rate: 3, per: 'minute', burst: 3, inv: true } }),
          })),
        ),
      )
    })

    it('refuses HTTP connections that come too fast, by client and port', async () => {
      await protect(host, firewall({ ssh, http }))
      // All at once: one after the other they might be slow enough for the rate.
      const probes = Array.from({ length: 60 }, () => peer.probeTcp(address, 80))
      const outcomes = (await Promise.all(probes)).map(({ outcome }) => outcome)
      const reached = outcomes.filter((outcome) => outcome === 'reached').length
      expect(reached).toBeGreaterThanOrEqual(http.burst)
      expect(reached).toBeLessThan(outcomes.length)
      expect(outcomes.filter((outcome) => outcome === 'refused')).toHaveLength(outcomes.length - reached)
      await expectReached(peer, address, 443, '203.0.113.2')
    })

    it('lets one client hold so many connections at a time', async () => {
      await protect(host, firewall({ ssh, http: { ...http, connections: 4 } }))
      const held: HeldConnection[] = []
      for (let count = 0; count < 4; count++) held.push(await peer.holdTcp(address, 80))
      expect(await peer.probeTcp(address, 80)).toEqual({ outcome: 'refused' })
      await expectReached(peer, address, 80, '203.0.113.3', { localAddress: '203.0.113.3' })
      for (const connection of held) expect(await connection.send('still there')).toBe('echo')
    })
  })
})
