import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  BridgeHost,
  type Container,
  type Namespace,
  type Network,
  NfbridgeError,
} from '../../../src/index.js'
import { errorOf, expectRefused, unlooked } from '../../support/hostile-values.js'
import { changeANetwork, createSetting, type Setting } from './setting.js'
import { stateOf } from './state.js'

/** Values of every type. */
const anything = fc.oneof(
  fc.anything({
    maxDepth: 2,
    withBigInt: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withObjectString: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
  }),
  fc.constantFrom<unknown>(
    Symbol('s'),
    () => 1,
    new Proxy({}, {}),
    Number.NaN,
    -0,
    2 ** 53,
    '\0',
    '::',
    '0/tcp',
    '\ud800',
    '\x1b[2J\nlocalhost',
    `/${'x'.repeat(6000)}`,
    { fd: 2 ** 31 },
    { pid: -1 },
  ),
)

/** Any text would be a valid one: a name, a path. */
const noText = anything.filter((value) => typeof value !== 'string' && value !== undefined)

/** A call and the options that it takes, with values that are right. */
interface Target {
  readonly call: (world: World, options: never) => Promise<unknown>
  readonly revert: (world: World) => Promise<unknown>
  readonly options: (world: World) => Readonly<Record<string, unknown>>
  /** Options whose right values are texts of many kinds: only other types are tried. */
  readonly texts?: readonly string[]
  readonly others: readonly string[]
}

interface World extends Setting {
  readonly container: Container
  readonly other: Network
  readonly namespace: Namespace
}

const endpoint = ['address', 'ipv6Address', 'mac', 'priority', 'bandwidth', 'allowForgedSource']

const targets: Readonly<Record<string, Target>> = {
  open: {
    call: async (_, options) => (await BridgeHost.open(options)).close(),
    revert: async () => undefined,
    options: ({ namespace }) => ({ netns: namespace }),
    texts: ['state'],
    others: ['ipForward', 'forwardPolicy', 'bridgeNetfilter', 'offload', 'firewall', 'existingRules'],
  },
  createNetwork: {
    call: ({ bridgeHost }, options) => bridgeHost.createNetwork(options),
    revert: async ({ bridgeHost }) => bridgeHost.network('br9')?.destroy(),
    options: () => ({ name: 'br9' }),
    texts: ['name'],
    others: [
      'subnet',
      'gateway',
      'range',
      'exclude',
      'pools',
      'ipv4',
      'ipv6',
      'icc',
      'internal',
      'isolation',
      'gatewayMode',
      'masquerade',
      'trustedInterfaces',
      'allowDirectRouting',
      'linkMode',
      'tracking',
      'mtu',
      'adopt',
      'bridges',
    ],
  },
  'Network.attach': {
    call: ({ network }, options) => network.attach(options),
    revert: async ({ bridgeHost }) => bridgeHost.container('fuzz')?.detach(),
    options: ({ machine }) => ({ netns: machine('b').namespace, name: 'fuzz' }),
    texts: ['name', 'hostname', 'hostsFile', 'interfaceName'],
    others: ['netns', 'id', 'expose', 'publish', 'links', ...endpoint],
  },
  'Container.connect': {
    call: ({ container, other }, options) => container.connect(other, options),
    revert: async ({ container, other }) => {
      if (container.addressOn(other)) await container.disconnect(other)
    },
    options: ({ machine }) => ({ netns: machine('a').namespace }),
    texts: ['interfaceName'],
    others: ['netns', 'links', ...endpoint],
  },
  addPeer: {
    call: ({ bridgeHost }, options) => bridgeHost.addPeer(options),
    revert: async ({ bridgeHost }) => {
      for (const { subnet } of bridgeHost.peers) await bridgeHost.removePeer(subnet)
    },
    options: () => ({ subnet: '172.30.0.0/16', via: '203.0.113.2' }),
    others: ['subnet', 'via', 'device'],
  },
  addHostContainer: {
    call: ({ bridgeHost }, options) => bridgeHost.addHostContainer(options),
    revert: async ({ bridgeHost }) => {
      for (const each of bridgeHost.containers) if (each.state === 'host') await each.detach()
    },
    options: () => ({ name: 'onhost' }),
    texts: ['name'],
    others: ['id'],
  },
}

