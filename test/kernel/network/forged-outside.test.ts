import { describe, expect, it } from 'vitest'
import { addAddress } from '../../../lab/wiring.js'
import { nft, runIn } from '../../support/tools.js'
import { countFrames } from './frames.js'
import { createSetting } from './setting.js'

describe('a machine outside', () => {
  it('has no part in a connection between containers that it knows of', async () => {
    const { attach, machine, outside, host } = await createSetting(['web', 'app'], {
      icc: false,
      tracking: true,
    })
    const web = await attach('web', { expose: ['53/udp'] })
    const app = await attach('app', { links: ['web'] })
    await machine('web').serveUdp(53)
    const held = await machine('app').holdUdp(web.address, 53, { localPort: 5555 })
    expect(await held.send('before')).toBe('echo')
    await addAddress(outside, 'uplink', `${app.address}/32`)
    const program = `
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 5555))
s.sendto(b'from outside', (sys.argv[2], 53))`
    const arrived = (): Promise<number> =>
      countFrames(machine('web').namespace, 'eth0', 'from outside', () =>
        runIn(outside.namespace, 'python3', ['-c', program, app.address, web.address]),
      )
    expect(await arrived()).toBe(0)
    // That it would get there: the connection is established, wherever its packets come from.
    await nft(host.namespace, 'delete element inet nfbridge pools { 172.17.0.0/16 }')
    expect(await arrived()).toBeGreaterThan(0)
  })
})
