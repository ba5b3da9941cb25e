import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Machine } from '../../../lab/machine.js'
import {
  BridgeHost,
  type Container,
  type ContainerOptions,
  type Network,
  NfbridgeError,
} from '../../../src/index.js'
import { ip, ipJson, nft } from '../../support/tools.js'
import { withFaults } from './faults.js'
import { changeANetwork, cleanUp, createMachines, openHost } from './setting.js'
import { filesOf, stateOf } from './state.js'

/** A host with a state directory and two containers to be. */
interface World {
  readonly host: Machine
  readonly bridgeHost: BridgeHost
  readonly a: Machine
  readonly b: Machine
  /** A directory for hosts files; what is in it counts as state. */
  readonly hosts: string
  /** The state directory. */
  readonly folder: string
  /** Everything that a call could leave behind. */
  state(): Promise<unknown>
}

/** A call of which each part is to fail once. */
interface Trial {
  readonly name: string
  readonly prepare?: (world: World) => Promise<unknown>
  readonly call: (world: World) => Promise<unknown>
  /** Takes back what the call made. */
  readonly revert: (world: World) => Promise<unknown>
  /** The call takes away: a failure does not bring back what is gone, and a repetition takes away the rest. */
  readonly takesAway?: true
}

const [idA, idB] = ['a'.repeat(64), 'b'.repeat(64)]
const subnet = '172.17.0.0/16'
const both = { name: 'docker0', pools: [{ subnet }, { subnet: 'fd00:17::/64' }] }

function network({ bridgeHost }: World, name = 'docker0'): Network {
  const found = bridgeHost.network(name)
  if (!found) throw new Error(`no network ${name}`)
  return found
}

function container({ bridgeHost }: World, name = 'a'): Container {
  const found = bridgeHost.container(name)
  if (!found) throw new Error(`no container ${name}`)
  return found
}

/** Two containers on a network without icc, the second with much that can be changed. */
async function standing(world: World): Promise<void> {
  const net = await world.bridgeHost.createNetwork({ ...both, icc: false })
  await net.attach({ name: 'b', id: idB, netns: world.b.namespace.path(), expose: [80] })
  await net.attach({
    name: 'a',
    id: idA,
    netns: world.a.namespace.path(),
    publish: ['8080:80', '9000-9003:90-93'],
    links: ['b'],
    hostsFile: join(world.hosts, 'a'),
  })
}

/** Two containers of which the rules know nothing but that they are there. */
async function firstOfAll(world: World): Promise<void> {
  const net = await world.bridgeHost.createNetwork({ ...both, icc: false })
  await net.attach({ name: 'b', id: idB, netns: world.b.namespace.path(), expose: [80] })
  await net.attach({ name: 'a', id: idA, netns: world.a.namespace.path() })
}

/** A server and its client. */
const linkedPair = ({ a, b }: World): ContainerOptions[] => [
  { name: 'b', id: idB, netns: b.namespace.path(), expose: ['80', '53/udp'] },
  { name: 'a', id: idA, netns: a.namespace.path(), links: ['b'], publish: ['8080:80'] },
]

const attachment = ({ hosts, a }: World) => ({
  name: 'a',
  id: idA,
  netns: a.namespace.path(),
  links: ['b'],
  publish: ['8080:80', '81', '9000-9003:90-93/udp'],
  bandwidth: { ingress: { rate: 10_000_000 }, egress: { rate: 10_000_000 } },
  hostsFile: join(hosts, 'a'),
})

