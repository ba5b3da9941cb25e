import { afterAll, describe, expect, it } from 'vitest'
import { MachinePool } from '../../lab/pool.js'
import { connectBy, outsideNetwork } from '../../lab/wiring.js'

const pool = new MachinePool()
afterAll(() => pool.close())

async function createPair() {
  const [one, other] = await pool.createAll(['one', 'other'])
  if (!one || !other) throw new Error('two machines')
  await connectBy(outsideNetwork, one, other, { ipv6: true, hostRoutes: ['default'] })
  return { one, other }
}

describe('machines of a pool', () => {
  it('ping each other in both families, and tell who did', async () => {
    const { one, other } = await createPair()
    await other.listenForPings()
    expect(await one.ping(outsideNetwork.outsideAddress, 'token--4')).toEqual({ outcome: 'reached' })
    expect(await one.ping(outsideNetwork.outsideAddress6, 'token--6')).toEqual({ outcome: 'reached' })
    expect(await other.takePings()).toEqual([
      { token: 'token--4', seen: outsideNetwork.hostAddress },
      { token: 'token--6', seen: outsideNetwork.hostAddress6 },
    ])
    expect(await other.takePings()).toEqual([])
    expect(await one.ping('192.0.2.9', 'nowhere-', { timeoutMs: 100 })).toEqual({ outcome: 'timeout' })
    expect(await other.ping('192.0.2.9', 'noroute-')).toEqual({
      outcome: 'unreachable',
      error: 'ENETUNREACH',
    })
    await Promise.all([one.close(), other.close()])
  })

  it('speak the beginning of SCTP', async () => {
    const { one, other } = await createPair()
    await other.serveSctp(99)
    for (const [address, seen] of [
      [outsideNetwork.outsideAddress, outsideNetwork.hostAddress],
      [outsideNetwork.outsideAddress6, outsideNetwork.hostAddress6],
    ] as const) {
      expect(await one.probeSctp(address, 99)).toMatchObject({
        outcome: 'reached',
        server: 'other',
        seen,
      })
      expect(await one.probeSctp(address, 98, { timeoutMs: 100 })).toEqual({ outcome: 'timeout' })
    }
    await Promise.all([one.close(), other.close()])
  })

  it('have nothing of those before: neither servers nor addresses', async () => {
    const { one, other } = await createPair()
    await other.serveTcp(80, { address: '::' })
    expect(await one.probeTcp(outsideNetwork.outsideAddress6, 80)).toMatchObject({
      outcome: 'reached',
      server: 'other',
    })
    await Promise.all([one.close(), other.close()])
    const next = await pool.create('next')
    expect(await next.probeTcp('127.0.0.1', 80)).toEqual({ outcome: 'refused' })
    expect(await next.probeTcp(outsideNetwork.outsideAddress, 80)).toEqual({
      outcome: 'unreachable',
      error: 'ENETUNREACH',
    })
    await next.close()
  })
})
