import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Namespace, type Network } from '../../../src/index.js'
import { ip, run } from '../../support/tools.js'
import { cleanUp, createMachines, createSetting, failureOf, openHost } from './setting.js'
import { filesOf, stateOf } from './state.js'

function directory(): string {
  const folder = mkdtempSync(join(tmpdir(), 'nfbridge-broken-'))
  cleanUp(async () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

describe('what is really in the way', () => {
  it('a state directory that can not be written: nothing changes, and once it can the call works', async () => {
    const state = directory()
    const { host, network, machine, attach } = await createSetting(['a', 'b'], {}, { state })
    const a = await attach('a')
    const before = await stateOf(host.namespace)
    renameSync(join(state, 'containers'), join(state, 'elsewhere'))
    const calls = [
      () => network.attach({ netns: machine('b').namespace, publish: ['8080:80'] }),
      () => a.publish('8081:80'),
      () => a.expose(80),
    ]
    for (const call of calls) {
      expect(await failureOf(call())).toMatchObject({
        code: 'NFB_STATE_DAMAGED',
        message: expect.stringContaining('containers'),
      })
      expect(await stateOf(host.namespace)).toBe(before)
    }
    renameSync(join(state, 'elsewhere'), join(state, 'containers'))
    await a.publish('8081:80')
    await a.detach()
    await attach('b', { publish: ['8080:80', '8081:80'] })
    expect(filesOf(state).filter((file) => file.startsWith('/containers/'))).toHaveLength(1)
  })

  it('a directory in the place of a hosts file', async () => {
    const folder = directory()
    const { host, attach, machine } = await createSetting(['a'])
    const before = [await stateOf(host.namespace), await stateOf(machine('a').namespace)]
    const file = join(folder, 'hosts')
    mkdirSync(file)
    expect(await failureOf(attach('a', { hostsFile: file }))).toMatchObject({
      code: 'NFB_INVALID_ARGUMENT',
      path: 'hostsFile',
      remaining: [],
    })
    expect([await stateOf(host.namespace), await stateOf(machine('a').namespace)]).toEqual(before)
    expect(filesOf(folder)).toEqual([])
    rmSync(file, { recursive: true })
    await attach('a', { hostsFile: file })
  })

  it('a namespace that is gone when its container is to start; another one takes its place', async () => {
    const folder = directory()
    const { host, network, machine } = await createSetting(['b'])
    const path = join(folder, 'netns')
    const short = await Namespace.create({ path })
    const a = await network.attach({ name: 'a', netns: path, publish: ['8080:80'] })
    await a.stop()
    short.close()
    await Namespace.unmount(path)
    const before = await stateOf(host.namespace)
    expect(await failureOf(a.start())).toMatchObject({ code: 'NFB_NAMESPACE_GONE', path: 'netns' })
    expect(await stateOf(host.namespace)).toBe(before)
    expect(a.state).toBe('stopped')
    await a.start({ netns: machine('b').namespace.path() })
    expect(a.state).toBe('running')
  })

  it("a route to a peer's subnet, and a gateway that cannot be reached", async () => {
    const { host, bridgeHost } = await createSetting([])
    await ip(host.namespace, 'route', 'add', '172.30.0.0/16', 'via', '203.0.113.2')
    const before = await stateOf(host.namespace)
    const peer = { subnet: '172.30.0.0/16', via: '203.0.113.2' }
    expect(await failureOf(bridgeHost.addPeer(peer))).toMatchObject({
      code: expect.stringMatching(/^NFB_(EXISTS|POOL_OVERLAP)$/),
      remaining: [],
    })
    expect(
      await failureOf(bridgeHost.addPeer({ subnet: '172.31.0.0/16', via: '198.51.100.1' })),
    ).toMatchObject({ remaining: [] })
    expect(await stateOf(host.namespace)).toBe(before)
    expect(bridgeHost.peers).toEqual([])
    await ip(host.namespace, 'route', 'del', '172.30.0.0/16')
    await bridgeHost.addPeer(peer)
    await bridgeHost.removePeer(peer.subnet)
  })

  it("a bridge's name, which is found out before anything is remembered", async () => {
    const state = directory()
    const { host } = await createMachines()
    await ip(host.namespace, 'link', 'add', 'docker0', 'type', 'bridge')
    const bridgeHost = await openHost(host, { state })
    const before = filesOf(state)
    for (const options of [{ name: 'docker0' }, { name: 'docker', bridges: 2, subnet: '10.1.0.0/16' }]) {
      if (options.bridges) await ip(host.namespace, 'link', 'add', 'docker-1', 'type', 'bridge')
      expect(await failureOf(bridgeHost.createNetwork(options))).toMatchObject({
        code: 'NFB_NAME_TAKEN',
        path: 'name',
        errno: 'EEXIST',
        remaining: [],
      })
    }
    expect(filesOf(state)).toEqual(before)
    expect(bridgeHost.statistics.transactions).toBe(0)
  })

  it('a kill between the files of one call: the links to a container without one are dropped', async () => {
    const state = directory()
    const { host, network, machine, bridgeHost } = await createSetting(
      ['db', 'app'],
      { icc: false },
      { state },
    )
    const db = await network.attach({ name: 'db', netns: machine('db').namespace, expose: [80] })
    await network.attach({ name: 'app', netns: machine('app').namespace, links: ['db'] })
    const veth = db.hostInterface
    await bridgeHost.close()
    rmSync(join(state, 'containers', `${db.id}.json`))
    const again = await openHost(host, { state })
    expect(again.container('app')?.links).toEqual([])
    expect(await ip(host.namespace, '-br', 'link')).not.toContain(veth)
    // The same id is another container.
    await again
      .network('docker0')
      ?.attach({ name: 'new', id: db.id, netns: machine('db').namespace, expose: [80] })
    expect(again.container('app')?.links).toEqual([])
    await machine('db').serveTcp(80)
    const { address = '' } = again.container('new') ?? {}
    expect((await machine('app').probeTcp(address, 80, { timeoutMs: 300 })).outcome).not.toBe('reached')
    await again.destroy()
    expect(filesOf(state).filter((file) => file.startsWith('/containers'))).toEqual([])
  })

  it('more published ports than a process may have descriptors', async () => {
    const { host, machines } = await createMachines('a')
    const before = await stateOf(host.namespace)
    const script = `
      import { BridgeHost } from ${JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href)}
      const host = await BridgeHost.open({ netns: process.argv[1] })
      const network = await host.createNetwork({ name: 'docker0' })
      const code = (call) => call.then(() => 'done', ({ code, remaining }) => code + remaining)
      const all = { name: 'a', netns: process.argv[2], publish: ['8000-8200:8000-8200'] }
      console.log(await code(network.attach(all)))
      console.log(await code(network.attach({ ...all, publish: ['8000-8003:80-83'] })))
      await host.destroy()`
    const { stdout, stderr } = await run('sh', [
      '-c',
      'ulimit -n 180; exec "$@"',
      'sh',
      process.execPath,
      '--input-type=module',
      '-e',
      script,
      host.namespace.path(),
      machines.get('a')?.namespace.path() ?? '',
    ])
    expect({ stdout, stderr }).toEqual({ stdout: 'NFB_TOO_LARGE\ndone\n', stderr: '' })
    expect(await stateOf(host.namespace)).toBe(before)
  })
})

describe("a client's hosts file", () => {
  async function linked(
    network: Network,
    folder: string,
    machine: (name: string) => { namespace: Namespace },
  ) {
    const place = (name: string) => ({ name, netns: machine(name).namespace.path() })
    await network.attach({ ...place('db'), expose: [80] })
    const file = join(folder, 'hosts')
    await network.attach({ ...place('app'), links: ['db'], hostsFile: file })
    return file
  }

  it('follows a server that was restarted at another address', async () => {
    const { network, bridgeHost, machine } = await createSetting(['db', 'app', 'stranger'])
    const file = await linked(network, directory(), machine)
    expect(readFileSync(file, 'utf8')).toContain('172.17.0.2\tdb')
    await bridgeHost.container('db')?.stop()
    expect(readFileSync(file, 'utf8')).not.toContain('172.17.0.2')
    await network.attach({ netns: machine('stranger').namespace, address: '172.17.0.2' })
    await bridgeHost.container('db')?.start()
    const { address } = bridgeHost.container('db') ?? {}
    expect(address).not.toBe('172.17.0.2')
    expect(readFileSync(file, 'utf8')).toContain(`${address}\tdb`)
    expect(readFileSync(file, 'utf8')).not.toContain('172.17.0.2\t')
  })

  it('is brought up to date by open: the server is gone, or a killed process did not come to it', async () => {
    const state = directory()
    const { network, bridgeHost, machine, host } = await createSetting(['db', 'app'], {}, { state })
    const file = await linked(network, directory(), machine)
    const text = readFileSync(file, 'utf8')
    await bridgeHost.close()
    writeFileSync(file, '')
    const again = await openHost(host, { state })
    expect(readFileSync(file, 'utf8')).toBe(text)
    const veth = again.container('db')?.hostInterface ?? ''
    await again.close()
    await ip(host.namespace, 'link', 'del', veth)
    const last = await openHost(host, { state })
    expect(last.lost.map(({ name }) => name)).toEqual(['db'])
    expect(readFileSync(file, 'utf8')).not.toMatch(/\bdb\b/)
    expect(readFileSync(file, 'utf8')).toContain(last.container('app')?.hostsText)
    expect(await ip(host.namespace, 'neighbour', 'show', 'nud', 'permanent')).not.toContain('172.17.0.2')
  })
})
