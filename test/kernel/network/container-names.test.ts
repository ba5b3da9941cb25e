import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ipJson, nft } from '../../support/tools.js'
import {
  cleanUp,
  createMachines,
  createSetting,
  expectBlocked,
  expectReached,
  failureOf,
  openHost,
} from './setting.js'

describe("containers with ids of a runtime's own", () => {
  it('are linked by the full id and by the short one, and have interfaces as all others', async () => {
    const { attach, machine, host } = await createSetting(['web', 'app', 'job'], { icc: false })
    const id = 'k8s.io/../nginx pod-\u{1f433}'
    const web = await attach('web', { id, expose: ['80/tcp'] })
    expect([web.id, web.shortId]).toEqual([id, 'k8s.io/../ng'])
    expect(web.hostInterface).toMatch(/^veth[0-9a-f]{11}$/)
    const names = (await ipJson(host.namespace, 'link', 'show', 'master', 'docker0')).map(
      ({ ifname }) => ifname,
    )
    expect(names).toEqual([web.hostInterface])
    const app = await attach('app', { id: 'a:b', links: [{ container: id, alias: 'db' }] })
    const job = await attach('job', { id: 'job' })
    await machine('web').serveTcp(80)
    await expectReached(machine('app'), web.address, 80, app.address)
    await expectBlocked(machine('job'), web.address, 80)
    await job.link(web.shortId)
    await expectReached(machine('job'), web.address, 80, job.address)
    await job.unlink(id)
    await expectBlocked(machine('job'), web.address, 80)
    expect(await failureOf(attach('job', { id }))).toMatchObject({ code: 'NFB_NAME_TAKEN' })
  })

  it('are adopted by another open of the state directory, and forgotten when they are detached', async () => {
    const state = mkdtempSync(join(tmpdir(), 'nfbridge-'))
    cleanUp(async () => rmSync(state, { recursive: true, force: true }))
    const { host, machines } = await createMachines('web', 'app')
    const ids = ['..', '\u{1f433}'.repeat(127)]
    const first = await openHost(host, { state })
    const network = await first.createNetwork({ name: 'docker0' })
    for (const [index, name] of ['web', 'app'].entries()) {
      const netns = machines.get(name)?.namespace
      if (netns) await network.attach({ name, netns, id: ids[index] })
    }
    await first.close()
    const second = await openHost(host, { state })
    expect(second.lost).toEqual([])
    expect(['web', 'app'].map((name) => second.container(name)?.id)).toEqual(ids)
    await second.network('docker0')?.detachAll(ids)
    await second.close()
    const third = await openHost(host, { state })
    expect([...third.lost, ...(third.network('docker0')?.containers ?? [])]).toEqual([])
  })
})

