import { readdirSync, statSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { Machine } from '../../lab/machine.js'
import { addAddress, connect, connectOutside, outsideNetwork } from '../../lab/wiring.js'

const machines: Machine[] = []
afterEach(async () => {
  await Promise.all(machines.splice(0).map((machine) => machine.close()))
})

async function create(...names: string[]): Promise<Machine[]> {
  const created = await Machine.createAll(names)
  machines.push(...created)
  return created
}

async function pair(): Promise<readonly [Machine, Machine]> {
  const [a, b] = await create('a', 'b')
  if (a === undefined || b === undefined) throw new Error('two machines')
  await connect(
    { machine: a, interface: 'eth0', address: ['192.0.2.1/24', 'fd00:2::1/64'] },
    { machine: b, interface: 'eth0', address: ['192.0.2.2/24', 'fd00:2::2/64'] },
  )
  return [a, b]
}

/** How many threads of this process are in each namespace, by inode. */
function threadsByNamespace(): Map<bigint, number> {
  const counts = new Map<bigint, number>()
  for (const thread of readdirSync('/proc/self/task')) {
    const status = statSync(`/proc/self/task/${thread}/ns/net`, { bigint: true, throwIfNoEntry: false })
    if (status) counts.set(status.ino, (counts.get(status.ino) ?? 0) + 1)
  }
  return counts
}

describe('two machines that are wired', () => {
  it.each(['tcp', 'udp'] as const)(
    "reach each other's %s servers and are seen with their own addresses",
    async (transport) => {
      const [a, b] = await pair()
      const udp = transport === 'udp'
      await (udp ? b.serveUdp(80) : b.serveTcp(80))
      await (udp ? b.serveUdp(81, { address: '::' }) : b.serveTcp(81, { address: '::' }))
      const probe = (address: string, port: number) =>
        udp ? a.probeUdp(address, port) : a.probeTcp(address, port)
      expect(await probe('192.0.2.2', 80)).toMatchObject({
        outcome: 'reached',
        server: 'b',
        seen: '192.0.2.1',
      })
      expect(await probe('192.0.2.2', 81)).toMatchObject({
        outcome: 'reached',
        server: 'b',
        seen: '192.0.2.1',
      })
      expect(await probe('fd00:2::2', 81)).toMatchObject({
        outcome: 'reached',
        server: 'b',
        seen: 'fd00:2::1',
      })
    },
  )

  it('tell a refused port, an address without a route and one that nobody has', async () => {
    const [a] = await pair()
    expect(await a.probeTcp('192.0.2.2', 80)).toEqual({ outcome: 'refused' })
    expect(await a.probeUdp('192.0.2.2', 80)).toEqual({ outcome: 'refused' })
    expect(await a.probeTcp('198.51.100.1', 80)).toEqual({ outcome: 'unreachable', error: 'ENETUNREACH' })
    expect(await a.probeTcp('192.0.2.99', 80, { timeoutMs: 100 })).toEqual({ outcome: 'timeout' })
  })

  it('can send from a chosen address and port', async () => {
    const [a, b] = await pair()
    await addAddress(a, 'eth0', '192.0.2.77/24')
    await b.serveTcp(80)
    expect(await a.probeTcp('192.0.2.2', 80, { localAddress: '192.0.2.77', localPort: 4321 })).toMatchObject({
      seen: '192.0.2.77',
      seenPort: 4321,
    })
  })

  it('hold connections open', async () => {
    const [a, b] = await pair()
    await b.serveTcp(80)
    await b.serveUdp(80)
    const tcp = await a.holdTcp('192.0.2.2', 80)
    const udp = await a.holdUdp('192.0.2.2', 80)
    expect(await tcp.send('hello')).toBe('echo')
    expect(await udp.send('hello')).toBe('echo')
    await Promise.all([b.stop(80, 'tcp'), b.stop(80, 'udp')])
    expect(await tcp.send('hello')).toBe('reset')
    expect(await udp.send('hello')).toBe('reset')
    await Promise.all([tcp.close(), udp.close()])
    await expect(a.holdTcp('192.0.2.2', 80)).rejects.toThrow('a does not reach tcp 192.0.2.2:80')
  })
})

it('a machine reaches itself, and nothing outside of its namespace', async () => {
  const [a] = await create('a')
  const port = await a?.serveTcp(0)
  expect(await a?.probeTcp('127.0.0.1', port ?? 0)).toMatchObject({ outcome: 'reached', seen: '127.0.0.1' })
  expect(await a?.probeTcp('192.0.2.1', 80)).toEqual({ outcome: 'unreachable', error: 'ENETUNREACH' })
})

it('an outside machine answers the host', async () => {
  const [host, outside] = await create('host', 'outside')
  if (!host || !outside) throw new Error('two machines')
  await connectOutside(host, outside)
  await outside.serveTcp(443)
  expect(await host.probeTcp(outsideNetwork.outsideAddress, 443)).toMatchObject({
    seen: outsideNetwork.hostAddress,
  })
})

it('a port that is taken is an error with its code', async () => {
  const [a] = await create('a')
  await a?.serveTcp(80)
  await expect(a?.serveTcp(80)).rejects.toMatchObject({ code: 'EADDRINUSE' })
})

it('only the agent is in the namespace: neither files nor names are looked up there', async () => {
  const [a] = await create('a')
  await Promise.all(Array.from({ length: 8 }, () => stat('/'))) // every thread of libuv's pool exists by now
  const inode = a?.namespace.inode ?? 0n
  const own = statSync('/proc/self/ns/net', { bigint: true }).ino
  const threads = threadsByNamespace()
  expect(threads.get(inode)).toBe(1)
  expect(threads.get(own)).toBeGreaterThan(4)
})

const openNow = () => ({
  descriptors: readdirSync('/proc/self/fd').length,
  threads: readdirSync('/proc/self/task').length,
})

it('nothing is left of machines that were closed', async () => {
  const comeAndGo = async (names: readonly string[]): Promise<void> => {
    const created = await create(...names)
    const inodes = created.map(({ namespace }) => namespace.inode)
    expect(inodes.every((inode) => threadsByNamespace().has(inode))).toBe(true)
    await Promise.all(created.map((machine) => machine.close()))
    expect(inodes.some((inode) => threadsByNamespace().has(inode))).toBe(false)
    await expect(created[0]?.probeTcp('127.0.0.1', 1)).rejects.toThrow('has ended')
  }
  await comeAndGo(['a']) // what is made once for the process is made now
  const before = openNow()
  const addonThreads = 4 // kept for the next calls, with a descriptor each (native/node/executor.h)
  for (let n = 0; n < 5; n++) await comeAndGo(['a', 'b', 'c'])
  await expect.poll(() => openNow().descriptors).toBeLessThanOrEqual(before.descriptors + addonThreads)
  await expect.poll(() => openNow().threads).toBeLessThanOrEqual(before.threads + addonThreads)
})
