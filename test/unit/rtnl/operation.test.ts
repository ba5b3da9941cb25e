import { describe, expect, test } from 'vitest'
import {
  addMessages,
  callerPath,
  describe as inWords,
  type RtnlOperation,
} from '../../../src/rtnl/operation.js'

interface Sent {
  readonly name: string
  readonly flags: number
  readonly record: object
}

function messagesOf(operation: RtnlOperation): Sent[] {
  const sent: Sent[] = []
  addMessages(
    operation,
    'test.run',
    'operations[0]',
    (device) => (typeof device === 'number' ? device : 1000 + device.length),
    (name, flags, record) => sent.push({ name, flags, record }),
  )
  return sent
}

const ADD = 0x600 // NLM_F_CREATE | NLM_F_EXCL
const REPLACE = 0x500 // NLM_F_CREATE | NLM_F_REPLACE

describe('operations as messages', () => {
  test('a veth into another namespace is one message; settings as a port are a second one', () => {
    const link = {
      kind: 'veth',
      name: 'v0',
      index: 9,
      master: 'docker0',
      up: true,
      peer: { name: 'eth0', index: 2, netns: { fd: 33 }, mac: '02:42:ac:11:00:02', txQueues: 1, rxQueues: 1 },
    } as const
    const record = {
      ifname: 'v0',
      index: 9,
      flags: 1,
      change: 1,
      master: 1007,
      linkinfo: {
        kind: 'veth',
        data: {
          peer: {
            ifname: 'eth0',
            index: 2,
            netNsFd: 33,
            address: Uint8Array.of(2, 0x42, 0xac, 0x11, 0, 2),
            numTxQueues: 1,
            numRxQueues: 1,
          },
        },
      },
    }
    expect(messagesOf({ kind: 'link', action: 'create', link })).toEqual([
      { name: 'newLink', flags: ADD, record },
    ])
    const withPort = { ...link, port: { hairpin: true, isolated: false } }
    expect(messagesOf({ kind: 'link', action: 'create', link: withPort })).toEqual([
      { name: 'newLink', flags: ADD, record },
      {
        name: 'newLink',
        flags: 0,
        record: { index: 9, linkinfo: { slaveKind: 'bridge', slaveData: { mode: 1, isolated: 0 } } },
      },
    ])
  })

  test('a change that is only about the port is one message', () => {
    expect(
      messagesOf({ kind: 'link', action: 'change', link: { device: 'v0', port: { hairpin: true } } }),
    ).toEqual([
      {
        name: 'newLink',
        flags: 0,
        record: { ifname: 'v0', linkinfo: { slaveKind: 'bridge', slaveData: { mode: 1 } } },
      },
    ])
    expect(
      messagesOf({ kind: 'link', action: 'change', link: { device: 'v0', up: false, master: null } }),
    ).toEqual([{ name: 'newLink', flags: 0, record: { ifname: 'v0', flags: 0, change: 1, master: 0 } }])
  })

  test('deleting names one link, or a group', () => {
    expect(messagesOf({ kind: 'link', action: 'delete', link: { device: 5 } })).toEqual([
      { name: 'delLink', flags: 0, record: { index: 5 } },
    ])
    expect(messagesOf({ kind: 'link', action: 'delete', link: { group: 5 } })).toEqual([
      { name: 'delLink', flags: 0, record: { group: 5 } },
    ])
  })

  const directed: [string, string, (action: 'add' | 'replace' | 'delete') => RtnlOperation][] = [
    [
      'an address',
      'Address',
      (action) => ({ kind: 'address', action, address: { device: 1, address: '10.0.0.1/8', scope: 'link' } }),
    ],
    [
      'a neighbour',
      'Neighbour',
      (action) => ({
        kind: 'neighbour',
        action,
        neighbour: { device: 1, address: 'fd00::1', mac: '02:00:00:00:00:01' },
      }),
    ],
    [
      'a forwarding entry',
      'Neighbour',
      (action) => ({ kind: 'fdb', action, entry: { device: 1, mac: '02:00:00:00:00:01', vlan: 7 } }),
    ],
  ]
  test.each(directed)('adding, replacing and deleting %s differ in the direction only', (_, name, make) => {
    const of = (action: 'add' | 'replace' | 'delete'): Sent | undefined => messagesOf(make(action))[0]
    expect(of('add')).toMatchObject({ name: `new${name}`, flags: ADD })
    expect(of('replace')).toEqual({ ...of('add'), flags: REPLACE })
    expect(of('delete')).toEqual({ ...of('add'), name: `del${name}`, flags: 0 })
  })

  test('deleting a route asks for what was given and for nothing else', () => {
    const route = { destination: '10.0.0.0/8', gateway: '172.17.0.1' }
    const common = {
      family: 2,
      dstLen: 8,
      table: 254,
      dst: Uint8Array.of(10, 0, 0, 0),
      gateway: Uint8Array.of(172, 17, 0, 1),
    }
    expect(messagesOf({ kind: 'route', action: 'add', route })).toEqual([
      { name: 'newRoute', flags: ADD, record: { ...common, protocol: 4, scope: 0, type: 1 } },
    ])
    expect(messagesOf({ kind: 'route', action: 'delete', route })).toEqual([
      { name: 'delRoute', flags: 0, record: { ...common, protocol: 0, scope: 255, type: 0 } },
    ])
  })

  test('a table beyond 255 stands in its attribute', () => {
    const [message] = messagesOf({
      kind: 'route',
      action: 'add',
      route: { destination: 'default', device: 3, table: 1000 },
    })
    expect(message?.record).toMatchObject({
      family: 2,
      dstLen: 0,
      table: 252,
      rtaTable: 1000,
      oif: 3,
      scope: 253,
    })
    const [six] = messagesOf({
      kind: 'route',
      action: 'add',
      route: { destination: 'default', gateway: 'fd00::1' },
    })
    expect(six?.record).toMatchObject({ family: 10, dstLen: 0, table: 254, scope: 0 })
  })
})