const trials: readonly Trial[] = [
  {
    name: 'createNetwork, the first',
    call: ({ bridgeHost }) => bridgeHost.createNetwork(both),
    revert: (world) => network(world).destroy(),
  },
  {
    name: 'createNetwork, one more, over several bridges',
    prepare: ({ bridgeHost }) => bridgeHost.createNetwork({ name: 'br1', subnet: '10.1.0.0/24' }),
    call: ({ bridgeHost }) => bridgeHost.createNetwork({ ...both, bridges: 2, icc: false }),
    revert: (world) => network(world).destroy(),
  },
  {
    name: 'createNetwork, adopting',
    prepare: async ({ host }) => {
      await ip(host.namespace, 'link', 'add', 'docker0', 'address', '02:00:00:00:00:01', 'type', 'bridge')
    },
    call: ({ bridgeHost }) => bridgeHost.createNetwork({ ...both, adopt: true }),
    revert: (world) => network(world).destroy(),
  },
  {
    name: 'Network.destroy, the last, with containers',
    prepare: standing,
    call: (world) => network(world).destroy(),
    revert: standing,
    takesAway: true,
  },
  {
    name: 'Network.update',
    prepare: standing,
    call: (world) => network(world).update({ icc: true }),
    revert: (world) => network(world).update({ icc: false }),
  },
  {
    name: 'attach',
    prepare: async (world) => {
      const net = await world.bridgeHost.createNetwork(both)
      await net.attach({ name: 'b', id: idB, netns: world.b.namespace, expose: [80] })
    },
    call: (world) => network(world).attach(attachment(world)),
    revert: (world) => container(world).detach(),
  },
  {
    name: 'attachAll',
    prepare: ({ bridgeHost }) => bridgeHost.createNetwork(both),
    call: (world) =>
      network(world).attachAll([
        { name: 'b', id: idB, netns: world.b.namespace, expose: [80] },
        attachment(world),
      ]),
    revert: (world) => network(world).detachAll(),
  },
  {
    name: 'detach',
    prepare: standing,
    call: (world) => container(world).detach(),
    revert: async (world) => {
      await network(world).destroy()
      await standing(world)
    },
    takesAway: true,
  },
  {
    name: 'stop',
    prepare: standing,
    call: (world) => container(world, 'b').stop(),
    revert: (world) => container(world, 'b').start(),
    takesAway: true,
  },
  {
    name: 'start',
    prepare: async (world) => {
      await standing(world)
      await container(world).stop()
    },
    call: (world) => container(world).start(),
    revert: (world) => container(world).stop(),
  },
  {
    name: 'connect',
    prepare: async (world) => {
      await standing(world)
      await world.bridgeHost.createNetwork({ name: 'br1', subnet: '10.1.0.0/24' })
    },
    call: (world) => container(world).connect('br1'),
    revert: (world) => container(world).disconnect('br1'),
  },
  {
    name: 'disconnect',
    prepare: async (world) => {
      await standing(world)
      await world.bridgeHost.createNetwork({ name: 'br1', subnet: '10.1.0.0/24' })
      await container(world).connect('br1')
    },
    call: (world) => container(world).disconnect('br1'),
    revert: (world) => container(world).connect('br1'),
    takesAway: true,
  },
  {
    name: 'link',
    prepare: async (world) => {
      await standing(world)
      await container(world).unlink('b')
    },
    call: (world) => container(world).link('b:other'),
    revert: (world) => container(world).unlink('other'),
  },
  {
    name: 'unlink',
    prepare: standing,
    call: (world) => container(world).unlink('b'),
    revert: (world) => container(world).link('b'),
  },
  {
    name: 'publish',
    prepare: standing,
    call: (world) => container(world).publish('82', '7000-7003:70-73/udp'),
    revert: async (world) => {
      for (const text of container(world).published.slice(2)) await container(world).unpublish(text)
    },
  },
  {
    name: 'unpublish',
    prepare: standing,
    call: (world) => container(world).unpublish('9000-9003:90-93'),
    revert: (world) => container(world).publish('9000-9003:90-93'),
  },
  {
    name: 'expose',
    prepare: standing,
    call: (world) => container(world, 'b').expose('443/tcp'),
    revert: (world) => container(world, 'b').unexpose('443/tcp'),
  },
  {
    name: 'setBandwidth',
    prepare: standing,
    call: (world) => container(world).setBandwidth({ ingress: { rate: 1e7 }, egress: { rate: 1e7 } }),
    revert: (world) => container(world).setBandwidth({}),
  },
  {
    name: 'addPeer',
    prepare: standing,
    call: ({ bridgeHost }) => bridgeHost.addPeer({ subnet: '172.18.0.0/16', via: '203.0.113.2' }),
    revert: ({ bridgeHost }) => bridgeHost.removePeer('172.18.0.0/16'),
  },
  {
    name: 'removePeer',
    prepare: async (world) => {
      await standing(world)
      await world.bridgeHost.addPeer({ subnet: '172.18.0.0/16', via: '203.0.113.2' })
    },
    call: ({ bridgeHost }) => bridgeHost.removePeer('172.18.0.0/16'),
    revert: ({ bridgeHost }) => bridgeHost.addPeer({ subnet: '172.18.0.0/16', via: '203.0.113.2' }),
    takesAway: true,
  },
  {
    name: 'userRules.append',
    prepare: standing,
    call: ({ bridgeHost }) => bridgeHost.userRules.forward.append([{ counter: null }, { accept: null }]),
    revert: ({ bridgeHost }) => bridgeHost.userRules.forward.delete(0),
  },
  {
    name: 'userRules.delete, the last',
    prepare: async (world) => {
      await standing(world)
      await world.bridgeHost.userRules.forward.append([{ accept: null }])
    },
    call: ({ bridgeHost }) => bridgeHost.userRules.forward.delete(0),
    revert: ({ bridgeHost }) => bridgeHost.userRules.forward.append([{ accept: null }]),
  },
  {
    name: 'Network.update, tracking begins',
    prepare: async (world) => {
      const net = await world.bridgeHost.createNetwork({ ...both, icc: false, bridges: 2 })
      await net.attachAll(linkedPair(world))
    },
    call: (world) => network(world).update({ tracking: true }),
    revert: (world) => network(world).update({ tracking: false }),
  },
  {
    name: 'Network.update, tracking ends',
    prepare: async (world) => {
      const net = await world.bridgeHost.createNetwork({ ...both, icc: false, bridges: 2, tracking: true })
      await net.attachAll(linkedPair(world))
    },
    call: (world) => network(world).update({ tracking: false }),
    revert: (world) => network(world).update({ tracking: true }),
  },
  {
    name: 'createNetwork, the first one that is tracked',
    prepare: standing,
    call: ({ bridgeHost }) =>
      bridgeHost.createNetwork({ name: 'br1', subnet: '10.1.0.0/24', icc: false, tracking: true }),
    revert: (world) => network(world, 'br1').destroy(),
  },
  {
    name: 'createNetwork, the first one that is closed and of IPv6',
    prepare: ({ bridgeHost }) => bridgeHost.createNetwork({ name: 'br1', subnet: '10.1.0.0/24' }),
    call: ({ bridgeHost }) => bridgeHost.createNetwork({ ...both, icc: false }),
    revert: (world) => network(world).destroy(),
  },
  {
    name: 'attach, the first container that is closed, of IPv6, that publishes and that is linked',
    prepare: async (world) => {
      await world.bridgeHost.createNetwork({ ...both, icc: false })
    },
    call: (world) => network(world).attachAll(linkedPair(world)),
    revert: (world) => network(world).detachAll(),
  },
  {
    name: 'publish, the first port',
    prepare: firstOfAll,
    call: (world) => container(world).publish('8080:80', '7000-7003:70-73/udp', '9000-9003:90-93'),
    revert: async (world) => {
      for (const text of container(world).published) await container(world).unpublish(text)
    },
  },
  {
    name: 'unpublish, the last port',
    prepare: async (world) => {
      await firstOfAll(world)
      await container(world).publish('8080:80')
    },
    call: (world) => container(world).unpublish('8080:80'),
    revert: (world) => container(world).publish('8080:80'),
  },
  {
    name: 'link, the first',
    prepare: firstOfAll,
    call: (world) => container(world).link('b'),
    revert: (world) => container(world).unlink('b'),
  },
  {
    name: 'Network.update, the last closed one opens',
    prepare: async (world) => {
      await firstOfAll(world)
      await container(world).link('b')
    },
    call: (world) => network(world).update({ icc: true }),
    revert: (world) => network(world).update({ icc: false }),
  },
]

