/** Links that are asked by many ports, and what the kernel remembers of traffic within a network. */
import { describe, expect, it } from 'vitest'
import { conntrack, runIn } from '../../support/tools.js'
import { BRIDGE_NETFILTER, createLinkSetting, FAMILIES, party } from './link-setting.js'
import { type Ends, frame, udp } from './packets.js'
import { keepSending } from './setting.js'

const PORT = 53
/** Nobody listens there, so that it is not a server's queue that loses something. */
const FLOODED = 54

/** Sends a frame over and over, each time from another port of UDP; the sum in it is made anew of what changes. */
const ASK_FROM_EVERY_PORT = `
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(('eth0', 0))
frame = bytearray.fromhex(sys.argv[1])
at = int(sys.argv[2])
first = int.from_bytes(frame[at:at + 2], 'big')
total = (~int.from_bytes(frame[at + 6:at + 8], 'big') - first) & 0xffff
for port in range(500, 65500):
    frame[at:at + 2] = port.to_bytes(2, 'big')
    sum = total + port
    sum = (sum & 0xffff) + (sum >> 16)
    frame[at + 6:at + 8] = (~sum & 0xffff or 0xffff).to_bytes(2, 'big')
    s.send(frame)`

describe.each(FAMILIES)('IPv%s: a client that asks from 65,000 ports', (family) => {
  it.each(BRIDGE_NETFILTER)(
    'costs no other client its answers, nor itself; bridge-nf-call %s',
    async (sysctl) => {
      const setting = await createLinkSetting(['web', 'app', 'top', 'late'], { sysctl })
      const { attach, machine, arrive, bridgeHost } = setting
      const web = party(await attach('web', { expose: [`${PORT}-${FLOODED}/udp`] }), family)
      const app = party(await attach('app', { links: ['web'] }), family)
      await attach('top', { links: ['web'] })
      const late = party(await attach('late'), family)
      await machine('web').serveUdp(PORT, { address: '::' })
      const held = await machine('top').holdUdp(web.address, PORT)
      const own = await machine('app').holdUdp(web.address, PORT)
      const during = keepSending(held)
      const question: Ends = { from: app, sourcePort: 500, to: web, destinationPort: FLOODED }
      await runIn(machine('app').namespace, 'python3', [
        '-c',
        ASK_FROM_EVERY_PORT,
        Buffer.from(frame(udp(question, 'question'))).toString('hex'),
        family === 4 ? '34' : '54',
      ])
      expect(await during()).toEqual({ lost: 0 })
      for (const connection of [held, own]) expect(await connection.send('after')).toBe('echo')
      // Questions of those who have asked nothing yet, before and after.
      for (let count = 0; count < 20; count += 1)
        for (const name of ['top', 'app'])
          expect(await machine(name).probeUdp(web.address, PORT)).toMatchObject({ outcome: 'reached' })
      // The answers to the flood, to its first ports and its last.
      const answers = [501, 30_000, 65_499].map((destinationPort) => {
        const ends: Ends = { from: web, sourcePort: FLOODED, to: app, destinationPort }
        return [`to ${destinationPort}`, udp(ends, `to ${destinationPort}`)] as const
      })
      expect(await arrive('web', 'app', Object.fromEntries(answers))).toEqual(answers.map(([name]) => name))
      await bridgeHost.container('late')?.link('web')
      const answer: Ends = { from: web, sourcePort: PORT, to: late, destinationPort: 5555 }
      expect(await arrive('web', 'late', { unasked: udp(answer, 'unasked') })).toEqual([])
      expect(await machine('late').probeUdp(web.address, PORT)).toMatchObject({ outcome: 'reached' })
    },
  )
})

describe.each(BRIDGE_NETFILTER)('what stays within a network, bridge-nf-call %s', (sysctl) => {
  it.each([true, false])('leaves no entry in the connection table: icc %s', async (icc) => {
    const { attach, machine, host, outside } = await createLinkSetting(['web', 'app'], { sysctl, icc })
    const webContainer = await attach('web', { expose: ['80/tcp', '53/udp', '90/sctp'] })
    const appContainer = await attach('app', { links: ['web'] })
    await machine('web').serveTcp(80, { address: '::' })
    await machine('web').serveUdp(PORT, { address: '::' })
    await machine('web').serveSctp(90)
    for (const family of FAMILIES) {
      const { address } = party(webContainer, family)
      for (const reached of [
        await machine('app').probeTcp(address, 80),
        await machine('app').probeUdp(address, PORT),
        await machine('app').probeSctp(address, 90),
      ])
        expect(reached).toMatchObject({ outcome: 'reached', seen: party(appContainer, family).address })
      const held = await machine('app').holdUdp(address, PORT)
      expect(await held.send('x'.repeat(8_000))).toBe('echo')
    }
    for (const family of FAMILIES)
      expect(await conntrack(host.namespace, '-L', '-f', `ipv${family}`)).not.toContain(
        party(webContainer, family).address,
      )
    // That one would be seen: of a connection that leaves the network.
    await outside.serveTcp(80)
    expect((await machine('app').probeTcp('203.0.113.2', 80)).outcome).toBe('reached')
    expect(await conntrack(host.namespace, '-L')).toContain('dst=203.0.113.2')
  })
})
