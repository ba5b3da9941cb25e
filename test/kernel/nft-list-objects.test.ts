import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PATIENCE_MS } from '../../lab/machine.js'
import type { SocketHandle } from '../../src/native/addon.js'
import { unwrap } from '../../src/native/failure.js'
import { Packer } from '../../src/native/pack.js'
import { Namespace } from '../../src/netns/index.js'
import { compileOperation, type Operation, SetScope, Trail } from '../../src/nft/compile/index.js'
import { isTypeof, typeNames } from '../../src/nft/datatype/index.js'
import { listRuleset } from '../../src/nft/list.js'
import type { ListedObject } from '../../src/nft/model/index.js'
import { ip, isObject, type JsonObject, nft, nftFile, nftJson, runIn } from '../support/tools.js'
import { comparable } from './nft-list-compare.js'

let namespace: Namespace
let socket: SocketHandle
beforeEach(async () => {
  namespace = await Namespace.create()
  await ip(namespace, 'link', 'set', 'lo', 'up')
  socket = await namespace.openSocket('netfilter')
})
afterEach(() => {
  socket.close()
  namespace.close()
})

async function commit(through: SocketHandle, operations: readonly Operation[]): Promise<void> {
  const packer = new Packer()
  const scope = new SetScope()
  const batch = { sink: packer, scope, trail: new Trail(), nextSetId: 0 }
  for (const operation of operations) compileOperation(batch, operation, { echo: false })
  unwrap(await through.transaction(packer.words()), 'test.commit')
}

