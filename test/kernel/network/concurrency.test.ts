import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { NfbridgeError } from '../../../src/index.js'
import { changeANetwork, cleanUp, createMachines, createSetting, failureOf, openHost } from './setting.js'
import { stateOf } from './state.js'

/** Whole numbers below a limit, the same in each run. */
function numbers(seed: number): (limit: number) => number {
  let last = seed
  return (limit) => {
    last = (last * 48271) % 2147483647
    return last % limit
  }
}

function stateDirectory(): string {
  const state = mkdtempSync(join(tmpdir(), 'nfbridge-'))
  cleanUp(async () => rmSync(state, { recursive: true, force: true }))
  return state
}

describe('calls that nobody awaits', () => {
  it.each([1, 2, 3])('take effect one after the other, each whole: order %d', async (seed) => {
    const below = numbers(seed)
    const state = stateDirectory()
    const names = ['a', 'b', 'c']
    const { host, machines } = await createMachines(...names)
    const before = await stateOf(host.namespace)
    const bridgeHost = await openHost(host, { state })
    const net = await bridgeHost.createNetwork({ name: 'docker0', subnet: '172.17.0.0/16', icc: false })
    await bridgeHost.createNetwork({ name: 'br1', subnet: '10.1.0.0/24' })
    const calls: Promise<unknown>[] = []
    const oneOf = (): string => names[below(names.length)] ?? 'a'
    const on = (
      name: string,
      call: (c: NonNullable<ReturnType<typeof bridgeHost.container>>) => Promise<unknown>,
    ) => {
      const container = bridgeHost.container(name)
      if (container) calls.push(call(container))
    }
    for (let round = 0; round < 6; round += 1) {
      for (let number = 0; number < 20; number += 1) {
        const [name, other] = [oneOf(), oneOf()]
        const netns = machines.get(name)?.namespace.path() ?? ''
        const call = below(9)
        if (call === 0)
          calls.push(net.attach({ name, netns, expose: [80], publish: [`${8000 + names.indexOf(name)}:80`] }))
        else if (call === 1) on(name, (container) => container.detach())
        else if (call === 2) on(name, (container) => container.stop())
        else if (call === 3) on(name, (container) => container.start())
        else if (call === 4) on(name, (container) => container.connect('br1'))
        else if (call === 5) on(name, (container) => container.disconnect('br1'))
        else if (call === 6) on(name, (container) => container.link(other))
        else if (call === 7) on(name, (container) => container.publish('81'))
        else calls.push(bridgeHost.inspect())
      }
      // Handles are found by what stands: some calls first end.
      await Promise.allSettled(calls)
    }
    const settled = await Promise.allSettled(calls)
    expect(settled.length).toBeGreaterThan(50)
    expect(settled.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(20)
    for (const each of settled) {
      if (each.status !== 'rejected') continue
      expect(each.reason).toBeInstanceOf(NfbridgeError)
      expect(each.reason).toMatchObject({
        code: expect.stringMatching(/NAME_TAKEN|SETTING_CONFLICT|NOT_FOUND|LINK_REFUSED|PORT_TAKEN/),
        remaining: [],
      })
    }
    await changeANetwork(bridgeHost)
    // What stands is what another open would make of the files: it changes nothing.
    const standing = await stateOf(host.namespace)
    await bridgeHost.close()
    const again = await openHost(host, { state })
    expect(again.lost).toEqual([])
    expect(sorted(await stateOf(host.namespace))).toBe(sorted(standing))
    await again.destroy()
    expect(await stateOf(host.namespace)).toBe(before)
  })

  it('may be followed by close or destroy, which wait for them; later ones fail', async () => {
    const { bridgeHost, network, machine, host } = await createSetting(['a', 'b'])
    const attached = ['a', 'b'].map((name) => network.attach({ name, netns: machine(name).namespace }))
    const destroyed = bridgeHost.destroy()
    const late = failureOf(network.attach({ name: 'late', netns: machine('a').namespace }))
    expect((await Promise.all(attached)).map(({ id }) => id)).toHaveLength(2)
    await destroyed
    // Between the end of the networks and the end of the host.
    expect(await late).toMatchObject({ code: expect.stringMatching(/^NFB_(NOT_FOUND|CLOSED)$/) })
    expect(await failureOf(bridgeHost.createNetwork({ name: 'docker0' }))).toMatchObject({
      code: 'NFB_CLOSED',
    })
    expect(await stateOf(host.namespace)).not.toContain('docker0')
  })

  it('after close fail with NFB_CLOSED, all of them', async () => {
    const { bridgeHost, network, attach, machine } = await createSetting(['web', 'db'])
    const [web, db] = [await attach('web'), await attach('db')]
    await bridgeHost.close()
    const rule = [{ accept: null }] as const
    const calls: Record<string, () => Promise<unknown>> = {
      createNetwork: () => bridgeHost.createNetwork({ name: 'br1' }),
      defaultNetwork: () => bridgeHost.defaultNetwork(),
      hostAttach: () => bridgeHost.attach({ netns: machine('web').namespace }),
      addHostContainer: () => bridgeHost.addHostContainer(),
      addPeer: () => bridgeHost.addPeer({ subnet: '172.30.0.0/16', via: '203.0.113.2' }),
      removePeer: () => bridgeHost.removePeer('172.30.0.0/16'),
      inspect: () => bridgeHost.inspect(),
      toText: () => bridgeHost.toText('nft'),
      destroy: () => bridgeHost.destroy(),
      list: () => bridgeHost.userRules.forward.list(),
      append: () => bridgeHost.userRules.forward.append(rule),
      insert: () => bridgeHost.userRules.inbound.insert(0, rule),
      delete: () => bridgeHost.userRules.inbound.delete(0),
      flush: () => bridgeHost.userRules.inbound.flush(),
      attach: () => network.attach({ netns: machine('web').namespace }),
      attachAll: () => network.attachAll([]),
      detachAll: () => network.detachAll(),
      update: () => network.update({ icc: false }),
      destroyNetwork: () => network.destroy(),
      connect: () => web.connect(network),
      disconnect: () => web.disconnect(network),
      stop: () => web.stop(),
      start: () => web.start(),
      expose: () => web.expose(80),
      unexpose: () => web.unexpose(80),
      link: () => web.link(db.name),
      unlink: () => web.unlink(db.name),
      publish: () => web.publish('80'),
      unpublish: () => web.unpublish('80'),
      setBandwidth: () => web.setBandwidth({}),
      detach: () => web.detach(),
    }
    for (const [name, call] of Object.entries(calls))
      expect(await failureOf(call()), name).toMatchObject({ code: 'NFB_CLOSED' })
    await bridgeHost.close()
  })
})

describe('two hosts', () => {
  it('with one state directory: the second is refused, and nothing happens; also from a worker thread', async () => {
    const state = stateDirectory()
    const { host, machines } = await createMachines('a')
    const first = await openHost(host, { state })
    const net = await first.createNetwork({ name: 'docker0', subnet: '172.17.0.0/16' })
    const before = await stateOf(host.namespace)
    expect(await failureOf(openHost(host, { state }))).toMatchObject({
      code: 'NFB_BUSY',
      operation: 'BridgeHost.open',
      path: 'state',
    })
    const dist = new URL('../../../dist/index.js', import.meta.url).href
    const worker = new Worker(
      `import { parentPort, workerData } from 'node:worker_threads'
       const { BridgeHost } = await import(${JSON.stringify(dist)})
       const open = () => BridgeHost.open(workerData).then(() => 'opened', (error) => error.code)
       parentPort.on('message', async () => parentPort.postMessage(await open()))`,
      { eval: true, workerData: { netns: host.namespace.path(), state } },
    )
    cleanUp(() => worker.terminate())
    const ask = (): Promise<unknown> =>
      new Promise((resolve, reject) => {
        worker.once('message', resolve).once('error', reject)
        worker.postMessage('open')
      })
    expect(await ask()).toBe('NFB_BUSY')
    expect(await stateOf(host.namespace)).toBe(before)
    const a = machines.get('a')
    await net.attach({ netns: a?.namespace ?? '' })
    await first.close()
    expect(await ask()).toBe('opened')
    expect(await failureOf(openHost(host, { state }))).toMatchObject({ code: 'NFB_BUSY' })
    // A thread that ends lets go, whatever it had open.
    await worker.terminate()
    const third = await openHost(host, { state })
    expect(third.containers).toHaveLength(1)
  })

  it('in one namespace, each with a state directory of its own: only one may have networks', async () => {
    const { host } = await createMachines()
    const [first, second] = [
      await openHost(host, { state: stateDirectory() }),
      await openHost(host, { state: stateDirectory() }),
    ]
    await first.createNetwork({ name: 'br1' })
    const before = await stateOf(host.namespace)
    expect(await failureOf(second.createNetwork({ name: 'br2' }))).toMatchObject({ code: 'NFB_NAME_TAKEN' })
    expect(await stateOf(host.namespace)).toBe(before)
    await first.network('br1')?.destroy()
    await second.createNetwork({ name: 'br2' })
  })
})

function sorted(text: string): string {
  return text.split('\n').sort().join('\n')
}
