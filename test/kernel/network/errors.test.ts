import { describe, expect, it } from 'vitest'
import { Namespace, NfbridgeError } from '../../../src/index.js'
import { ip, nft, run } from '../../support/tools.js'
import { changeANetwork, createMachines, createSetting, failureOf, openHost } from './setting.js'
import { stateOf } from './state.js'

describe('bad input changes nothing', () => {
  it.each<[string, Record<string, unknown>, string, string]>([
    [
      'a name of 16 bytes for the interface',
      { interfaceName: 'sixteen-bytes-xx' },
      'NFB_INVALID_NAME',
      'interfaceName',
    ],
    ['an address outside the pool', { address: '10.0.0.1' }, 'NFB_ADDRESS_OUTSIDE_POOL', 'address'],
    ['an address in use', { address: '172.17.0.2' }, 'NFB_ADDRESS_TAKEN', 'address'],
    ['twice the same name', { name: 'web' }, 'NFB_NAME_TAKEN', 'name'],
    ['a link to nobody', { links: ['nobody'] }, 'NFB_NOT_FOUND', 'links[0]'],
    ['a link by host name', { links: ['www:db'] }, 'NFB_NOT_FOUND', 'links[0]'],
    ['port 0', { expose: ['0/tcp'] }, 'NFB_INVALID_PORT', 'expose[0]'],
    ['port 65536', { publish: ['8080:65536'] }, 'NFB_INVALID_PORT', 'publish[0]'],
    ['a port that is published', { publish: ['80:80'] }, 'NFB_PORT_TAKEN', 'publish[0]'],
    ['a namespace that is gone', { netns: '/run/netns/there-is-none' }, 'NFB_NAMESPACE_GONE', 'netns'],
    ['a file that is no namespace', { netns: '/etc/hostname' }, 'NFB_NAMESPACE_GONE', 'netns'],
    ['a process that is gone', { netns: { pid: 2 ** 22 } }, 'NFB_NAMESPACE_GONE', 'netns'],
    ['no namespace', { netns: undefined }, 'NFB_INVALID_ARGUMENT', 'netns'],
    ['null for a namespace', { netns: null }, 'NFB_INVALID_ARGUMENT', 'netns'],
    ["another's MAC", { mac: '02:42:ac:11:00:02' }, 'NFB_ADDRESS_TAKEN', 'mac'],
    ['what is no option', { adress: '172.17.0.9' }, 'NFB_INVALID_ARGUMENT', 'adress'],
    ['a text for a list', { links: 'web' }, 'NFB_INVALID_ARGUMENT', 'links'],
    ['null for a port', { expose: [null] }, 'NFB_INVALID_PORT', 'expose[0]'],
  ])('%s', async (_, options, code, path) => {
    const { host, network, attach, machine } = await createSetting(['web', 'app'], { icc: false })
    await attach('web', { hostname: 'www', publish: ['80:80'] })
    const before = [await stateOf(host.namespace), await stateOf(machine('app').namespace)]
    const single = await failureOf(network.attach(withNamespace(options, machine('app').namespace)))
    expect(single).toBeInstanceOf(NfbridgeError)
    expect(single).toMatchObject({ code, path })
    const second = machine('app').namespace
    const many = await failureOf(
      network.attachAll([{ netns: second, name: 'fine' }, withNamespace(options, machine('app').namespace)]),
    )
    expect(many).toMatchObject({ code, path: `containers[1].${path}` })
    expect([await stateOf(host.namespace), await stateOf(machine('app').namespace)]).toEqual(before)
  })

  it('what is no object at all', async () => {
    const { network, bridgeHost } = await createSetting([])
    for (const wrong of [null, undefined, 1, 'web', []]) {
      const call: (options: unknown) => Promise<unknown> = network.attach.bind(network) as never
      expect(await failureOf(call(wrong))).toMatchObject({ code: 'NFB_INVALID_ARGUMENT' })
      const create: (options: unknown) => Promise<unknown> = bridgeHost.createNetwork.bind(
        bridgeHost,
      ) as never
      expect(await failureOf(create(wrong))).toMatchObject({ code: 'NFB_INVALID_ARGUMENT' })
    }
  })

  it('a pool that is full, overlapping pools, a network twice', async () => {
    const { host, machines } = await createMachines('a', 'b')
    const bridgeHost = await openHost(host)
    const small = await bridgeHost.createNetwork({ name: 'small', subnet: '10.9.0.0/30' })
    const [a, b] = [machines.get('a'), machines.get('b')]
    if (!a || !b) throw new Error('two machines')
    await small.attach({ netns: a.namespace })
    const before = await stateOf(host.namespace)
    await expect(small.attach({ netns: b.namespace })).rejects.toMatchObject({ code: 'NFB_POOL_FULL' })
    await expect(bridgeHost.createNetwork({ name: 'br1', subnet: '10.0.0.0/8' })).rejects.toMatchObject({
      code: 'NFB_POOL_OVERLAP',
      path: 'subnet',
    })
    await expect(bridgeHost.createNetwork({ name: 'small', subnet: '10.8.0.0/30' })).rejects.toMatchObject({
      code: 'NFB_NAME_TAKEN',
      path: 'name',
    })
    expect(await stateOf(host.namespace)).toBe(before)
  })
})