async function createWorld(): Promise<World> {
  const { host, machines } = await createMachines('a', 'b')
  const [a, b] = [machines.get('a'), machines.get('b')]
  if (!a || !b) throw new Error('two machines')
  const state = mkdtempSync(join(tmpdir(), 'nfbridge-faults-'))
  const hosts = join(state, '..', `${state.split('/').at(-1)}-hosts`)
  mkdirSync(hosts)
  cleanUp(async () => {
    for (const folder of [state, hosts]) rmSync(folder, { recursive: true, force: true })
  })
  const bridgeHost = await openHost(host, { state })
  return {
    host,
    bridgeHost,
    a,
    b,
    hosts,
    folder: state,
    state: async () => ({
      namespaces: await Promise.all([host, a, b].map(({ namespace }) => stateOf(namespace))),
      files: filesOf(state),
      hosts: filesOf(hosts),
    }),
  }
}

async function failureOf(work: Promise<unknown>): Promise<NfbridgeError | undefined> {
  try {
    await work
    return undefined
  } catch (error) {
    if (error instanceof NfbridgeError) return error
    throw error
  }
}

describe('each part of a call fails once', () => {
  it.each(trials)('$name', async ({ prepare, call, revert, takesAway }) => {
    const world = await createWorld()
    await prepare?.(world)
    const normal = await withFaults([], async (faults) => {
      await call(world)
      return faults.calls
    })
    const after = alike(await stateAfterChange(world))
    await revert(world)
    // Names, addresses and indexes are chosen at random or go on: each round is held to its own beginning.
    for (const number of worthFailing(normal)) {
      const before = await world.state()
      const [failure, failed] = await withFaults([number], async (faults) => [
        await failureOf(call(world)),
        `${number}: ${faults.failed[0]} of ${faults.calls.join(' ')}`,
      ])
      if (failure) {
        expect(failure.message, failed).toContain('fails on purpose')
        // What takes away goes on where it can, unless it can't be remembered: then it changes nothing.
        const goesOn = takesAway && failure.remaining.length > 0
        if (!goesOn) {
          expect(failure.remaining, failed).toEqual([])
          expect(await world.state(), failed).toEqual(before)
        }
        await call(world)
        if (takesAway) expect(alike(await stateAfterChange(world)), failed).toEqual(after)
      }
      await revert(world)
    }
  })
})

