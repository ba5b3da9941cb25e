import { afterEach, describe, expect, it } from 'vitest'
import { Conntrack } from '../../../src/conntrack/index.js'
import { evaluateConnection } from '../../../src/explain/index.js'
import { nft } from '../../support/tools.js'
import { createTown, readWorld, type Town } from './setting.js'

const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close()
})

/** What is said of each tracked connection to a port now: its destination and whether it may go on. */
async function answers(town: Town): Promise<Map<string, boolean | 'unknown'>> {
  const conntrack = await Conntrack.open({ netns: town.host.namespace })
  open.push(conntrack)
  const { world } = await readWorld(town, [])
  const entries = await conntrack.list({})
  return new Map(
    entries
      .filter(({ original }) => original.protocol === 'tcp')
      .map((entry) => [
        `${entry.original.source} to ${entry.original.destination} ${entry.original.destinationPort}`,
        evaluateConnection(world.host, entry).allowed,
      ]),
  )
}

describe('a tracked connection, asked whether it may go on', () => {
  it('may, until the element that allows it is gone; others are not touched', async () => {
    const town = await createTown()
    const { a, c, host, outside } = town
    for (const held of [
      await a.holdTcp('172.20.0.3', 80),
      await a.holdTcp('2001:db8:20::3', 80),
      await a.holdTcp('203.0.113.2', 81),
      await outside.holdTcp('203.0.113.1', 8080),
      await outside.holdTcp('10.20.0.2', 81),
      await outside.holdTcp('203.0.113.1', 81),
      await host.holdTcp('127.0.0.1', 8080),
      await c.holdTcp('10.20.0.1', 80),
    ])
      open.push(held)
    const before = await answers(town)
    expect([...before.values()].filter((allowed) => allowed !== true)).toEqual([])
    expect(before.size).toBe(8)
    const changes: readonly [string, string[]][] = [
      ['172.20.0.2 to 172.20.0.3 80', ['delete element', 'links', '{ 172.20.0.2 . 172.20.0.3 . tcp . 80 }']],
      [
        '2001:db8:20::2 to 2001:db8:20::3 80',
        ['delete element', 'links6', '{ 2001:db8:20::2 . 2001:db8:20::3 . tcp . 80 }'],
      ],
      ['203.0.113.2 to 203.0.113.1 8080', ['delete element', 'published', '{ 172.20.0.2 . tcp . 80-90 }']],
      ['203.0.113.2 to 10.20.0.2 81', ['flush map', 'trusted']],
    ]
    const gone: string[] = []
    for (const [connection, [command = '', ...words]] of changes) {
      await nft(host.namespace, ...command.split(' '), 'inet', 'runtime', ...words)
      gone.push(connection)
      const stopped = [...(await answers(town))].filter(([, allowed]) => allowed !== true)
      expect(stopped.map(([name, allowed]) => [name, allowed])).toEqual(
        expect.arrayContaining(gone.map((name) => [name, false])),
      )
      expect(stopped).toHaveLength(gone.length)
    }
  })
})