const text = `
table inet t {
  comment "of the table"
  counter c1 { comment "of the counter" packets 5 bytes 6 }
  counter c2 { }
  quota q1 {
    comment "of the quota"
    over 5 mbytes used 3 bytes
  }
  quota q2 { 1025 bytes }
  limit l1 {
    comment "of the limit"
    rate 5/second
  }
  limit l2 { rate over 5 mbytes/minute burst 3 kbytes }
  limit l3 { rate 1025 bytes/hour }
  limit l4 { rate 5/day burst 7 packets }
  ct helper h1 {
    comment "of the helper"
    type "ftp" protocol tcp
    l3proto inet
  }
  ct helper h2 {
    type "tftp" protocol udp
    l3proto ip
  }
  ct timeout t1 {
    comment "of the timeouts"
    protocol tcp
    l3proto ip
    policy = { established : 100, close : 5 }
  }
  ct timeout t2 {
    protocol udp
    l3proto ip6
    policy = { unreplied : 10, replied : 20 }
  }
  ct timeout t3 {
    protocol udp
    l3proto ip
    policy = { unreplied : 10 }
  }
  ct expectation e1 {
    comment "of the expectation"
    protocol tcp
    dport 9876
    timeout 2m
    size 12
    l3proto ip
  }
  synproxy p1 {
    comment "of the proxy"
    mss 1460
    wscale 7
    timestamp sack-perm
  }
  synproxy p2 {
    mss 1460
    wscale 7
  }
  set plain { type ipv4_addr; comment "of the set"; elements = { 1.2.3.4 comment "of the element", 1.2.3.5 } }
  set intervals { type ipv4_addr; flags interval; auto-merge; elements = { 1.2.3.0/24, 10.0.0.1-10.0.0.7, 5.5.5.5 } }
  set bounds { type inet_service; flags interval; elements = { 0-9, 20, 60000-65535 } }
  set everything { type ipv4_addr; flags interval; elements = { 0.0.0.0/0 } }
  set ranges { type ipv4_addr . inet_service; flags interval; elements = { 1.2.3.0/24 . 80, 1.2.3.4 . 1-5 } }
  set timed { type ipv4_addr; flags timeout; timeout 10m; gc-interval 1h; size 100; elements = { 1.2.3.4 timeout 1h30s, 1.2.3.5 } }
  set changing { type ipv4_addr; flags dynamic; size 1000; policy memory; }
  set pmarks { type mark; elements = { 1, 5, 0x10000 } }
  set markranges { type mark; flags interval; elements = { 1-5, 8 } }
  set names { type ifname; elements = { "lo", "eth0" } }
  set wildcards { type ifname; flags interval; elements = { "lo", "eth*", "veth*" } }
  set senders { type ifname . ether_addr . ipv4_addr; elements = { "a" . 00:11:22:33:44:55 . 1.2.3.4 } }
  set lengths { typeof ip length; elements = { 5, 600 } }
  set protocols { type inet_proto; elements = { tcp, udp, 200 } }
  set ctstates { type ct_state; elements = { new, established } }
  set fixedports { type inet_service; flags constant; elements = { 5, 6 } }
  set six { type ipv6_addr; flags interval; elements = { ::1, fe80::/10, 2001:db8::1-2001:db8::9 } }
  set tcpflags { type tcp_flag; elements = { syn, ack, syn|ack } }
  set markaddr { type ipv4_addr . mark; flags interval; elements = { 1.2.3.4 . 1-5 } }
  set addrmark { type mark . ipv4_addr; elements = { 5 . 1.2.3.4 } }
  set codes { type dscp; elements = { cs1, 5 } }
  set types { type icmpv6_type; elements = { nd-neighbor-solicit, 200 } }
  set macs { type ether_addr; flags interval; elements = { 00:11:22:33:44:00-00:11:22:33:44:ff } }
  set ethers { type ether_type; elements = { ip, arp, 0x88cc } }
  set kinds { type fib_addrtype; elements = { local, broadcast } }
  set addresses { type ipv4_addr . ipv4_addr . inet_proto . inet_service; elements = { 1.2.3.4 . 1.2.3.5 . tcp . 80 } }
  map counters { type ipv4_addr : counter; elements = { 1.2.3.4 : "c1", 1.2.3.5 comment "of the pair" : "c2" } }
  map quotas { type inet_service : quota; elements = { 80 : "q1" } }
  map verdicts { type ipv4_addr : verdict; elements = { 1.2.3.4 : accept, 1.2.3.5 : jump ch, * : drop } }
  map publish { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; elements = { 1.2.3.4 . tcp . 80 : 1.2.3.5 . 81 } }
  map icc { type ifname . ifname : verdict; elements = { "a" . "b" comment "of the pair" : jump ch, "a" . "c" : goto ch } }
  map portmarks { type inet_service : mark; flags interval; elements = { 1-5 : 6, 9 : 7 } }
  map markaddrs { type mark : ipv4_addr; elements = { 1 : 1.2.3.4 } }
  map timedports { type ipv4_addr : inet_service; flags timeout; elements = { 1.2.3.4 timeout 1h10s : 5 } }
  chain ch { comment "of the chain"; }
  chain base { type filter hook input priority filter + 5; policy drop; counter name "c1"; iifname @names accept comment "of the rule"; }
  chain late { type filter hook input priority 300; }
}
table ip n {
  chain post { type nat hook postrouting priority srcnat; }
  chain r { type route hook output priority mangle; }
}
table ip6 s { flags dormant; }
table arp a {
  chain inp { type filter hook input priority filter; policy accept; }
}
table bridge b {
  chain pre { type filter hook prerouting priority dstnat; }
}
table netdev d {
  chain ingr { type filter hook ingress device "lo" priority -500; }
}
`

/** One object of a listing: its kind and its properties. */
function kindOf(object: object): [string, JsonObject] {
  const [pair] = Object.entries(object)
  const [name = '', value] = pair ?? []
  return [name, isObject(value) ? value : {}]
}

const key = ([kind, { family, table, name, chain, handle }]: [string, JsonObject]): string =>
  [kind, family, table, chain, name, handle].join(' ')

/** What nft prints, in our terms: concatenated data of maps as a list; the time that is left is left out. */
function fromNft(properties: JsonObject): JsonObject {
  const { flags, map, ...rest } = properties
  return {
    ...rest,
    ...(typeof map === 'string' && { map: map.includes(' . ') ? map.split(' . ') : map }),
    // For tables nft 1.0.6 prints whatever is in the memory.
    ...(Array.isArray(flags) && { flags }),
  }
}

/** nft 1.0.6 prints the types of what a set is declared by, and not the expressions. */
function named(value: unknown): unknown {
  if (!isTypeof(value)) return value
  const names = typeNames(value)
  return names.length === 1 ? names[0] : names
}

function withoutExpiry(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (name: string, child: unknown) =>
    name === 'expires' ? undefined : child,
  )
}

