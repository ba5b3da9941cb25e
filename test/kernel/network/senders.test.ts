import { describe, expect, it } from 'vitest'
import { SILENCE_MS } from '../../../lab/machine.js'
import { addAddress } from '../../../lab/wiring.js'
import { ip, runIn } from '../../support/tools.js'
import { countFrames, countIcmp, macBytes, portUnreachable, sendFrame } from './frames.js'
import { createSetting, expectReached } from './setting.js'

describe('a container', () => {
  it('sends from the address that it was given, or not at all', async () => {
    const { attach, machine } = await createSetting(['web', 'evil', 'app'])
    const web = await attach('web')
    const evil = await attach('evil')
    const app = await attach('app')
    await machine('web').serveTcp(80)
    await addAddress(machine('evil'), 'eth0', '172.17.0.77/16')
    await expectReached(machine('evil'), web.address, 80, evil.address, { localAddress: evil.address })
    expect(
      await machine('evil').probeTcp(web.address, 80, { localAddress: '172.17.0.77', timeoutMs: SILENCE_MS }),
    ).toMatchObject({
      outcome: expect.not.stringMatching('reached'),
    })
    await addAddress(machine('evil'), 'eth0', `${app.address}/32`)
    expect(
      (await machine('evil').probeTcp(web.address, 80, { localAddress: app.address, timeoutMs: SILENCE_MS }))
        .outcome,
    ).not.toBe('reached')
    await expectReached(machine('app'), web.address, 80, app.address)
  })

  it('cannot claim the address of another by ARP, nor its MAC', async () => {
    const { attach, machine, host } = await createSetting(['web', 'evil', 'app'])
    const web = await attach('web')
    const evil = await attach('evil')
    await attach('app')
    await machine('web').serveTcp(80)
    await expectReached(machine('app'), web.address, 80, '172.17.0.4')
    // It answers for an address that nobody asked it about only when it has it: so it takes it, and another MAC.
    await addAddress(machine('evil'), 'eth0', `${web.address}/32`)
    await ip(machine('evil').namespace, 'link', 'set', 'eth0', 'address', web.mac)
    await runIn(machine('evil').namespace, 'ip', ['neigh', 'flush', 'all'])
    await machine('evil').probeTcp('172.17.0.4', 80, { timeoutMs: SILENCE_MS })
    const fdb = await runIn(host.namespace, 'bridge', ['fdb', 'show', 'br', 'docker0'])
    const learnt = fdb
      .split('\n')
      .filter((line) => line.startsWith(web.mac) && line.includes(evil.hostInterface))
    expect(learnt).toEqual([])
    await expectReached(machine('app'), web.address, 80, '172.17.0.4')
  })

  it("cannot draw another's traffic by a frame that the chain does not see", async () => {
    const { attach, machine, host } = await createSetting(['web', 'evil', 'app'])
    const web = await attach('web')
    await attach('evil')
    await attach('app')
    await machine('web').serveTcp(80)
    await expectReached(machine('app'), web.address, 80, '172.17.0.4')
    // Link-local multicast (LLDP's address) goes its own way through the bridge, and is learnt from by default.
    const lldp = [0x01, 0x80, 0xc2, 0, 0, 0x0e, ...macBytes(web.mac), 0x88, 0xcc, ...new Array(46).fill(0)]
    for (let count = 0; count < 3; count += 1) {
      await sendFrame(machine('evil').namespace, 'eth0', Uint8Array.from(lldp))
    }
    const fdb = await runIn(host.namespace, 'bridge', ['fdb', 'show', 'br', 'docker0'])
    const ports = fdb.split('\n').filter((line) => line.startsWith(web.mac))
    expect(ports).toHaveLength(1)
    expect(ports[0]).toContain(`dev ${web.hostInterface}`)
    await expectReached(machine('app'), web.address, 80, '172.17.0.4')
  })

  it('does not see what is sent to another', async () => {
    const { attach, machine, host } = await createSetting(['web', 'evil', 'app'])
    const web = await attach('web')
    const evil = await attach('evil')
    await attach('app')
    await machine('web').serveUdp(53)
    await machine('app').probeUdp(web.address, 53)
    const listen = () =>
      countFrames(machine('evil').namespace, 'eth0', 'for web alone', () =>
        runIn(machine('app').namespace, 'bash', ['-c', `echo for web alone > /dev/udp/${web.address}/53`]),
      )
    // Where the address is behind is known, and what is not known is not sent to everybody.
    expect(await listen()).toBe(0)
    const bridge = (...args: string[]) => runIn(host.namespace, 'bridge', args)
    await bridge('fdb', 'del', web.mac, 'dev', web.hostInterface, 'master')
    expect(await listen()).toBe(0)
    // That it would be seen: with a port as the kernel makes it.
    await bridge('link', 'set', 'dev', evil.hostInterface, 'flood', 'on')
    expect(await listen()).toBeGreaterThan(0)
  })

  it('cannot speak to another by an error about a connection that is not its own', async () => {
    const { attach, machine } = await createSetting(['web', 'evil', 'app'], { icc: false })
    const web = await attach('web', { expose: ['53/udp'] })
    const evil = await attach('evil')
    const app = await attach('app', { links: ['web'] })
    await machine('web').serveUdp(53)
    const held = await machine('app').holdUdp(web.address, 53, { localPort: 5555 })
    expect(await held.send('before')).toBe('echo')
    const about = { destination: web.address, sourcePort: 5555, destinationPort: 53 }
    const forge = (from: { mac: string; address: string }) => portUnreachable({ from, to: app, about })
    const arrived = async (from: typeof evil): Promise<number> => {
      const frame = forge(from)
      // Told by the addresses of the quoted packet, which nothing else that arrives has in it.
      return countIcmp(machine('app').namespace, () => sendFrame(machine(from.name).namespace, 'eth0', frame))
    }
    expect(await arrived(evil)).toBe(0)
    expect(await arrived(web)).toBe(1)
  })

  it('has no IPv6 on the bridge: neither address nor neighbour', async () => {
    const { attach, machine } = await createSetting(['web', 'app'])
    await attach('web')
    await attach('app')
    await addAddress(machine('web'), 'eth0', 'fd00::2/64')
    await addAddress(machine('app'), 'eth0', 'fd00::3/64')
    await machine('web').serveTcp(80, { address: '::' })
    expect((await machine('app').probeTcp('fd00::2', 80, { timeoutMs: SILENCE_MS })).outcome).not.toBe(
      'reached',
    )
  })
})
