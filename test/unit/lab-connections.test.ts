import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { open } from '../../lab/connections.js'
import type { Transport } from '../../lab/messages.js'
import { plainAddress, serve } from '../../lab/servers.js'

// On the loopback of whatever namespace the tests run in: sockets only, nothing is configured.
const address = '127.0.0.1'

describe.each(['tcp', 'udp'] as const satisfies Transport[])('a %s server of the lab', (transport) => {
  it('tells the peer which address and port it saw', async () => {
    const server = await serve('web', transport, 0, address)
    const probe = { transport, address, port: server.port, timeoutMs: 2000, localAddress: '127.0.0.7' }
    const connection = await open(probe)
    expect(connection.result).toMatchObject({
      outcome: 'reached',
      server: 'web',
      seen: '127.0.0.7',
      local: address,
      localPort: server.port,
    })
    connection.close()
    await server.stop()
  })

  it('echoes on a connection that is held, until it is stopped', async () => {
    const server = await serve('web', transport, 0, address)
    const connection = await open({ transport, address, port: server.port, timeoutMs: 2000 })
    expect(await connection.send('one', 2000)).toBe('echo')
    expect(await Promise.all([connection.send('two', 2000), connection.send('two', 2000)])).toEqual([
      'echo',
      'echo',
    ])
    await server.stop()
    expect(await connection.send('three', 2000)).toBe('reset')
    connection.close()
    expect(await connection.send('four', 2000)).toBe('reset')
  })

  it('is refused where nobody listens', async () => {
    const server = await serve('web', transport, 0, address)
    await server.stop()
    const connection = await open({ transport, address, port: server.port, timeoutMs: 2000 })
    expect(connection.result).toEqual({ outcome: 'refused' })
  })

  it('cannot be used from an address that is not here', async () => {
    const connection = await open({
      transport,
      address,
      port: 9,
      timeoutMs: 2000,
      localAddress: '203.0.113.77',
    })
    expect(connection.result).toEqual({ outcome: 'unreachable', error: 'EADDRNOTAVAIL' })
  })
})

it('a peer that is reached but does not answer is a timeout', async () => {
  const silent = createServer(() => {}).listen(0, address)
  await new Promise((resolve) => silent.once('listening', resolve))
  const bound = silent.address()
  const port = bound !== null && typeof bound === 'object' ? bound.port : 0
  const connection = await open({ transport: 'tcp', address, port, timeoutMs: 50 })
  expect(connection.result).toEqual({ outcome: 'timeout' })
  silent.close()
})

it('a dual-stack server reports IPv4 addresses in their plain form', async () => {
  expect(plainAddress('::ffff:172.17.0.2')).toBe('172.17.0.2')
  expect(plainAddress('fd00::2')).toBe('fd00::2')
  expect(plainAddress(undefined)).toBe('')
})