/** Calls that take one value. A reference to what is not there is an error as well. */
const values: Readonly<Record<string, (world: World, value: never) => unknown>> = {
  'BridgeHost.removePeer': ({ bridgeHost }, value) => bridgeHost.removePeer(value),
  'BridgeHost.toText': ({ bridgeHost }, value) => bridgeHost.toText(value),
  'Network.attachAll': ({ network }, value) => network.attachAll([value]),
  'Network.detach': ({ network }, value) => network.detach(value),
  'Network.update': ({ network }, value) => network.update({ icc: value }),
  'Container.link': ({ container }, value) => container.link(value),
  'Container.unlink': ({ container }, value) => container.unlink(value),
  'Container.connect': ({ container }, value) => container.connect(value),
  'Container.disconnect': ({ container }, value) => container.disconnect(value),
  'Container.start': ({ container }, value) => container.start(value),
  'Container.expose': ({ container }, value) => container.expose(value),
  'Container.unexpose': ({ container }, value) => container.unexpose(value),
  'Container.publish': ({ container }, value) => container.publish(value),
  'Container.unpublish': ({ container }, value) => container.unpublish(value),
  'Container.addressOn': ({ container }, value) => container.addressOn(value),
  'Container.setBandwidth': ({ container }, value) => container.setBandwidth(value),
  'userRules.append': ({ bridgeHost }, value) => bridgeHost.userRules.forward.append(value),
  'userRules.append, a statement': ({ bridgeHost }, value) => bridgeHost.userRules.forward.append([value]),
  'userRules.insert': ({ bridgeHost }, value) =>
    bridgeHost.userRules.inbound.insert(value, [{ accept: null }]),
  'userRules.delete': ({ bridgeHost }, value) => bridgeHost.userRules.inbound.delete(value),
}

async function createWorld(): Promise<World> {
  const setting = await createSetting(['a', 'b'])
  const container = await setting.attach('a')
  const other = await setting.bridgeHost.createNetwork({ name: 'br1', subnet: '10.1.0.0/24' })
  return { ...setting, container, other, namespace: setting.host.namespace }
}

describe('a value of any type for one option is right, or an error that names the option, and changes nothing', () => {
  it.each(Object.entries(targets))('%s', async (_, { call, revert, options, texts = [], others }) => {
    const world = await createWorld()
    const before = await stateOf(world.namespace)
    for (const option of [...texts, ...others]) {
      const attempt = async (value: unknown): Promise<void> => {
        const { transactions } = world.bridgeHost.statistics
        const given: unknown = { ...options(world), [option]: value }
        const error = await errorOf(() => call(world, given as never))
        if (error === undefined) {
          await revert(world)
          return
        }
        expectRefused(error)
        expect(error).toMatchObject({ path: expect.stringContaining(option) })
        // An interface that may be there: that it is not, the kernel says.
        if (error instanceof NfbridgeError && error.code === 'NFB_MISSING') return
        expect(world.bridgeHost.statistics.transactions).toBe(transactions)
      }
      await fc.assert(fc.asyncProperty(texts.includes(option) ? noText : anything, attempt), { numRuns: 60 })
      for (const value of unlooked) await attempt(value)
    }
    await changeANetwork(world.bridgeHost)
    expect(await stateOf(world.namespace)).toBe(before)
  })
})

describe('a value of any type for the only argument is right, or an NfbridgeError', () => {
  it.each(Object.entries(values))('%s', async (_, call) => {
    const world = await createWorld()
    const attempt = async (value: unknown): Promise<void> => {
      const error = await errorOf(() => call(world, value as never))
      if (error !== undefined) expectRefused(error)
    }
    await fc.assert(fc.asyncProperty(anything, attempt), { numRuns: 100 })
    for (const value of unlooked) await attempt(value)
  })
})

describe('a reference of any type', () => {
  it('that means nothing finds nothing', async () => {
    const { bridgeHost, network } = await createWorld()
    const find: ((reference: never) => unknown)[] = [
      (reference) => bridgeHost.container(reference),
      (reference) => bridgeHost.network(reference),
      (reference) => network.container(reference),
    ]
    fc.assert(
      fc.property(anything, (value) => {
        for (const each of find) expect(each(value as never)).toBeUndefined()
      }),
    )
  })
})
