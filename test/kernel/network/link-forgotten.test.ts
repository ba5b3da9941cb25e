import { expect, it } from 'vitest'
import { nft, runIn } from '../../support/tools.js'
import { countFrames } from './frames.js'
import { createSetting } from './setting.js'

/** One datagram, from an address and port to others. */
const SEND = `
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], int(sys.argv[2])))
s.sendto(b'datagram', (sys.argv[3], int(sys.argv[4])))`

it('a link that goes takes what was asked with it: the next container of its address has asked nothing', async () => {
  const { host, attach, machine } = await createSetting(['web', 'app', 'next'], { icc: false })
  const web = await attach('web', { expose: ['53/udp'] })
  const address = '172.17.0.9'
  const app = await attach('app', { links: ['web'], address })
  await runIn(machine('app').namespace, 'python3', ['-c', SEND, address, '777', web.address, '53'])
  const arrived = (name: string): Promise<number> =>
    countFrames(machine(name).namespace, 'eth0', 'datagram', () =>
      runIn(machine('web').namespace, 'python3', ['-c', SEND, web.address, '53', address, '777']),
    )
  // That it passes as long as it was asked: an answer is any datagram to the port that asked.
  expect(await arrived('app')).toBeGreaterThan(0)
  await app.detach()
  await attach('next', { links: ['web'], address })
  expect(await arrived('next')).toBe(0)
  for (const set of ['asked', 'asked_of_links'])
    expect(await nft(host.namespace, 'list', 'set', 'bridge', 'nfbridge', set)).not.toContain(address)
})