describe('calls at the same time', () => {
  it('a network that is being created is destroyed as well', async () => {
    const { host } = await createMachines()
    const before = await stateOf(host.namespace)
    const bridgeHost = await openHost(host)
    const creating = bridgeHost.createNetwork({ name: 'docker0' })
    const destroying = bridgeHost.destroy()
    await Promise.all([creating, destroying])
    expect(await stateOf(host.namespace)).toBe(before)
  })

  it('a container that is being attached is detached as well, once', async () => {
    const { network, machine, host, bridgeHost } = await createSetting(['a', 'b'], { icc: false })
    const before = await stateOf(host.namespace)
    const [first, second] = ['a', 'b'].map((name) => network.attach({ name, netns: machine(name).namespace }))
    const all = network.detachAll()
    const again = network.detachAll()
    await Promise.all([first, second, all, again])
    expect(await failureOf((await first)?.detach() ?? Promise.resolve())).toMatchObject({
      code: 'NFB_NOT_FOUND',
    })
    await changeANetwork(bridgeHost)
    expect(await stateOf(host.namespace)).toBe(before)
  })
})

describe('the namespace of the host itself', () => {
  it('is no container', async () => {
    const { network, host } = await createSetting([])
    const before = await stateOf(host.namespace)
    await expect(network.attach({ netns: host.namespace })).rejects.toMatchObject({
      code: 'NFB_INVALID_ARGUMENT',
      path: 'netns',
    })
    expect(await stateOf(host.namespace)).toBe(before)
  })

  it('has addresses that a pool must not overlap', async () => {
    const { host } = await createMachines()
    const bridgeHost = await openHost(host)
    await expect(bridgeHost.createNetwork({ name: 'br1', subnet: '203.0.0.0/16' })).rejects.toMatchObject({
      code: 'NFB_POOL_OVERLAP',
      operation: 'BridgeHost.createNetwork',
      path: 'subnet',
    })
  })
})

describe('a bridge that somebody deleted', () => {
  it('is missing, and one that was made again takes containers', async () => {
    const { network, machine, host } = await createSetting(['a', 'b'])
    await network.attach({ name: 'a', netns: machine('a').namespace })
    await ip(host.namespace, 'link', 'del', 'docker0')
    await expect(network.attach({ name: 'b', netns: machine('b').namespace })).rejects.toThrow()
    await expect(network.attach({ name: 'b', netns: machine('b').namespace })).rejects.toMatchObject({
      code: 'NFB_MISSING',
    })
    await ip(host.namespace, 'link', 'add', 'docker0', 'type', 'bridge')
    await ip(host.namespace, 'link', 'set', 'docker0', 'up')
    expect((await network.attach({ name: 'b', netns: machine('b').namespace })).name).toBe('b')
  })
})