describe('labels of networks and containers', () => {
  it('are what was given, and come back after a restart, a stop and a start', async () => {
    const state = mkdtempSync(join(tmpdir(), 'nfbridge-'))
    cleanUp(async () => rmSync(state, { recursive: true, force: true }))
    const { host, machines } = await createMachines('web', 'app')
    const namespaceOf = (name: string) => {
      const machine = machines.get(name)
      if (machine) return machine.namespace
      throw new Error(name)
    }
    const first = await openHost(host, { state })
    const labels: Record<string, string> = { 'com.example.tier': 'front', note: 'a b\n' }
    const network = await first.createNetwork({ name: 'docker0', labels })
    const web = await network.attach({ name: 'web', netns: namespaceOf('web'), labels })
    await network.attach({ name: 'app', netns: namespaceOf('app') })
    await first.addHostContainer({ name: 'sshd', labels: { of: 'the host' } })
    await web.stop()
    await web.start({ netns: namespaceOf('web') })
    const given = { ...labels }
    labels.note = 'changed by its owner'
    web.labels.note = 'changed in a copy'
    await first.close()
    const second = await openHost(host, { state })
    expect(second.network('docker0')?.labels).toEqual(given)
    const told = await second.inspect()
    expect(told.networks.map((each) => each.labels)).toEqual([given])
    expect(Object.fromEntries(told.containers.map((each) => [each.name, each.labels]))).toEqual({
      web: given,
      app: {},
      sshd: { of: 'the host' },
    })
    expect(second.container('web')?.labels).toEqual(given)
  })

  it('are changed by update, running or stopped, without a rule that changes; and stay so', async () => {
    const state = mkdtempSync(join(tmpdir(), 'nfbridge-'))
    cleanUp(async () => rmSync(state, { recursive: true, force: true }))
    const setting = await createSetting(['web', 'app'], { labels: { tier: 'front' } }, { state })
    const { attach, network, bridgeHost, host } = setting
    const web = await attach('web', { labels: { owner: 'ann' } })
    const app = await attach('app', { labels: { owner: 'ann' } })
    const rules = (): Promise<string> => nft(host.namespace, '-a', 'list', 'ruleset')
    const before = await rules()
    await network.update({ labels: { tier: 'back', note: '' } })
    await web.update({ labels: { owner: 'bob' } })
    expect(await rules()).toBe(before)
    await app.stop()
    await app.update({ labels: {} })
    await app.update({})
    expect([network.labels, web.labels, app.labels]).toEqual([
      { tier: 'back', note: '' },
      { owner: 'bob' },
      {},
    ])
    expect(await failureOf(web.update(JSON.parse('{"labels":{"owner":7}}')))).toMatchObject({
      code: 'NFB_INVALID_ARGUMENT',
      operation: 'Container.update',
      path: 'labels.owner',
    })
    expect(await failureOf(network.update({ labels: { '': 'x' } }))).toMatchObject({ path: 'labels' })
    expect(await failureOf(web.update(JSON.parse('{"icc":false}')))).toMatchObject({ path: 'icc' })
    await network.update({ icc: false })
    expect(network.labels).toEqual({ tier: 'back', note: '' })
    await bridgeHost.close()
    const again = await openHost(host, { state })
    const told = await again.inspect()
    expect(told.networks).toMatchObject([{ icc: false, labels: { tier: 'back', note: '' } }])
    expect(Object.fromEntries(told.containers.map((each) => [each.name, each.labels]))).toEqual({
      web: { owner: 'bob' },
      app: {},
    })
  })
})

describe('a container that is renamed', () => {
  it('keeps its links and connections, and the hosts file of its client follows', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'nfbridge-'))
    cleanUp(async () => rmSync(directory, { recursive: true, force: true }))
    const state = join(directory, 'state')
    const file = join(directory, 'hosts')
    const { attach, machine, bridgeHost, host } = await createSetting(
      ['web', 'app'],
      { icc: false },
      { state },
    )
    const web = await attach('web', { expose: ['80/tcp'], hostname: 'www' })
    const app = await attach('app', { links: ['web:db'], hostsFile: file })
    await machine('web').serveTcp(80)
    const open = await machine('app').holdTcp(web.address, 80)
    expect(readFileSync(file, 'utf8')).toContain(`${web.address}\tdb www web\n`)
    expect(await failureOf(web.rename('app'))).toMatchObject({
      code: 'NFB_NAME_TAKEN',
      operation: 'Container.rename',
    })
    await web.rename('server')
    expect([web.name, bridgeHost.container('web'), bridgeHost.container('server')?.id]).toEqual([
      'server',
      undefined,
      web.id,
    ])
    expect(readFileSync(file, 'utf8')).toContain(`${web.address}\tdb www server\n`)
    expect(readFileSync(file, 'utf8')).not.toMatch(/web$/m)
    expect(app.links).toMatchObject([{ alias: 'db', container: 'server' }])
    expect(await open.send('still')).toBe('echo')
    await expectReached(machine('app'), web.address, 80, app.address)
    await web.stop()
    await web.rename('later')
    await bridgeHost.close()
    const again = await openHost(host, { state })
    expect(again.container('later')).toMatchObject({ id: web.id, state: 'stopped' })
    expect(again.container('app')?.links).toMatchObject([{ alias: 'db', container: 'later' }])
  })

  it('goes on where the hosts file of another container can not be written', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'nfbridge-'))
    cleanUp(async () => rmSync(directory, { recursive: true, force: true }))
    const { attach, bridgeHost } = await createSetting(['web', 'app'])
    const web = await attach('web')
    const app = await attach('app', { links: ['web:db'], hostsFile: join(directory, 'hosts') })
    rmSync(directory, { recursive: true })
    await web.rename('server')
    expect([web.name, app.links[0]?.container]).toEqual(['server', 'server'])
    expect(await bridgeHost.check()).toMatchObject([{ code: 'hosts-file-unwritten', subject: 'app' }])
  })
})
