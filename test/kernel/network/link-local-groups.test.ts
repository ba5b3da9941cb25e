/** Frames to 01:80:c2:00:00:00 to :0f, which a bridge hands to the port's own interface unless it is told to pass them on. */
import { describe, expect, it } from 'vitest'
import { ip, nft, runIn } from '../../support/tools.js'
import { countFrames, countReceived, discovery, foreignFrame, macBytes, sendFrames } from './frames.js'
import { frame, udp } from './packets.js'
import { createSetting } from './setting.js'

const HOST = '203.0.113.1'
const GROUPS = Array.from({ length: 16 }, (_, last) => `01:80:c2:00:00:${last.toString(16).padStart(2, '0')}`)
/** The kernel itself drops pause frames, and without a spanning tree it passes BPDUs on. */
const [BPDU, PAUSE] = GROUPS

/** A datagram to the host's address outside, from a container's address or another. */
function datagram(mac: string, group: string, source: string): Uint8Array {
  const from = { mac, address: source }
  const to = { mac: group, address: HOST }
  return frame(udp({ from, sourcePort: 53, to, destinationPort: 5555 }, 'to the host'))
}

describe('frames to link-local groups', () => {
  it.each([false, true])(
    'bring a container on an internal network nothing of the host; allowForgedSource %s',
    async (allowForgedSource) => {
      const { attach, machine, host } = await createSetting(['evil'], { icc: false, internal: true })
      const evil = await attach('evil', { allowForgedSource })
      const { namespace } = machine('evil')
      const flood = async (): Promise<void> => {
        const frames = GROUPS.flatMap((group) =>
          [evil.address, '8.8.8.8'].map((source) => datagram(evil.mac, group, source)),
        )
        await sendFrames(namespace, 'eth0', frames)
      }
      expect(await countReceived(host.namespace, 'Udp', 'NoPorts', flood)).toBe(0)
      // As the kernel makes a port: what does not come with a container's address, which from anywhere but its bridge is dropped, too.
      await setMask(host.namespace, evil.hostInterface, 0)
      expect(await countReceived(host.namespace, 'Udp', 'NoPorts', flood)).toBe(
        GROUPS.filter((group) => group !== BPDU && group !== PAUSE).length,
      )
    },
  )

  it('make no container a router of the host', async () => {
    const { attach, machine, host } = await createSetting(['evil'], { icc: false })
    const evil = await attach('evil')
    const advertise = async (): Promise<void> => {
      const from = { mac: evil.mac, address: 'fe80::bad' }
      const advertisement = discovery({ type: 134, from, text: 'a router' })
      await sendFrames(
        machine('evil').namespace,
        'eth0',
        GROUPS.map((group) => sentTo(group, advertisement)),
      )
    }
    const received = (): Promise<number> =>
      countReceived(host.namespace, 'Icmp6', 'InRouterAdvertisements', advertise)
    expect(await received()).toBe(0)
    await setMask(host.namespace, evil.hostInterface, 0)
    expect(await received()).toBeGreaterThan(0)
  })

  it.each([false, true])('leave by no other port; allowForgedSource %s', async (allowForgedSource) => {
    const { attach, machine, host } = await createSetting(['evil', 'app'])
    const evil = await attach('evil', { allowForgedSource })
    await attach('app')
    const send = async (): Promise<void> => {
      const frames = GROUPS.flatMap((group) => [
        datagram(evil.mac, group, evil.address),
        sentTo(group, foreignFrame(evil.mac, 'to the host')),
      ])
      await sendFrames(machine('evil').namespace, 'eth0', frames)
    }
    expect(await countFrames(machine('app').namespace, 'eth0', 'to the host', send)).toBe(0)
    for (const chain of ['senders', 'onward', 'unchecked'])
      await nft(host.namespace, `flush chain bridge nfbridge ${chain}`)
    const passed = GROUPS.filter((group) => group !== PAUSE)
    expect(await countFrames(machine('app').namespace, 'eth0', 'to the host', send)).toBe(2 * passed.length)
  })

  it('stay closed on a bridge that was made before, and check tells when somebody opens it', async () => {
    const { attach, host, bridgeHost } = await createSetting(['evil'])
    const evil = await attach('evil')
    await setMask(host.namespace, evil.hostInterface, 0)
    const [finding, ...others] = await bridgeHost.check()
    expect(others).toEqual([])
    expect(finding).toMatchObject({ code: 'port-changed', subject: evil.hostInterface })
    const command = /`([^`]+)`/.exec(finding?.remedy ?? '')?.[1] ?? ''
    await runIn(host.namespace, 'sh', ['-c', command])
    expect(await bridgeHost.check()).toEqual([])
  })
})

/** The same frame to another MAC address. */
function sentTo(group: string, frame: Uint8Array): Uint8Array {
  return Uint8Array.from([...macBytes(group), ...frame.slice(6)])
}

function setMask(namespace: Parameters<typeof ip>[0], device: string, mask: number): Promise<string> {
  return ip(namespace, 'link', 'set', device, 'type', 'bridge_slave', 'group_fwd_mask', `${mask}`)
}
