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

  test('how IPv6 addresses come is said after the link is made and before it is set up', () => {
    const link = {
      kind: 'veth',
      name: 'v0',
      up: true,
      mtu: 1400,
      ipv6AddressGeneration: 'none',
      peer: { name: 'v1', ipv6AddressGeneration: 'random' },
    } as const
    const says = (ifname: string, addrGenMode: number): Sent => ({
      name: 'newLink',
      flags: 0,
      record: { ifname, afSpec: { inet6: { addrGenMode } } },
    })
    const up = { name: 'newLink', flags: 0, record: { ifname: 'v0', flags: 1, change: 1 } }
    const made = { ifname: 'v0', mtu: 1400, flags: 0, change: 1 }
    const linkinfo = { kind: 'veth', data: { peer: { ifname: 'v1' } } }
    expect(messagesOf({ kind: 'link', action: 'create', link })).toEqual([
      { name: 'newLink', flags: ADD, record: { ...made, linkinfo } },
      says('v0', 1),
      says('v1', 3),
      up,
    ])
    const change = { device: 'v0', up: true, ipv6AddressGeneration: 'none' } as const
    expect(messagesOf({ kind: 'link', action: 'change', link: change })).toEqual([says('v0', 1), up])
    const only = { device: 'v0', ipv6AddressGeneration: 'eui64' } as const
    expect(messagesOf({ kind: 'link', action: 'change', link: only })).toEqual([says('v0', 0)])
  })

  test('a token bucket: struct tc_tbf_qopt, byte by byte', () => {
    const words = (...all: number[]): Uint8Array => new Uint8Array(Uint32Array.from(all).buffer)
    const made = (rate: number): Sent[] =>
      messagesOf({
        kind: 'qdisc',
        action: 'replace',
        qdisc: { kind: 'tbf', device: 5, rate, burst: 64_000, latency: 100 },
      })
    // 1 MB/s: 64,000 bytes take 64 ms, a million units of 64 ns; 100 kB wait beside them.
    expect(made(8_000_000)).toEqual([
      {
        name: 'newQdisc',
        flags: REPLACE,
        record: {
          ifindex: 5,
          parent: 0xffffffff,
          kind: 'tbf',
          options: { burst: 64_000, parms: words(0x100, 0, 1_000_000, 0, 0, 0, 164_000, 1_000_000, 0) },
        },
      },
    ])
    expect(made(40_000_000_000)[0]?.record).toMatchObject({
      options: { rate64: 5_000_000_000n, parms: words(0x100, 0, 0xffffffff, 0, 0, 0, 500_064_000, 200, 0) },
    })
  })

  test('a filter that redirects: struct tc_u32_sel and struct tc_mirred, byte by byte', () => {
    const where = { ifindex: 5, parent: 0xffff0000 }
    const [message] = messagesOf({
      kind: 'filter',
      action: 'add',
      filter: { device: 5, priority: 3, protocol: 'ip', redirect: 'ifb0' },
    })
    expect(message).toEqual({
      name: 'newFilter',
      flags: ADD,
      record: {
        ...where,
        info: 0x00030008, // the priority, and 0x0800 in network byte order
        handle: 0x800,
        kind: 'u32',
        options: {
          sel: Uint8Array.from({ length: 32 }, (_, at) => (at === 0 || at === 2 ? 1 : 0)),
          act: {
            first: {
              kind: 'mirred',
              // Stolen, redirected to the egress of the link.
              options: { parms: new Uint8Array(Int32Array.of(0, 0, 4, 0, 0, 1, 1004).buffer) },
            },
          },
        },
      },
    })
    expect(messagesOf({ kind: 'filter', action: 'delete', filter: { device: 5, priority: 3 } })).toEqual([
      { name: 'delFilter', flags: 0, record: { ...where, info: 0x00030000 } },
    ])
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
    [veth, 'afSpec.inet6.addrGenMode', 'link.ipv6AddressGeneration'],
    [{ kind: 'qdisc', action: 'add', qdisc: { kind: 'ingress', device: 1 } }, 'ifindex', 'qdisc.device'],
    [{ kind: 'qdisc', action: 'add', qdisc: { kind: 'ingress', device: 1 } }, 'options.parms', 'qdisc'],
    [{ kind: 'filter', action: 'delete', filter: { device: 1, priority: 1 } }, 'info', 'filter.priority'],
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
    expect(inWords({ kind: 'qdisc', action: 'delete', qdisc: { device: 'v0', parent: 'root' } })).toBe(
      'delete queueing discipline root on v0',
    )
    expect(inWords({ kind: 'filter', action: 'delete', filter: { device: 5, priority: 1 } })).toBe(
      'delete filter 1 on link 5',
    )
  })
})
