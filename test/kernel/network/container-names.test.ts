import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ipJson } from '../../support/tools.js'
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
})
