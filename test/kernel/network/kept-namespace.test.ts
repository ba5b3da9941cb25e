import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { Namespace, type NamespaceSource, type Network } from '../../../src/index.js'
import { ipJson, type ToolNamespace } from '../../support/tools.js'
import { cleanUp, createSetting, expectReached, failureOf, openHost } from './setting.js'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

/** Attaches a container whose namespace is held by one object. @returns that object, which may be collected */
async function attachNew(
  network: Network,
  name: string,
  sourceOf: (namespace: Namespace) => NamespaceSource,
): Promise<WeakRef<Namespace>> {
  const namespace = await Namespace.create()
  await network.attach({ name, netns: sourceOf(namespace) })
  return new WeakRef(namespace)
}

async function isThere(host: ToolNamespace, device: string): Promise<boolean> {
  const links = await ipJson(host, 'link', 'show')
  return links.some(({ ifname }) => ifname === device)
}

async function collectUntil(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) {
    await sleep(1) // what a WeakRef gave in this turn of the event loop is not collected
    collectGarbage()
    await sleep(1) // finalizers run from the event loop
  }
}

describe('the Namespace that a container was attached with', () => {
  it('is kept, also by a host that is closed; a descriptor is not', async () => {
    const { host, network, bridgeHost } = await createSetting([])
    const device = (name: string): string => network.container(name)?.hostInterface ?? ''
    const kept = await attachNew(network, 'kept', (namespace) => namespace)
    await attachNew(network, 'control', ({ fd }) => ({ fd }))
    await collectUntil(async () => !(await isThere(host.namespace, device('control'))))
    expect(await isThere(host.namespace, device('kept'))).toBe(true)
    const explanation = await bridgeHost.explain({ from: 'host', to: 'kept', protocol: 'icmp' })
    expect(explanation).toMatchObject({ reached: true, assumed: [] })

    const former = device('kept')
    await bridgeHost.close()
    const others = [new WeakRef(await Namespace.create())]
    await collectUntil(() => others.every((each) => each.deref() === undefined))
    expect(await isThere(host.namespace, former)).toBe(true)
    kept.deref()?.close()
    await collectUntil(async () => !(await isThere(host.namespace, former)))
  })

  it('is let go with the container', async () => {
    const { network } = await createSetting([])
    const kept = await attachNew(network, 'kept', (namespace) => namespace)
    await network.detach('kept')
    await collectUntil(() => kept.deref() === undefined)
  })

  it('is the one that connect and start use, until it is closed or another is given', async () => {
    const { bridgeHost, network, machine } = await createSetting(['app', 'next'])
    const other = await bridgeHost.createNetwork({ name: 'other', subnet: '172.21.0.0/16' })
    const own = Namespace.open(machine('app').namespace)
    cleanUp(async () => own.close())
    const app = await network.attach({ name: 'app', netns: own })
    await app.connect(other)
    await app.stop()
    await app.start()
    await machine('app').serveTcp(80)
    const next = await network.attach({ name: 'next', netns: machine('next').namespace })
    await expectReached(machine('next'), app.address, 80, next.address)

    await app.stop()
    own.close()
    expect(await failureOf(app.start())).toMatchObject({ code: 'NFB_INVALID_ARGUMENT', path: 'netns' })
    await app.start({ netns: machine('app').namespace.path() })
    await app.stop()
    // Where it was before is another's by now.
    const moved = await Namespace.create()
    cleanUp(async () => moved.close())
    await app.start({ netns: moved })
    await app.disconnect(other)
    await app.connect(other)
    const names = (await ipJson(moved, 'link', 'show')).map(({ ifname }) => ifname)
    expect(names).toEqual(expect.arrayContaining(['eth0', 'eth1']))
    await app.stop()
    moved.close()
    expect(await failureOf(app.start())).toMatchObject({ code: 'NFB_INVALID_ARGUMENT', path: 'netns' })
  })

  it('is found again by a host that is opened again in the same process', async () => {
    const state = mkdtempSync(join(tmpdir(), 'nfbridge-'))
    cleanUp(async () => rmSync(state, { recursive: true, force: true }))
    const { bridgeHost, host, attach } = await createSetting(['app'], {}, { state })
    await attach('app')
    await bridgeHost.close()
    const again = await openHost(host, { state })
    const app = again.container('app')
    await app?.stop()
    await app?.start()
    expect(app?.state).toBe('running')
  })

  it('given to connect for a container that is stopped, is the one that it starts in', async () => {
    const { bridgeHost, attach, machine } = await createSetting(['app', 'next'])
    const other = await bridgeHost.createNetwork({ name: 'other', subnet: '172.21.0.0/16' })
    const app = await attach('app')
    await app.stop()
    await app.connect(other, { netns: machine('next').namespace })
    await app.start()
    const names = (await ipJson(machine('next').namespace, 'link', 'show')).map(({ ifname }) => ifname)
    expect(names).toEqual(expect.arrayContaining(['eth0', 'eth1']))
  })
})
