import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import { PATIENCE_MS } from '../../../lab/machine.js'
import { StateReader } from '../../../src/explain/index.js'
import type { Namespace } from '../../../src/netns/index.js'
import { applyInNamespace, type Link, Rtnl } from '../../../src/rtnl/index.js'
import { cleanUp } from '../../support/clean-up.js'
import { createNamespaces } from '../../support/machines.js'

/** What of a port tells whether packets pass. */
function stateOf(links: readonly Link[], port: string): unknown[] {
  const link = links.find(({ name }) => name === port)
  return [link?.up, link?.lowerUp, link?.state, link?.port?.state]
}

const RUNNING = [true, true, 'up', 'forwarding']

/** A bridge with a port that is down. Both ends have one index: the kernel does not hurry to note their carrier. */
async function bridgeWithPort(): Promise<{ rtnl: Rtnl; reader: StateReader; box: Namespace }> {
  const [host, box] = await createNamespaces(2)
  if (!host || !box) throw new Error('two namespaces')
  await applyInNamespace(host, [
    { kind: 'link', action: 'create', link: { kind: 'bridge', name: 'br0', index: 7, up: true } },
    {
      kind: 'link',
      action: 'create',
      link: { kind: 'veth', name: 'port0', index: 40, peer: { name: 'eth0', index: 40, netns: box } },
    },
    { kind: 'link', action: 'change', link: { device: 'port0', master: 7 } },
  ])
  await applyInNamespace(box, [{ kind: 'link', action: 'change', link: { device: 'eth0', up: true } }])
  const rtnl = await Rtnl.open({ netns: host })
  cleanUp(() => rtnl.close())
  const reader = await StateReader.open('the host', host)
  cleanUp(() => reader.close())
  return { rtnl, reader, box }
}

test('a port that was just set up is read once its carrier has taken effect', async () => {
  const { rtnl, reader } = await bridgeWithPort()
  const untilPort = (state: string) =>
    expect.poll(async () => (await rtnl.links.get('port0')).state).toBe(state)
  const listed: unknown[] = []
  // A plain listing has to be ahead of the carrier at times: else nothing was waited for.
  const wasAhead = () => listed.some((each) => isDeepStrictEqual(each, [true, true, 'down', 'disabled']))
  const end = performance.now() + PATIENCE_MS
  for (let round = 0; round < 5 || (!wasAhead() && performance.now() < end); round++) {
    await rtnl.links.change({ device: 'port0', up: true })
    listed.push(stateOf(await rtnl.links.list(), 'port0'))
    if (round > 0) expect(stateOf((await reader.read()).links, 'port0')).toEqual(RUNNING)
    await untilPort('up')
    await rtnl.links.change({ device: 'port0', up: false })
    await untilPort('down')
  }
  expect(wasAhead()).toBe(true)
})

test('a port that lacks a carrier is read as it is', async () => {
  const { rtnl, reader, box } = await bridgeWithPort()
  await rtnl.links.change({ device: 'port0', up: true })
  await applyInNamespace(box, [{ kind: 'link', action: 'change', link: { device: 'eth0', up: false } }])
  expect(stateOf((await reader.read()).links, 'port0').slice(0, 2)).toEqual([true, false])
})

test('an IPv6 address is read once it has its local route', async () => {
  const { rtnl, reader } = await bridgeWithPort()
  const local = { destination: 'fd00::1/128', device: 7, table: 'local', type: 'local' } as const
  const hasLocal = async (): Promise<boolean> =>
    (await reader.read()).routes.some(
      ({ destination, type }) => type === 'local' && `${destination}` === 'fd00::1/128',
    )
  await rtnl.addresses.add({ device: 7, address: 'fd00::1/64', duplicateDetection: false })
  expect(await hasLocal()).toBe(true)

  // As late as the kernel is at times.
  await rtnl.routes.delete(local)
  const [found] = await Promise.all([hasLocal(), sleep(200).then(() => rtnl.routes.add(local))])
  expect(found).toBe(true)
})
