import { describe, expect, it } from 'vitest'
import { answerLimit, type HeldConnection, SILENCE_MS } from '../../../lab/machine.js'
import { Conntrack } from '../../../src/conntrack/index.js'
import type { Statement } from '../../../src/nft/index.js'
import { cleanUp, createSetting, expectReached } from './setting.js'

const HOST = '203.0.113.1'
const OUTSIDE = '203.0.113.2'

const saddr = (address: string): Statement => ({
  match: { op: '==', left: { payload: { protocol: 'ip', field: 'saddr' } }, right: address },
})
const accept: Statement = { accept: null }
const drop: Statement = { drop: null }

/** Fails unless of held connections those named, and no others, still pass. */
async function expectLiving(
  held: Readonly<Record<string, HeldConnection>>,
  expected: readonly string[],
): Promise<void> {
  const names = await Promise.all(
    Object.entries(held).map(async ([name, connection]) => {
      const outcome = await connection.send('still there?', {
        timeoutMs: answerLimit(expected.includes(name)),
      })
      return outcome === 'echo' ? [name] : []
    }),
  )
  expect(names.flat().sort()).toEqual(expected.toSorted())
}

async function hold(connection: Promise<HeldConnection>): Promise<HeldConnection> {
  const held = await connection
  cleanUp(async () => held.close())
  expect(held.result).toMatchObject({ outcome: 'reached' })
  return held
}

describe('a rule of the users that goes, or comes', () => {
  it('ends what it alone allowed: a neighbour past icc: false; what a link allows lives on', async () => {
    const { attach, machine, outside, bridgeHost } = await createSetting(['web', 'app', 'other'], {
      icc: false,
    })
    const web = await attach('web', { expose: ['80'] })
    const app = await attach('app', { links: ['web'] })
    const other = await attach('other')
    for (const port of [80, 81]) await machine('web').serveTcp(port)
    await machine('web').serveUdp(53)
    await outside.serveTcp(80)
    const { forward } = bridgeHost.userRules
    await forward.append([saddr(app.address), accept])
    await forward.append([saddr(other.address), accept])
    const held = {
      'app by its link': await hold(machine('app').holdTcp(web.address, 80)),
      'app by the rule': await hold(machine('app').holdTcp(web.address, 81)),
      'app by the rule, udp': await hold(machine('app').holdUdp(web.address, 53)),
      'app outward': await hold(machine('app').holdTcp(OUTSIDE, 80)),
      'other by its rule': await hold(machine('other').holdTcp(web.address, 81)),
    }
    await expectLiving(held, Object.keys(held))
    await forward.delete(0)
    await expectLiving(held, ['app by its link', 'app outward', 'other by its rule'])
    await forward.flush()
    await expectLiving(held, ['app by its link', 'app outward'])
    // The rules are as without the connections.
    expect(await machine('app').probeTcp(web.address, 81, { timeoutMs: SILENCE_MS })).toEqual({
      outcome: 'timeout',
    })
    await expectReached(machine('app'), web.address, 80, app.address)
  })

  it("inserted into inbound, ends what came in through it, and not the containers' own connections", async () => {
    const { attach, machine, outside, host, bridgeHost } = await createSetting(['web', 'app'])
    const web = await attach('web', { publish: ['8080:80', '8081:81'] })
    await attach('app')
    for (const port of [80, 81]) await machine('web').serveTcp(port)
    for (const port of [80, 81]) await outside.serveTcp(port)
    const held = {
      'in, port 80': await hold(outside.holdTcp(HOST, 8080)),
      'in, port 81': await hold(outside.holdTcp(HOST, 8081)),
      'web outward': await hold(machine('web').holdTcp(OUTSIDE, 80)),
      'app to web': await hold(machine('app').holdTcp(web.address, 80)),
      'host to web': await hold(host.holdTcp(web.address, 80)),
    }
    const port80: Statement = {
      match: { op: '==', left: { payload: { protocol: 'tcp', field: 'dport' } }, right: 80 },
    }
    await bridgeHost.userRules.inbound.insert(0, [saddr(OUTSIDE), port80, drop])
    await expectLiving(held, ['app to web', 'host to web', 'in, port 81', 'web outward'])
    await bridgeHost.userRules.inbound.insert(0, [port80, drop])
    await expectLiving(held, ['host to web', 'in, port 81', 'web outward'])
    await bridgeHost.userRules.inbound.flush()
    await expectReached(outside, HOST, 8080, OUTSIDE)
  })

  it('leaves connections alone that are none of the containers', async () => {
    const { attach, machine, outside, host, bridgeHost } = await createSetting(['web'])
    await attach('web')
    await outside.serveTcp(80)
    await host.serveTcp(22)
    const held = {
      'host outward': await hold(host.holdTcp(OUTSIDE, 80)),
      'to the host': await hold(outside.holdTcp(HOST, 22)),
    }
    const before = bridgeHost.statistics.flowRequests
    await bridgeHost.userRules.forward.insert(0, [drop])
    // One listing, and nothing to delete.
    expect(bridgeHost.statistics.flowRequests - before).toBe(1)
    await expectLiving(held, ['host outward', 'to the host'])
    expect(await machine('web').probeTcp(OUTSIDE, 80, { timeoutMs: SILENCE_MS })).toEqual({
      outcome: 'timeout',
    })
  })

  it('forgets exactly the entries of connection tracking that are not allowed any more', async () => {
    const { attach, machine, host, bridgeHost } = await createSetting(['web', 'app'], { tracking: true })
    const web = await attach('web')
    await attach('app')
    for (const port of [80, 81, 82]) {
      await machine('web').serveTcp(port)
      await hold(machine('app').holdTcp(web.address, port))
    }
    using conntrack = await Conntrack.open({ netns: host.namespace })
    const ports = async (): Promise<(number | undefined)[]> =>
      (await conntrack.list({ protocol: 'tcp' })).map(({ original }) => original.destinationPort).sort()
    expect(await ports()).toEqual([80, 81, 82])
    const reject: Statement[] = [
      { match: { op: '==', left: { payload: { protocol: 'tcp', field: 'dport' } }, right: 81 } },
      { reject: null },
    ]
    await bridgeHost.userRules.forward.append(reject)
    expect(await ports()).toEqual([80, 82])
  })
})