describe('what undoes it fails as well: the error says what remains, or nothing does, and the call can be repeated', () => {
  const undone = trials.filter(({ name, takesAway }) => !takesAway && (EVERY || OWN_WAY_BACK.includes(name)))
  it.each(undone)('$name', async ({ prepare, call, revert }) => {
    const world = await createWorld()
    await prepare?.(world)
    const normal = await withFaults([], async (faults) => {
      await call(world)
      return faults.calls
    })
    await revert(world)
    for (const number of worthFailing(normal).filter((each) => !ASKS.test(normal[each] ?? ''))) {
      const before = await world.state()
      const [failure, failed] = await withFaults([number, number + 1], async (faults) => [
        await failureOf(call(world)),
        `${number}: ${faults.failed.join(' ')} of ${faults.calls.join(' ')}`,
      ])
      if (!failure) {
        await revert(world)
        continue
      }
      if (failure.remaining.length === 0) expect(await world.state(), failed).toEqual(before)
      expect(await unjudged(world), failed).toEqual([])
      await call(world)
      await revert(world)
    }
  })
})

describe('each part of open fails once: what stands goes on, and another open takes it over', () => {
  it.each([
    ['a network of both families, a peer, limits', standing],
    [
      'an adopted bridge',
      async ({ host, a, bridgeHost }: World) => {
        await ip(host.namespace, 'link', 'add', 'docker0', 'address', '02:00:00:00:00:01', 'type', 'bridge')
        const net = await bridgeHost.createNetwork({ ...both, adopt: true })
        await net.attach({ name: 'a', id: idA, netns: a.namespace.path(), publish: ['8080:80'] })
      },
    ],
  ])('%s', async (_, prepare) => {
    const world = await createWorld()
    const { host, folder, bridgeHost } = world
    await prepare(world)
    await bridgeHost.addPeer({ subnet: '172.18.0.0/16', via: '203.0.113.2' })
    await container(world).setBandwidth({ egress: { rate: 1e8 }, ingress: { rate: 1e8 } })
    await bridgeHost.close()
    const stands = async (): Promise<string[]> => (await stateOf(host.namespace)).split('\n').sort()
    const open = (): Promise<BridgeHost> => BridgeHost.open({ netns: host.namespace, state: folder })
    const normal = await withFaults([], async (faults) => {
      await (await open()).close()
      return faults.calls
    })
    const before = await stands()
    const files = filesOf(folder)
    for (const number of worthFailing(normal)) {
      const [failure, failed] = await withFaults([number], async (faults) => [
        await failureOf(open().then((opened) => opened.close())),
        `${number}: ${faults.failed[0]} of ${faults.calls.join(' ')}`,
      ])
      expect(await stands(), failed).toEqual(before)
      if (failure) expect(failure.remaining, failed).toEqual([])
      if (failure?.operation === 'BridgeHost.open') expect(filesOf(folder), failed).toEqual(files)
    }
    const again = await open()
    expect(again.lost).toEqual([])
    await again.close()
    expect(await stands()).toEqual(before)
    // A close that failed has not told in which order the addresses go on, as if the process was killed.
    const others = (each: string): boolean => !each.startsWith('/pools/')
    expect(filesOf(folder).filter(others)).toEqual(files.filter(others))
  })
})

