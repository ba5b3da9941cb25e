import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Conntrack } from '../../src/conntrack/index.js'
import { BridgeHost, Namespace, NfbridgeError } from '../../src/index.js'
import { announce, PortReservations, portOwner } from '../../src/netns/index.js'
import { Nft } from '../../src/nft/index.js'
import { Rtnl } from '../../src/rtnl/index.js'

/** What a caller without types may pass. */
const WRONG: readonly unknown[] = [
  null,
  5,
  Number.NaN,
  'x y',
  'a\0b',
  [],
  true,
  { misspelt: 1 },
  () => 1,
  Symbol('s'),
  10n,
]

interface Handles {
  readonly namespace: Namespace
  readonly rtnl: Rtnl
  readonly conntrack: Conntrack
  readonly nft: Nft
  readonly host: BridgeHost
}

let handles: Handles

beforeAll(async () => {
  const namespace = await Namespace.create()
  const netns = namespace
  handles = {
    namespace,
    rtnl: await Rtnl.open({ netns }),
    conntrack: await Conntrack.open({ netns }),
    nft: await Nft.open({ netns }),
    host: await BridgeHost.open({ netns }),
  }
})

afterAll(async () => {
  const { namespace, rtnl, conntrack, nft, host } = handles
  await host.close()
  for (const handle of [rtnl, conntrack, nft, namespace]) handle.close()
})

type Call = (handles: Handles, value: never) => unknown

/** Each public call with one argument of whatever type. */
const CALLS: Readonly<Record<string, Call>> = {
  'Rtnl.open': (_, value) => Rtnl.open(value),
  'Nft.open': (_, value) => Nft.open(value),
  'Conntrack.open': (_, value) => Conntrack.open(value),
  'BridgeHost.open': (_, value) => BridgeHost.open(value),
  'Namespace.open': (_, value) => Namespace.open(value),
  'Namespace.create': (_, value) => Namespace.create(value),
  'Namespace.unmount': (_, value) => Namespace.unmount(value),
  'namespace.readSysctl': ({ namespace }, value) => namespace.readSysctl(value),
  'namespace.writeSysctl': ({ namespace }, value) => namespace.writeSysctl(value, value),
  'PortReservations.open': (_, value) => PortReservations.open(value),
  'ports.reserve': ({ namespace }, value) => PortReservations.open(namespace).reserve([value]),
  portOwner: ({ namespace }, value) => portOwner(namespace, value),
  announce: ({ namespace }, value) => announce(namespace, value),
  'rtnl.apply': ({ rtnl }, value) => rtnl.apply([value]),
  'rtnl.links.create': ({ rtnl }, value) => rtnl.links.create(value),
  'rtnl.links.change': ({ rtnl }, value) => rtnl.links.change(value),
  'rtnl.links.delete': ({ rtnl }, value) => rtnl.links.delete(value),
  'rtnl.links.get': ({ rtnl }, value) => rtnl.links.get(value),
  'rtnl.links.list': ({ rtnl }, value) => rtnl.links.list(value),
  'rtnl.addresses.add': ({ rtnl }, value) => rtnl.addresses.add(value),
  'rtnl.addresses.list': ({ rtnl }, value) => rtnl.addresses.list(value),
  'rtnl.routes.add': ({ rtnl }, value) => rtnl.routes.add(value),
  'rtnl.routes.get': ({ rtnl }, value) => rtnl.routes.get(value),
  'rtnl.routes.lookup': ({ rtnl }, value) => rtnl.routes.lookup(value),
  'rtnl.routes.list': ({ rtnl }, value) => rtnl.routes.list(value),
  'rtnl.rules.list': ({ rtnl }, value) => rtnl.rules.list(value),
  'rtnl.neighbours.add': ({ rtnl }, value) => rtnl.neighbours.add(value),
  'rtnl.neighbours.list': ({ rtnl }, value) => rtnl.neighbours.list(value),
  'rtnl.fdb.add': ({ rtnl }, value) => rtnl.fdb.add(value),
  'rtnl.fdb.list': ({ rtnl }, value) => rtnl.fdb.list(value),
  'rtnl.qdiscs.add': ({ rtnl }, value) => rtnl.qdiscs.add(value),
  'rtnl.qdiscs.delete': ({ rtnl }, value) => rtnl.qdiscs.delete(value),
  'rtnl.qdiscs.list': ({ rtnl }, value) => rtnl.qdiscs.list(value),
  'rtnl.filters.add': ({ rtnl }, value) => rtnl.filters.add(value),
  'rtnl.filters.delete': ({ rtnl }, value) => rtnl.filters.delete(value),
  'rtnl.filters.list': ({ rtnl }, value) => rtnl.filters.list(value),
  'rtnl.events': ({ rtnl }, value) => rtnl.events(value),
  'conntrack.list': ({ conntrack }, value) => conntrack.list(value),
  'conntrack.delete': ({ conntrack }, value) => conntrack.delete(value),
  'conntrack.deleteAll': ({ conntrack }, value) => conntrack.deleteAll(value),
  'nft.list': ({ nft }, value) => nft.list(value),
  'nft add': ({ nft }, value) => nft.transaction().add(value).commit(),
  'nft delete': ({ nft }, value) => nft.transaction().delete(value).commit(),
  'nft flush': ({ nft }, value) => nft.transaction().flush(value).commit(),
  'nft commit': ({ nft }, value) =>
    nft
      .transaction()
      .add({ table: { family: 'ip', name: 't' } })
      .commit(value),
  'nft statement': ({ nft }, value) =>
    nft
      .transaction()
      .add({ rule: { family: 'ip', table: 't', chain: 'c', expr: [value] } })
      .commit(),
  'host.createNetwork': ({ host }, value) => host.createNetwork(value),
  'host.attach': ({ host }, value) => host.attach(value),
}

describe('a value of a wrong type', () => {
  it.each(Object.entries(CALLS))('%s: an NfbridgeError, and nothing happens', async (_, call) => {
    for (const value of WRONG) {
      const outcome = await Promise.resolve()
        .then(() => call(handles, value as never))
        .catch((error: unknown) => error)
      expect(outcome, `for ${String(value)}`).toBeInstanceOf(NfbridgeError)
    }
  })

  it('a NUL in the path of a namespace is refused with its place', async () => {
    const refused = { code: 'NFB_INVALID_ARGUMENT', path: 'path' }
    await expect(Namespace.create({ path: 'a\0b' })).rejects.toMatchObject(refused)
    await expect(Namespace.unmount('\0')).rejects.toMatchObject(refused)
  })

  it('a hole in a rule is no statement that is passed over', async () => {
    const { nft } = handles
    const holes: unknown = [undefined, { accept: null }]
    const rule = { family: 'ip', table: 't', chain: 'c', expr: holes as never } as const
    await expect(nft.transaction().add({ rule }).commit()).rejects.toMatchObject({
      code: 'NFB_INVALID_ARGUMENT',
      path: 'operations[0].rule.expr[0]',
    })
  })

  it('undefined is no filter of what shall be deleted', async () => {
    const deleteAll: (filter?: never) => Promise<number> = handles.conntrack.deleteAll.bind(
      handles.conntrack,
    ) as never
    await expect(deleteAll()).rejects.toMatchObject({ code: 'NFB_INVALID_ARGUMENT', path: 'filter' })
  })
})