describe('a call that fails half way is undone', () => {
  it('when the interface is there in one of the containers', async () => {
    const { host, network, machine } = await createSetting(['a', 'b', 'c'], { icc: false })
    await ip(machine('b').namespace, 'link', 'add', 'eth0', 'type', 'bridge')
    const namespaces = ['a', 'b', 'c'].map((name) => machine(name).namespace)
    const before = await Promise.all([host.namespace, ...namespaces].map(stateOf))
    const failure = await failureOf(
      network.attachAll(
        namespaces.map((netns, index) => ({
          netns,
          interfaceName: 'eth0',
          publish: [`${8000 + index}:80`],
        })),
      ),
    )
    expect(failure).toMatchObject({
      code: 'NFB_EXISTS',
      operation: 'Network.attach',
      path: 'containers[1].interfaceName',
      remaining: [],
    })
    expect(await Promise.all([host.namespace, ...namespaces].map(stateOf))).toEqual(before)
    await ip(machine('b').namespace, 'link', 'del', 'eth0')
    expect(await network.attachAll(namespaces.map((netns) => ({ netns })))).toHaveLength(3)
  })

  it('when the configuration in a container fails', async () => {
    const { host, network, machine } = await createSetting(['a', 'b'], { icc: false })
    // A default route that is there already makes ours fail, after interface and address were made.
    await ip(machine('b').namespace, 'route', 'add', 'default', 'dev', 'lo', 'metric', '64001')
    const before = await stateOf(host.namespace)
    const failure = await failureOf(
      network.attachAll([{ netns: machine('a').namespace }, { netns: machine('b').namespace }]),
    )
    expect(failure).toMatchObject({ code: 'NFB_EXISTS', path: 'containers[1].netns', remaining: [] })
    expect(await stateOf(host.namespace)).toBe(before)
    expect(await ip(machine('a').namespace, '-br', 'link')).not.toContain('eth0')
    expect((await network.attach({ netns: machine('a').namespace })).address).toBe('172.17.0.2')
  })

  it("when the bridge's name or our table is taken", async () => {
    const { host } = await createMachines()
    await ip(host.namespace, 'link', 'add', 'docker0', 'type', 'bridge')
    const before = await stateOf(host.namespace)
    const bridgeHost = await openHost(host)
    await expect(bridgeHost.createNetwork({ name: 'docker0' })).rejects.toMatchObject({
      code: 'NFB_NAME_TAKEN',
      errno: 'EEXIST',
      path: 'name',
    })
    expect(await stateOf(host.namespace)).toBe(before)
    await ip(host.namespace, 'link', 'del', 'docker0')
    await nft(host.namespace, 'add', 'table', 'bridge', 'nfbridge')
    const taken = await stateOf(host.namespace)
    await expect(bridgeHost.createNetwork({ name: 'docker0' })).rejects.toMatchObject({
      code: 'NFB_NAME_TAKEN',
    })
    expect(await stateOf(host.namespace)).toBe(taken)
  })
})

describe('the host', () => {
  it('that is closed answers every call with NFB_CLOSED, and closes twice', async () => {
    const { bridgeHost, network, attach } = await createSetting(['web'])
    const web = await attach('web')
    await bridgeHost.close()
    await bridgeHost.close()
    for (const call of [
      () => bridgeHost.createNetwork({ name: 'br1' }),
      () => bridgeHost.defaultNetwork(),
      () => network.detachAll(),
      () => network.destroy(),
      () => web.link('x'),
      () => web.publish('1:1'),
      () => web.detach(),
    ]) {
      expect(await failureOf(call())).toMatchObject({ code: 'NFB_CLOSED' })
    }
  })

  it('without privilege says what to do', async () => {
    const script = `
      import { BridgeHost } from ${JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href)}
      try {
        const host = await BridgeHost.open()
        await host.createNetwork({ name: 'docker0' })
        console.log('created')
      } catch (error) {
        console.log(JSON.stringify({ code: error.code, errno: error.errno, message: error.message }))
      }`
    // In a namespace of its own: should it be permitted after all, the machine's own is not touched.
    const namespace = await Namespace.create()
    try {
      const { stdout } = await run('nsenter', [
        `--net=${namespace.path()}`,
        'setpriv',
        '--bounding-set=-all',
        '--inh-caps=-all',
        process.execPath,
        '--input-type=module',
        '-e',
        script,
      ])
      expect(JSON.parse(stdout)).toMatchObject({
        code: 'NFB_NOT_PERMITTED',
        errno: 'EPERM',
        message: expect.stringContaining('CAP_NET_ADMIN'),
      })
    } finally {
      namespace.close()
    }
  })
})

function withNamespace(options: Record<string, unknown>, netns: Namespace): { netns: Namespace } {
  return { netns, ...options }
}