describe('objects', () => {
  it('are listed as nft lists them, and what nft loses beside', async () => {
    await nftFile(namespace, text)
    const theirs = (await nftJson(namespace, 'list', 'ruleset'))
      .map(kindOf)
      .filter(([kind]) => kind !== 'metainfo')
    const { nftables, generation } = await listRuleset(socket)
    expect(generation).toBeGreaterThan(0)
    const ours = new Map(nftables.map((object) => [key(kindOf(object)), kindOf(object)[1]]))
    expect([...ours.keys()].sort()).toEqual(theirs.map(key).sort())
    for (const object of theirs) {
      const mine = ours.get(key(object)) ?? {}
      const expected = fromNft(object[1])
      const common = Object.fromEntries(Object.keys(expected).map((name) => [name, named(mine[name])]))
      // Beside what nft prints as flags there is 'dynamic'.
      if (Array.isArray(common.flags)) common.flags = common.flags.filter((flag) => flag !== 'dynamic')
      expect(withoutExpiry(comparable(common)), key(object)).toEqual(withoutExpiry(comparable(expected)))
    }
    expect(find(nftables, 'set', 'changing').flags).toEqual(['dynamic'])
    expect(find(nftables, 'table', 't').comment).toBe('of the table')
    expect(find(nftables, 'table', 's').flags).toEqual(['dormant'])
    expect(find(nftables, 'chain', 'ch').comment).toBe('of the chain')
    expect(find(nftables, 'set', 'intervals')['auto-merge']).toBe(true)
    expect(find(nftables, 'chain', 'ingr').dev).toBe('lo')
    expect(find(nftables, 'set', 'timed').elem).toMatchObject([
      { elem: { val: '1.2.3.4', timeout: 3630 } },
      { elem: { val: '1.2.3.5' } },
    ])
  })

  it('are the same after they were written back from the listing', async () => {
    // A set of integers without a name can be listed, but not declared.
    await nftFile(namespace, text.replace(/ {2}set lengths .*\n/g, ''))
    const { nftables } = await listRuleset(socket)
    const there = await Namespace.create()
    const socketThere = await there.openSocket('netfilter')
    try {
      await ip(there, 'link', 'set', 'lo', 'up')
      await commit(socketThere, again(nftables))
      const print = async (where: Namespace): Promise<string> =>
        (await nft(where, 'list', 'ruleset')).replace(/ expires \S+/g, '')
      const lines = async (where: Namespace): Promise<string[]> => sortedElements(await print(where))
      expect(await lines(there)).toEqual(await lines(namespace))
    } finally {
      socketThere.close()
      there.close()
    }
  })

  it('that the model does not have are kept as they are', async () => {
    await nftFile(
      namespace,
      `table inet t {
        set mixed { typeof meta length . tcp dport; elements = { 5 . 6 } }
        set untyped { typeof ct original proto-src; }
        chain i { type filter hook input priority 0; meta length . tcp dport @mixed accept; }
      }`,
    )
    const { nftables } = await listRuleset(socket)
    const opaque = nftables.flatMap((object) => ('opaque' in object ? [object.opaque] : []))
    expect(
      opaque
        .map(({ message, record }) => [
          message,
          'name' in record ? record.name : 'set' in record ? record.set : '',
        ])
        .sort(),
    ).toEqual([['nftNewSet', 'untyped']])
    expect(find(nftables, 'set', 'mixed')).toMatchObject({
      type: {
        typeof: {
          concat: [{ meta: { key: 'length' } }, { payload: { protocol: 'tcp', field: 'dport' } }],
        },
      },
      elem: [{ concat: [5, 6] }],
    })
    const rule = nftables.find((object) => 'rule' in object)
    expect(rule).toMatchObject({ rule: { expr: [{ match: { right: '@mixed' } }, { accept: null }] } })
  })

  it('of iptables are listed, with its extensions', async () => {
    await runIn(namespace, 'iptables-nft', ['-N', 'USER'])
    for (const rule of [
      '-p tcp --dport 80 -j ACCEPT',
      '-s 10.0.0.0/8 -i lo -j DROP',
      '! -i eth+ -d 10.1.0.0/16 -p udp --sport 1:1023 -j USER',
      '-m conntrack --ctstate ESTABLISHED -j ACCEPT',
      '-p tcp -m multiport --dports 1,2 -j RETURN',
    ])
      await runIn(namespace, 'iptables-nft', ['-A', 'INPUT', ...rule.split(' ')])
    const theirs = (await nftJson(namespace, 'list', 'chain', 'ip', 'filter', 'INPUT'))
      .map(kindOf)
      .flatMap(([kind, properties]) => (kind === 'rule' ? [properties] : []))
    const { nftables } = await listRuleset(socket, { family: 'ip', table: 'filter', chain: 'INPUT' })
    const ours = nftables.slice(1)
    expect(ours.length).toBe(theirs.length)
    const understood = ours.slice(0, 3).map((object) => kindOf(object)[1].expr)
    expect(understood.map(comparable)).toEqual(theirs.slice(0, 3).map(({ expr }) => comparable(expr)))
    expect(ours[3]).toMatchObject({
      rule: { expr: [{ xt: { options: { ctstate: { value: ['ESTABLISHED'] } } } }, {}, { accept: null }] },
    })
    expect(ours[4]).toMatchObject({
      rule: {
        expr: [
          { match: { right: 'tcp' } },
          { xt: { type: 'match', name: 'multiport', options: { side: 'dports', ports: [1, 2] } } },
          { counter: {} },
          { return: null },
        ],
      },
    })
  })
})

