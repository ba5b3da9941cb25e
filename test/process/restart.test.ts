import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import type { HeldConnection, Machine } from '../../lab/machine.js'
import { addAddress, addRoute } from '../../lab/wiring.js'
import { cleanUp, createMachines, openHost } from '../kernel/network/setting.js'
import { stateOf } from '../kernel/network/state.js'

const PROGRAM = fileURLToPath(new URL('./programs/stand.mjs', import.meta.url))
const [HOST6, OUTSIDE6] = ['2001:db8:203::1', '2001:db8:203::2']
const PEER = '172.30.0.5'

it('a host that is killed, closed and opened again drops no packet of any kind of connection', async () => {
  const { host, outside, machines } = await createMachines('web', 'app', 'one', 'two')
  const machine = (name: string): Machine => {
    const found = machines.get(name)
    if (!found) throw new Error(name)
    return found
  }
  await addAddress(host, 'uplink', `${HOST6}/64`)
  await addAddress(outside, 'uplink', `${OUTSIDE6}/64`)
  await addAddress(outside, 'uplink', `${PEER}/32`)
  await addRoute(host, { destination: 'default', gateway: OUTSIDE6 })
  const before = await stateOf(host.namespace)
  const state = mkdtempSync(join(tmpdir(), 'nfbridge-restart-'))
  cleanUp(async () => rmSync(state, { recursive: true, force: true }))
  const place = (name: string): { name: string; netns: string } => ({
    name,
    netns: machine(name).namespace.path(),
  })
  const plan = {
    networks: [
      {
        name: 'docker0',
        pools: [{ subnet: '172.17.0.0/16' }, { subnet: 'fd00:17::/64' }],
        icc: false,
        containers: [
          {
            ...place('web'),
            expose: ['80/tcp', '80/udp'],
            publish: ['8080:80/tcp', '8080:80/udp', '9000-9003:80-83/tcp', '9000-9003:80-83/udp'],
          },
          { ...place('app'), links: ['web'], bandwidth: { egress: { rate: 1e9 }, ingress: { rate: 1e9 } } },
        ],
      },
      { name: 'br1', subnet: '172.18.0.0/16', containers: [place('one'), place('two')] },
    ],
    peers: [{ subnet: '172.30.0.0/16', via: '203.0.113.2' }],
  }
  const child = spawn(process.execPath, [PROGRAM, state, host.namespace.path(), JSON.stringify(plan)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  try {
    await Promise.race([once(child.stdout, 'data'), ended])
    for (const server of [machine('web'), machine('one'), outside])
      await Promise.all([server.serveTcp(80, { address: '::' }), server.serveUdp(80, { address: '::' })])
    const [web, app, one, two] = ['web', 'app', 'one', 'two'].map(machine)
    if (!web || !app || !one || !two) throw new Error('four machines')
    const ways: readonly (readonly [name: string, from: Machine, address: string, port: number])[] = [
      ['icc', two, '172.18.0.2', 80],
      ['link', app, '172.17.0.2', 80],
      ['link, IPv6', app, 'fd00:17::2', 80],
      ['published', outside, '203.0.113.1', 8080],
      ['published, IPv6', outside, HOST6, 8080],
      ['published, a range', outside, '203.0.113.1', 9000],
      ['published, to itself', web, '203.0.113.1', 8080],
      ["published, by the host's address from another network", one, '203.0.113.1', 8080],
      ['outward', one, '203.0.113.2', 80],
      ['outward, IPv6', app, OUTSIDE6, 80],
    ]
    const held: (readonly [string, HeldConnection])[] = []
    for (const [name, from, address, port] of ways) {
      held.push([`${name}, TCP`, await from.holdTcp(address, port)])
      held.push([`${name}, UDP`, await from.holdUdp(address, port)])
    }
    // The peer's server has several addresses, and would answer a datagram from another one.
    held.push(['to a peer, TCP', await two.holdTcp(PEER, 80)])
    // And by the container's own address.
    held.push(['from a peer, TCP', await outside.holdTcp('172.18.0.2', 80, { localAddress: PEER })])

    const sent = new Map<string, number>()
    let over = false
    const streams = Promise.all(
      held.map(async ([name, connection]) => {
        for (let number = 0; !over; number += 1) {
          // A datagram that was lost is not sent again, however long one waits.
          const outcome = await connection.send(`${number}`)
          if (outcome !== 'echo') throw new Error(`${name}, message ${number}: ${outcome}`)
          sent.set(name, number)
        }
      }),
    )
    const restarts = (async () => {
      try {
        child.kill('SIGKILL')
        await ended
        for (let round = 0; round < 3; round += 1) {
          const opened = await openHost(host, { state })
          expect(opened.lost).toEqual([])
          expect(opened.containers).toHaveLength(4)
          if (round < 2) await opened.close()
          else return opened
        }
      } finally {
        over = true
      }
      throw new Error('the last round returns')
    })()
    const [opened] = await Promise.all([restarts, streams])
    for (const [name] of held) expect(sent.get(name), name).toBeGreaterThan(3)
    await opened.destroy()
    expect(await stateOf(host.namespace)).toBe(before)
  } finally {
    child.kill('SIGKILL')
    await ended
  }
})
