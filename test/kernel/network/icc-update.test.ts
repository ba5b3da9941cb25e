import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { SILENCE_MS } from '../../../lab/machine.js'
import { BridgeHost } from '../../../src/index.js'
import { nft } from '../../support/tools.js'
import { ASKED_PORT, pendingQuestions } from './pending-questions.js'
import {
  cleanUp,
  createMachines,
  createSetting,
  expectBlocked,
  expectReached,
  keepSending,
} from './setting.js'

describe('icc changed while running', () => {
  it('to false: what only it allowed stops, what a link or a published port allows goes on', async () => {
    const { attach, machine, network, outside } = await createSetting(['web', 'app', 'top'])
    const web = await attach('web', { expose: ['80/tcp', '53/udp'], publish: ['8080:81'] })
    const app = await attach('app', { links: ['web:db'] })
    await attach('top')
    for (const port of [80, 81, 82]) await machine('web').serveTcp(port)
    await machine('web').serveUdp(53)
    const linked = await machine('app').holdTcp(web.address, 80)
    const unlinked = await machine('app').holdTcp(web.address, 82)
    const stranger = await machine('top').holdTcp(web.address, 80)
    const datagrams = await machine('top').holdUdp(web.address, 53)
    const published = await outside.holdTcp('203.0.113.1', 8080)
    const neighbour = await machine('top').holdTcp('203.0.113.1', 8080)

    const stillThere = keepSending(await machine('app').holdUdp(web.address, 53))
    await network.update({ icc: false })
    expect(network.icc).toBe(false)
    expect(await stillThere()).toEqual({ lost: 0 })

    for (const revoked of [unlinked, stranger, datagrams])
      expect(await revoked.send('x', { timeoutMs: SILENCE_MS })).toBe('timeout')
    for (const alive of [linked, published, neighbour]) expect(await alive.send('x')).toBe('echo')
    await expectReached(machine('app'), web.address, 80, app.address)
    await expectBlocked(machine('top'), web.address, 80)
  })

  it.each([
    ['stays untracked', { tracking: false }, { icc: false }],
    ['is tracked', { tracking: true }, { icc: false }],
    ['is tracked from now on', { tracking: false }, { icc: false, tracking: true }],
    ['is tracked no longer', { tracking: true }, { icc: false, tracking: false }],
  ])(
    'to false, of a network that %s: who asked over a link while everything was open is answered',
    async (_, options, update) => {
      const { host, attach, machine, network } = await createSetting(['web', 'app', 'top'], options, {
        bridgeNetfilter: 'off',
      })
      const web = await attach('web', { expose: [`${ASKED_PORT}/udp`] })
      const app = await attach('app', { links: ['web'] })
      await attach('top')
      const linked = await pendingQuestions(machine('web'), machine('app'), web.address)
      await linked.ask(5000)
      await network.update(update)
      linked.answer(5000)
      await expect.poll(() => linked.heard).toEqual([5000])
      // For as long as it would be remembered, and no longer.
      const told = await nft(host.namespace, 'list', 'ruleset')
      const presumed = [...told.matchAll(/(\d+\.[\d.]+) \. (\d+\.[\d.]+) \. 54( timeout \w+)? expires/g)]
      const isPresumed = !options.tracking
      expect(presumed.map(([, ...words]) => words)).toEqual(
        isPresumed ? [[app.address, web.address, undefined]] : [],
      )
    },
  )

  it('to false: who is not linked is not answered any more', async () => {
    const { attach, machine, network } = await createSetting(['web', 'top'])
    const web = await attach('web', { expose: [`${ASKED_PORT}/udp`] })
    await attach('top')
    const questions = await pendingQuestions(machine('web'), machine('top'), web.address)
    await questions.ask(5000)
    await questions.ask(5001)
    questions.answer(5000)
    await expect.poll(() => questions.heard).toEqual([5000])
    await network.update({ icc: false })
    questions.answer(5001)
    await setTimeout(SILENCE_MS)
    expect(questions.heard).toEqual([5000])
  })

  it('to true: everybody reaches everybody, and linked connections go on', async () => {
    const { attach, machine, network } = await createSetting(['web', 'app', 'top'], { icc: false })
    const web = await attach('web', { expose: ['80/tcp', '53/udp'] })
    await attach('app', { links: ['web'] })
    const top = await attach('top')
    await machine('web').serveTcp(80)
    await machine('web').serveUdp(53)
    const linked = await machine('app').holdTcp(web.address, 80)
    const stillThere = keepSending(await machine('app').holdUdp(web.address, 53))
    await network.update({ icc: true })
    expect(await stillThere()).toEqual({ lost: 0 })
    await expectReached(machine('top'), web.address, 80, top.address)
    await network.update({ icc: false })
    expect(await linked.send('x')).toBe('echo')
    await expectBlocked(machine('top'), web.address, 80)
  })

  it.each([{ icc: true }, { icc: true, tracking: true }])(
    'by a process that was killed before it remembered %o: open closes it, and who asked is answered',
    async (update) => {
      const { host, machines } = await createMachines('web', 'app')
      const [server, client] = [machines.get('web'), machines.get('app')]
      if (!server || !client) throw new Error('two machines')
      const directory = mkdtempSync(join(tmpdir(), 'nfbridge-icc-'))
      cleanUp(() => rmSync(directory, { recursive: true, force: true }))
      const [state, former] = [join(directory, 'state'), join(directory, 'former')]
      const open = (path: string) =>
        BridgeHost.open({ netns: host.namespace, state: path, bridgeNetfilter: 'off' })
      const first = await open(state)
      const network = await first.createNetwork({ name: 'docker0', subnet: '172.17.0.0/16', icc: false })
      const [web] = await network.attachAll([
        { name: 'web', netns: server.namespace.path(), expose: [`${ASKED_PORT}/udp`] },
        { name: 'app', netns: client.namespace.path(), links: ['web'] },
      ])
      if (!web) throw new Error('two containers')
      cpSync(state, former, { recursive: true })
      await network.update(update)
      const questions = await pendingQuestions(server, client, web.address)
      await questions.ask(5000)
      await first.close()
      const again = await open(former)
      cleanUp(() => again.close())
      expect(again.network('docker0')).toMatchObject({ icc: false })
      questions.answer(5000)
      await expect.poll(() => questions.heard).toEqual([5000])
    },
  )
})