/** The one object of a kind and name. */
function find(objects: readonly ListedObject[], kind: string, name: string): JsonObject {
  const found = objects.map(kindOf).filter(([each, properties]) => each === kind && properties.name === name)
  const [first] = found
  if (found.length !== 1 || !first) throw new Error(`${found.length} objects ${kind} ${name}`)
  return first[1]
}

/** What is listed, as operations that make it again: chains before what jumps to them. */
function again(objects: readonly ListedObject[]): Operation[] {
  // Named objects, whatever their kind, before the maps that refer to them.
  const order = ['table', 'chain', 'other', 'set', 'map', 'rule']
  const place = (object: object): number =>
    order.indexOf(order.includes(kindOf(object)[0]) ? kindOf(object)[0] : 'other')
  const sorted = objects.toSorted((one, other) => place(one) - place(other))
  return sorted.map((object): Operation => {
    if ('opaque' in object) throw new Error('not understood')
    if (!('rule' in object)) return { add: object }
    const { handle, ...rule } = object.rule
    return { add: { rule } }
  })
}

/** nft breaks elements into lines and sorts some of them by what it has in memory. */
function sortedElements(printed: string): string[] {
  return printed
    .replace(/elements = \{([^}]*)\}/g, (_, elements: string) => {
      const parts = elements.split(',').map((part) => part.trim())
      return `elements = { ${parts.sort().join(', ')} }`
    })
    .split('\n')
}

describe('a filter', () => {
  beforeEach(() => nftFile(namespace, text))
  const names = (objects: readonly ListedObject[]): string[] =>
    objects
      .map(kindOf)
      .map(([kind, { family, table, chain, name }]) =>
        [kind, family, table, chain, name].filter(Boolean).join(' '),
      )

  it('by family', async () => {
    const { nftables } = await listRuleset(socket, { family: 'bridge' })
    expect(names(nftables)).toEqual(['table bridge b', 'chain bridge b pre'])
  })

  it('by table, with and without its family', async () => {
    const expected = ['table ip n', 'chain ip n post', 'chain ip n r']
    expect(names((await listRuleset(socket, { family: 'ip', table: 'n' })).nftables)).toEqual(expected)
    expect(names((await listRuleset(socket, { table: 'n' })).nftables)).toEqual(expected)
    expect((await listRuleset(socket, { family: 'ip', table: 'none' })).nftables).toEqual([])
    expect((await listRuleset(socket, { family: 'ip6', table: 'n' })).nftables).toEqual([])
  })

  it('by chain', async () => {
    const { nftables } = await listRuleset(socket, { family: 'inet', table: 't', chain: 'base' })
    expect(names(nftables)).toEqual(['chain inet t base', 'rule inet t base', 'rule inet t base'])
  })

  it('by set', async () => {
    const { nftables } = await listRuleset(socket, { family: 'inet', table: 't', set: 'names' })
    expect(names(nftables)).toEqual(['set inet t names'])
    expect(find(nftables, 'set', 'names').elem).toEqual(['eth0', 'lo'])
  })

  it('by kind, without elements', async () => {
    const { nftables } = await listRuleset(socket, { kinds: ['set', 'object'], elements: false })
    const kinds = new Set(nftables.map((object) => kindOf(object)[0]))
    expect([...kinds].sort()).toEqual([
      'counter',
      'ct expectation',
      'ct helper',
      'ct timeout',
      'limit',
      'map',
      'quota',
      'set',
      'synproxy',
    ])
    expect(nftables.some((object) => kindOf(object)[1].elem !== undefined)).toBe(false)
  })
})