describe('paths of the caller', () => {
  const veth: RtnlOperation = { kind: 'link', action: 'create', link: { kind: 'veth', name: 'v0' } }
  const bridge: RtnlOperation = { kind: 'link', action: 'create', link: { kind: 'bridge', name: 'b' } }
  const vlan: RtnlOperation = {
    kind: 'link',
    action: 'create',
    link: { kind: 'vlan', name: 'b', device: 1, vlan: 1 },
  }
  const route: RtnlOperation = { kind: 'route', action: 'add', route: { destination: '10.0.0.0/8' } }
  const cases: [RtnlOperation, string, string][] = [
    [veth, '', 'link'],
    [veth, 'ifname', 'link.name'],
    [veth, 'numTxQueues', 'link.txQueues'],
    [veth, 'mtu', 'link.mtu'],
    [veth, 'linkinfo', 'link.kind'],
    [veth, 'linkinfo.kind', 'link.kind'],
    [veth, 'linkinfo.data.peer', 'link.peer'],
    [veth, 'linkinfo.data.peer.ifname', 'link.peer.name'],
    [veth, 'linkinfo.data.peer.netNsFd', 'link.peer.netns'],
    [veth, 'linkinfo.slaveData.mode', 'link.port.hairpin'],
    [bridge, 'linkinfo.data.stpState', 'link.bridge.stp'],
    [bridge, 'linkinfo.data', 'link.bridge'],
    [vlan, 'linkinfo.data.id', 'link.vlan'],
    [
      { kind: 'address', action: 'add', address: { device: 1, address: '1.1.1.1/8' } },
      'local',
      'address.address',
    ],
    [route, 'oif', 'route.device'],
    [route, 'multipath[1].gateway', 'route.nexthops[1].gateway'],
    [route, 'multipath[1].ifindex', 'route.nexthops[1].device'],
    [route, 'metrics.mtu', 'route.mtu'],
    [{ kind: 'fdb', action: 'add', entry: { device: 1, mac: '' } }, 'lladdr', 'entry.mac'],
  ]
  test.each(cases)('%j: %s', (operation, inRecord, path) => {
    expect(callerPath(operation, inRecord)).toBe(path)
  })

  test('an operation in words', () => {
    expect(inWords(veth)).toBe('create veth v0')
    expect(inWords({ kind: 'link', action: 'delete', link: { group: 7 } })).toBe(
      'delete the links of group 7',
    )
    expect(inWords(route)).toBe('add route to 10.0.0.0/8')
  })
})
