import { beforeEach, describe, expect, it } from 'vitest'
import { firewall } from '../../../examples/firewalls/user-egress.js'
import type { Machine } from '../../../lab/machine.js'
import { connect } from '../../../lab/wiring.js'
import { nft, run } from '../../support/tools.js'
import { expectInstalled, machine, protect } from './installed.js'

const rules = firewall({
  users: [
    { uid: 1000, policy: 'open' },
    { uid: 1001, policy: 'web' },
    { uid: [2000, 2999], policy: 'internal' },
  ],
  others: 'none',
  internal: { ip: ['10.0.0.0/8'], ip6: ['fd00::/8'] },
  always: [{ address: '203.0.113.2', port: 853 }],
})

describe("the users' egress policy", () => {
  it('is what nft prints and what we list', async () => {
    await expectInstalled('user-egress', rules)
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
          address: ['203.0.113.1/24', '10.0.0.1/24', 'fd00::1/64', '2001:db8::1/64'],
        },
        {
          machine: peer,
          interface: 'eth0',
          address: ['203.0.113.2/24', '10.0.0.2/24', 'fd00::2/64', '2001:db8::2/64'],
        },
      )
      for (const port of [80, 853, 5432]) await peer.serveTcp(port, { address: '::' })
      await protect(host, rules)
    })

    /** Connects as a user: the exit code of a shell that tries. */
    const reaches = async (uid: number, address: string, port: number): Promise<boolean> => {
      const { code, stderr } = await run('nsenter', [
        ...[`--net=${host.namespace.path()}`, '--setuid', String(uid), '--setgid', String(uid), '--'],
        ...['bash', '-c', `exec 3<>/dev/tcp/${address}/${port}`],
      ])
      if (code !== 0) expect(stderr).toMatch(/Connection refused/)
      return code === 0
    }
    const outside = '203.0.113.2'

    it('open reaches everything, web the web only, internal the own networks, others nothing', async () => {
      expect(await reaches(1000, outside, 5432)).toBe(true)
      expect(await reaches(1001, outside, 80)).toBe(true)
      expect(await reaches(1001, outside, 5432)).toBe(false)
      expect(await reaches(1001, '10.0.0.2', 5432)).toBe(false)
      for (const uid of [2000, 2999]) {
        expect(await reaches(uid, '10.0.0.2', 5432)).toBe(true)
        expect(await reaches(uid, 'fd00::2', 5432)).toBe(true)
        expect(await reaches(uid, outside, 80)).toBe(false)
        expect(await reaches(uid, '2001:db8::2', 80)).toBe(false)
      }
      expect(await reaches(3000, outside, 80)).toBe(false)
      expect(await reaches(3000, outside, 853)).toBe(true)
      expect(await reaches(0, outside, 5432)).toBe(true)
      expect(await nft(host.namespace, 'list', 'counter', 'inet', 'user_egress', 'refused_packets')).toMatch(
        /packets 7 /,
      )
    })

    it('lets the users talk to the host itself', async () => {
      await host.serveTcp(8080)
      expect(await reaches(3000, '127.0.0.1', 8080)).toBe(true)
      expect(await reaches(3000, outside, 80)).toBe(false)
    })
  })
})
