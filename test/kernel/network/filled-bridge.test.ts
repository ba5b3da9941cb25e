/** Tables of the host's bridges that a container can fill: multicast groups, and MAC addresses. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { withoutGroupLimit, withoutLearningLimit } from '../../../src/network/check/kernel-limits.js'
import { Rtnl } from '../../../src/rtnl/index.js'
import { bridge, nft } from '../../support/tools.js'
import { foreignFrame, sendFrames } from './frames.js'
import { cleanUp, createSetting, openHost } from './setting.js'

const MOST_GROUPS = 256
const MANY = 2_000

describe('a container that joins 2,000 multicast groups', () => {
  it('has 256 of them in the bridge', async () => {
    const { attach, machine, host } = await createSetting(['evil'])
    const evil = await attach('evil')
    const join = (): Promise<void> =>
      sendFrames(
        machine('evil').namespace,
        'eth0',
        Array.from({ length: MANY }, (_, index) => membership(evil.mac, evil.address ?? '', index)),
      )
    await join()
    const learnt = await groupsOf(host.namespace, evil.hostInterface)
    expect(learnt).toBeGreaterThan(0)
    expect(learnt).toBeLessThanOrEqual(MOST_GROUPS)
    using rtnl = await Rtnl.open({ netns: host.namespace })
    await rtnl.links.change({ device: evil.hostInterface, port: { multicastMaxGroups: 0 } })
    await join()
    expect(await groupsOf(host.namespace, evil.hostInterface)).toBeGreaterThan(MOST_GROUPS)
  })

  it('has a limit of which check tells when it is gone', async () => {
    const { attach, host, bridgeHost } = await createSetting(['evil'])
    const evil = await attach('evil')
    expect(await bridgeHost.check()).toEqual([])
    using rtnl = await Rtnl.open({ netns: host.namespace })
    await rtnl.links.change({ device: evil.hostInterface, port: { multicastMaxGroups: 0 } })
    const [finding] = await bridgeHost.check()
    expect(finding).toMatchObject({ code: 'port-changed', subject: evil.hostInterface })
    expect(finding?.remedy).toContain(`mcast_max_groups ${MOST_GROUPS}`)
  })
})

describe('a container that sends from 2,000 MAC addresses', () => {
  it('has none of them in the bridge', async () => {
    const { attach, machine, host } = await createSetting(['evil'])
    const evil = await attach('evil')
    const macs = Array.from(
      { length: MANY },
      (_, index) => `02:00:00:00:${hex(index >> 8)}:${hex(index & 255)}`,
    )
    const send = (): Promise<void> =>
      sendFrames(
        machine('evil').namespace,
        'eth0',
        macs.map((mac) => foreignFrame(mac, 'from anybody')),
      )
    using rtnl = await Rtnl.open({ netns: host.namespace })
    const learnt = async (): Promise<number> =>
      (await rtnl.fdb.list({ device: evil.hostInterface })).filter(({ mac }) => macs.includes(mac.toString()))
        .length
    await send()
    expect(await learnt()).toBe(0)
    for (const chain of ['senders', 'onward', 'unchecked'])
      await nft(host.namespace, `flush chain bridge nfbridge ${chain}`)
    await send()
    expect(await learnt()).toBe(0)
    await rtnl.links.change({ device: evil.hostInterface, port: { learning: true } })
    await send()
    expect(await learnt()).toBe(MANY)
  })
})

describe('a container that may send as others, from 5,000 MAC addresses', () => {
  const MOST_LEARNED = 4_096
  const macs = Array.from(
    { length: 5_000 },
    (_, index) => `02:00:00:00:${hex(index >> 8)}:${hex(index & 255)}`,
  )

  it('has 4,096 of them in the bridge', async ({ skip }) => {
    const state = mkdtempSync(join(tmpdir(), 'nfbridge-'))
    cleanUp(async () => rmSync(state, { recursive: true, force: true }))
    const { attach, machine, host, bridgeHost, network } = await createSetting(['evil'], {}, { state })
    using rtnl = await Rtnl.open({ netns: host.namespace })
    const limit = async (): Promise<number | undefined> =>
      (await rtnl.links.get(network.name)).bridge?.fdbMaxLearned
    if ((await limit()) === undefined) skip('this kernel has no fdb_max_learned')
    const evil = await attach('evil', { allowForgedSource: true })
    const learnt = async (): Promise<number> =>
      (await rtnl.fdb.list({ device: evil.hostInterface })).filter(({ mac }) => macs.includes(mac.toString()))
        .length
    const send = (): Promise<void> =>
      sendFrames(
        machine('evil').namespace,
        'eth0',
        macs.map((mac) => foreignFrame(mac, 'from anybody')),
      )
    await send()
    expect(await learnt()).toBeGreaterThan(MOST_LEARNED / 2)
    expect(await learnt()).toBeLessThanOrEqual(MOST_LEARNED)
    expect(await bridgeHost.check()).toEqual([])

    await rtnl.links.change({ device: network.name, bridge: { fdbMaxLearned: 0 } })
    await send()
    expect(await learnt()).toBe(macs.length)
    expect(await bridgeHost.check()).toMatchObject([{ code: 'bridge-changed', subject: network.name }])
    // A bridge that an earlier version made.
    await bridgeHost.close()
    await openHost(host, { state })
    expect(await limit()).toBe(MOST_LEARNED)
  })
})

describe('a kernel without these limits', () => {
  it('is a finding, where a container can fill something', async () => {
    const { attach, host, network } = await createSetting(['evil'])
    const evil = await attach('evil')
    using rtnl = await Rtnl.open({ netns: host.namespace })
    const { multicastMaxGroups, ...port } = (await rtnl.links.get(evil.hostInterface)).port ?? {}
    const { fdbMaxLearned, ...bridge } = (await rtnl.links.get(network.name)).bridge ?? {}
    const link = await rtnl.links.get('lo')
    expect(withoutGroupLimit([link, { ...link, port: { ...port, multicastMaxGroups: 256 } }])).toEqual([])
    expect(withoutGroupLimit([{ ...link, port }])).toMatchObject([{ code: 'limit-unsupported' }])
    expect(withoutLearningLimit([link, { ...link, bridge: { ...bridge, fdbMaxLearned: 0 } }])).toEqual([])
    expect(withoutLearningLimit([{ ...link, bridge }])).toMatchObject([{ code: 'limit-unsupported' }])
  })
})

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}

/** IGMPv2, RFC 2236: a report of a group of 239.1.0.0/16. */
function membership(mac: string, address: string, index: number): Uint8Array {
  const group = [239, 1, index >> 8, index & 255]
  const source = address.split('.').map(Number)
  const header = [0x46, 0xc0, 0, 32, 0, 0, 0, 0, 1, 2, 0, 0, ...source, ...group, 0x94, 4, 0, 0]
  const report = [0x16, 0, 0, 0, ...group]
  const ether = [1, 0, 0x5e, (group[1] ?? 0) & 0x7f, group[2] ?? 0, group[3] ?? 0]
  return Uint8Array.from([
    ...ether,
    ...mac.split(':').map((each) => Number.parseInt(each, 16)),
    0x08,
    0x00,
    ...withChecksum(header, 10),
    ...withChecksum(report, 2),
  ])
}

function withChecksum(bytes: readonly number[], at: number): number[] {
  let sum = 0
  for (let index = 0; index < bytes.length; index += 2)
    sum += ((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16)
  const checksum = ~sum & 0xffff
  return bytes.map((byte, index) => (index === at ? checksum >> 8 : index === at + 1 ? checksum & 255 : byte))
}

async function groupsOf(namespace: Parameters<typeof bridge>[0], port: string): Promise<number> {
  const listed = await bridge(namespace, 'mdb', 'show')
  return listed.split('\n').filter((line) => line.includes(`port ${port} grp 239.1.`)).length
}
