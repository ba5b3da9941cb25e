import { describe, expect, it } from 'vitest'
import { SILENCE_MS } from '../../../lab/machine.js'
import { addAddress } from '../../../lab/wiring.js'
import { MacAddress } from '../../../src/address/index.js'
import { bridgeJson, ip, runIn } from '../../support/tools.js'
import { arrivals } from './arrivals.js'
import { countFrames, discovery, foreignFrame, sendFrame } from './frames.js'
import { createSetting, expectReached } from './setting.js'

const DUAL = { pools: [{ subnet: '172.17.0.0/16' }, { subnet: 'fd00:17::/64' }] }

async function dual(names: readonly string[], icc = true) {
  const setting = await createSetting(names, { ...DUAL, subnet: undefined, icc })
  return {
    ...setting,
    /** How many frames of a text get from one machine to another. */
    arrive: (from: string, to: string, text: string, frame: Uint8Array) =>
      countFrames(setting.machine(to).namespace, 'eth0', text, () =>
        sendFrame(setting.machine(from).namespace, 'eth0', frame),
      ),
  }
}

describe('a container with IPv6', () => {
  it('sends from the addresses that it was given, or not at all', async () => {
    const { attach, machine } = await dual(['web', 'evil', 'app'])
    const web = await attach('web')
    const evil = await attach('evil')
    const app = await attach('app')
    await machine('web').serveTcp(80, { address: '::' })
    const [server, own, another] = [web, evil, app].map(({ ipv6Address }) => String(ipv6Address))
    if (!server || !own || !another) throw new Error('addresses')
    await expectReached(machine('evil'), server, 80, own)
    for (const address of ['fd00:17::77', another]) {
      await addAddress(machine('evil'), 'eth0', `${address}/128`)
      const outcome = await machine('evil').probeTcp(server, 80, {
        localAddress: address,
        timeoutMs: SILENCE_MS,
      })
      expect(outcome.outcome).not.toBe('reached')
    }
    await expectReached(machine('app'), server, 80, another)
  })

  it('answers for its own addresses only, is nobody’s router, and has no other MAC', async () => {
    const { attach, machine } = await dual(['evil', 'app'])
    const evil = await attach('evil')
    const app = await attach('app')
    const from = { mac: evil.mac, address: String(evil.ipv6Address) }
    const advertisement = (target: string, mac = evil.mac) =>
      discovery({ type: 136, from: { ...from, mac }, target })
    const arrived = (frames: Readonly<Record<string, Uint8Array>>): Promise<string[]> =>
      arrivals(
        machine('evil').namespace,
        machine('app').namespace,
        Object.fromEntries(
          Object.entries(frames).map(([name, frame]) => [name, { frames: [frame], mark: frame.slice(14) }]),
        ),
      )
    expect(
      await arrived({
        own: advertisement(from.address),
        another: advertisement(String(app.ipv6Address)),
        'the gateway': advertisement('fd00:17::1'),
        'a router': discovery({ type: 134, from, text: 'a router' }),
        'a redirect': discovery({ type: 137, from, text: 'a redirect' }),
      }),
    ).toEqual(['own'])
    expect(await arrived({ 'another MAC': advertisement(from.address, '02:42:00:00:00:99') })).toEqual([])
  })

  it('cannot make the host take it for its router either', async () => {
    const { attach, machine, host } = await dual(['evil'])
    const evil = await attach('evil')
    const from = { mac: evil.mac, address: String(MacAddress.parse(evil.mac).linkLocal) }
    await sendFrame(machine('evil').namespace, 'eth0', discovery({ type: 134, from, text: 'x' }))
    expect(await ip(host.namespace, '-6', 'route', 'show', 'table', 'all', 'proto', 'ra')).toBe('')
    expect(await runIn(host.namespace, 'cat', ['/proc/thread-self/net/snmp6'])).toMatch(
      /Icmp6InRouterAdvertisements\s+0\n/,
    )
  })

  it('finds its neighbours where icc is closed, as links need it', async () => {
    const { attach, machine } = await dual(['web', 'app', 'top'], false)
    const web = await attach('web', { expose: ['80'] })
    const app = await attach('app', { links: ['web'] })
    await attach('top')
    await machine('web').serveTcp(80, { address: '::' })
    await expectReached(machine('app'), String(web.ipv6Address), 80, String(app.ipv6Address))
    expect(await machine('top').probeTcp(String(web.ipv6Address), 80, { timeoutMs: SILENCE_MS })).toEqual({
      outcome: 'timeout',
    })
  })
})

describe('frames that are no IP', () => {
  it('pass from a container that may forge, unless icc is closed; never from others', async () => {
    for (const icc of [true, false]) {
      const { attach, arrive } = await dual(['free', 'bound', 'app'], icc)
      const free = await attach('free', { allowForgedSource: true })
      const bound = await attach('bound')
      await attach('app')
      const counts = await Promise.all([
        arrive('free', 'app', 'from the free', foreignFrame(free.mac, 'from the free')),
        arrive('bound', 'app', 'from the bound', foreignFrame(bound.mac, 'from the bound')),
      ])
      expect(counts).toEqual([icc ? 1 : 0, 0])
    }
  })

  it('are let through and stopped as icc is changed', async () => {
    const { attach, arrive, network } = await dual(['free', 'app'], true)
    const free = await attach('free', { allowForgedSource: true })
    await attach('app')
    const seen: number[] = []
    for (const icc of [true, false, true]) {
      await network.update({ icc })
      seen.push(await arrive('free', 'app', `icc ${icc}`, foreignFrame(free.mac, `icc ${icc}`)))
    }
    expect(seen).toEqual([1, 0, 1])
  })

  it('and one that may forge sends from any address', async () => {
    const { attach, machine } = await dual(['web', 'router'])
    const web = await attach('web')
    await attach('router', { allowForgedSource: true })
    await machine('web').serveTcp(80)
    await addAddress(machine('router'), 'eth0', '172.17.0.77/16')
    await expectReached(machine('router'), web.address, 80, '172.17.0.77', { localAddress: '172.17.0.77' })
  })
})

describe("the bridge's forwarding database", () => {
  it('is not filled by a container that sends from thousands of MACs', async () => {
    const { attach, machine, host } = await dual(['evil'])
    await attach('evil')
    const count = async (): Promise<number> =>
      (await bridgeJson(host.namespace, 'fdb', 'show', 'br', 'docker0')).filter(
        ({ state }) => state !== 'permanent',
      ).length
    const before = await count()
    const program = `
import socket, os
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(('eth0', 0))
for n in range(2000):
    s.send(b'\\xff' * 6 + b'\\x02' + os.urandom(5) + b'\\x88\\xb5' + b'\\0' * 46)`
    await runIn(machine('evil').namespace, 'python3', ['-c', program])
    expect(await count()).toBe(before)
  })
})
