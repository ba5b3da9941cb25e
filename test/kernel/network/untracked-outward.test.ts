import { expect, it } from 'vitest'
import { ip, nft } from '../../support/tools.js'
import { checksum, countReceived, sendFrames, word } from './frames.js'
import { addressBytes, frame, packet } from './packets.js'
import { createSetting } from './setting.js'

const OUTSIDE = '2001:db8:113::2'
/** Reports of who listens to a group, questions of routers: connection tracking leaves them alone, and so does translation. */
const TYPES = [130, 131, 132, 133, 135, 143]

it('ICMPv6 that is not tracked does not leave a masqueraded network under the own address of a container', async () => {
  const { attach, machine, host, outside, network } = await createSetting(['web'], { ipv6: true })
  const web = await attach('web')
  for (const [end, address] of [
    [host, '2001:db8:113::1/64'],
    [outside, `${OUTSIDE}/64`],
  ] as const)
    await ip(end.namespace, 'address', 'add', address, 'dev', 'uplink', 'nodad')
  // The host has no address to ask from, while the kernel still looks whether somebody else has it.
  const [uplink] = JSON.parse(await ip(outside.namespace, '-j', 'link', 'show', 'uplink'))
  await ip(host.namespace, 'neigh', 'replace', OUTSIDE, 'lladdr', uplink.address, 'dev', 'uplink')
  const [link] = JSON.parse(await ip(host.namespace, '-j', 'link', 'show', network.name))
  const from = { mac: web.mac, address: web.ipv6Address ?? '' }
  const frames = TYPES.map((type) => {
    // A router solicitation that is longer does not leave the bridge.
    const message = [type, 0, 0, 0, ...new Array<number>(type === 133 ? 4 : 20).fill(0)]
    const ends = [...addressBytes(from.address), ...addressBytes(OUTSIDE)]
    const pseudo = [...ends, 0, 0, ...word(message.length), 0, 0, 0, 58]
    message.splice(2, 2, ...word(checksum([...pseudo, ...message])))
    return frame(packet(from, { mac: link.address, address: OUTSIDE }, 58, message, { hops: 255 }))
  })
  const arrived = (): Promise<number> =>
    countReceived(outside.namespace, 'Icmp6', 'InMsgs', () =>
      sendFrames(machine('web').namespace, 'eth0', frames),
    )
  // What is outside may hear from the host itself meanwhile: of all others there are as many as were sent.
  const before = await arrived()
  expect(before).toBeLessThan(TYPES.length)
  await nft(host.namespace, 'flush chain inet nfbridge outbound')
  expect(await arrived()).toBeGreaterThanOrEqual(TYPES.length)
})