describe('a snapshot', () => {
  it('is of one moment while others change the ruleset', async () => {
    await nftFile(namespace, 'table inet t {\nset s { type inet_service; }\nchain c { }\n}')
    const writer = await namespace.openSocket('netfilter')
    let writing = true
    const writes = (async () => {
      // Each transaction puts the same port into the set, into a chain's name and into a rule.
      for (let port = 1; writing; port++) {
        const chain = { family: 'inet', table: 't', name: `p${port}` } as const
        const element = { family: 'inet', table: 't', name: 's', type: 'inet_service', elem: [port] } as const
        await commit(writer, [
          { flush: { set: { family: 'inet', table: 't', name: 's' } } },
          { add: { element } },
          { add: { chain } },
          ...(port > 1 ? [{ delete: { chain: { ...chain, name: `p${port - 1}` } } } as const] : []),
        ])
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
    })()
    const seen = new Set<string>()
    const end = performance.now() + PATIENCE_MS
    for (let round = 0; round < 40 || (seen.size < 2 && performance.now() < end); round++) {
      const { nftables } = await listRuleset(socket).catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'NFB_DUMP_INCONSISTENT' })
        return { nftables: [] }
      })
      if (nftables.length === 0) continue
      const elements = find(nftables, 'set', 's').elem ?? []
      const chains = nftables.flatMap((object) =>
        'chain' in object && object.chain.name !== 'c' ? [object.chain.name] : [],
      )
      expect(Array.isArray(elements) && elements.map((port) => `p${port}`)).toEqual(chains)
      seen.add(chains.join())
    }
    writing = false
    await writes
    writer.close()
    expect(seen.size).toBeGreaterThan(1)
  })

  it('is given up after some attempts', async () => {
    await nftFile(namespace, 'table inet t {\nchain c { }\n}')
    const writer = await namespace.openSocket('netfilter')
    let dumps = 0
    const disturbed: SocketHandle = {
      port: socket.port,
      request: (words) => socket.request(words),
      requestSync: (words) => socket.requestSync(words),
      transaction: (words, options) => socket.transaction(words, options),
      transactionSync: (words, options) => socket.transactionSync(words, options),
      dumpPart: (words) => socket.dumpPart(words),
      dumpSync: (words) => socket.dumpSync(words),
      forget: (words, patterns) => socket.forget(words, patterns),
      roundTrip: () => socket.roundTrip(),
      close: () => socket.close(),
      dump: async (words) => {
        const name = `c${dumps++}`
        await commit(writer, [{ add: { chain: { family: 'inet', table: 't', name } } }])
        return socket.dump(words)
      },
    }
    await expect(listRuleset(disturbed)).rejects.toMatchObject({ code: 'NFB_DUMP_INCONSISTENT' })
    expect(dumps).toBeLessThan(200)
    writer.close()
  })

  it('has 20,000 elements in their order', async () => {
    const count = 20_000
    const elem = Array.from({ length: count }, (_, index) => `10.0.${(index >> 8) & 255}.${index & 255}`)
    await commit(socket, [
      { add: { table: { family: 'inet', name: 't' } } },
      { add: { set: { family: 'inet', table: 't', name: 's', type: 'ipv4_addr', size: count, elem } } },
    ])
    const { nftables } = await listRuleset(socket, { family: 'inet', table: 't', set: 's' })
    expect(find(nftables, 'set', 's').elem).toEqual(elem)
  })

  it('of a closed socket is refused', async () => {
    socket.close()
    await expect(listRuleset(socket)).rejects.toMatchObject({ code: 'NFB_CLOSED' })
  })
})