/** Bridges of which table inet is to judge what stays on them, and does not see it. */
async function unjudged({ host }: World): Promise<unknown[]> {
  const rules = await nft(host.namespace, 'list', 'ruleset')
  const bridges = await ipJson(host.namespace, 'link', 'show', 'type', 'bridge')
  return bridges.flatMap(({ ifname, linkinfo }) => {
    const asks = JSON.stringify(linkinfo).includes('"nf_call_iptables":1')
    return !asks && rules.includes(`"${ifname}" . "${ifname}" : jump same_network`) ? [ifname] : []
  })
}

/** By `npm run faults`, which takes long: also the calls that are most like others. */
const EVERY = process.env.NFB_EVERY_FAULT === '1'

/** Calls whose way back differs from that of all others. */
const OWN_WAY_BACK = ['createNetwork, one more, over several bridges', 'attachAll', 'connect', 'publish']

const ASKS = /^(list|find|read|bridgeIndex|await|count|generation)/

/**
 * Of the calls that ask, the first of each kind: all are followed by the same way back. Of those that change something, every one (`npm run
 * faults`), or the last of each kind, which has the most to undo.
 */
function worthFailing(calls: readonly string[]): number[] {
  return calls.flatMap((name, number) => {
    if (ASKS.test(name)) return calls.indexOf(name) === number ? [number] : []
    return EVERY || calls.lastIndexOf(name) === number ? [number] : []
  })
}

/** The state without rules that nobody needs. */
async function stateAfterChange(world: World): Promise<unknown> {
  await changeANetwork(world.bridgeHost)
  return world.state()
}

/** A state without what is chosen at random, and without the order that follows from it. */
function alike(state: unknown): string[] {
  return (
    JSON.stringify(state)
      .replaceAll(/veth\w+|ifb\w+/g, 'VETH')
      .replaceAll(/ifindex\\":\d+|@if\d+|"(index|group|hostInterface)\\*":("[^"]*"|\d+)/g, '')
      .replaceAll(/([0-9a-f]{2}:){5}[0-9a-f]{2}/g, 'MAC')
      .split(/\\n|\\t|,/)
      .map((line) => line.replace(/^\d+: /, ''))
      // It comes with the last network's end, which some ways back go by.
      .filter((line) => !line.includes('user-rules'))
      .sort()
  )
}
