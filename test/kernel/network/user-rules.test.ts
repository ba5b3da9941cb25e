import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { SILENCE_MS } from '../../../lab/machine.js'
import type { Statement } from '../../../src/nft/index.js'
import { nft } from '../../support/tools.js'
import { cleanUp, createMachines, createSetting, expectReached, openHost } from './setting.js'

const HOST = '203.0.113.1'
const OUTSIDE = '203.0.113.2'

/** "Only this address may come in through the uplink", as one negated rule. */
const onlyFrom = (address: string): Statement[] => [
  { match: { op: '==', left: { meta: { key: 'iifname' } }, right: 'uplink' } },
  { match: { op: '!=', left: { payload: { protocol: 'ip', field: 'saddr' } }, right: address } },
  { drop: null },
]

async function stateDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'nfbridge-'))
  cleanUp(() => rm(path, { recursive: true }))
  return path
}

describe('"only 8.8.8.8 may come in through the uplink"', () => {
  it('in the chain inbound: others do not get in, and the containers still get out', async () => {
    const { attach, machine, outside, bridgeHost } = await createSetting(['web'])
    await attach('web', { publish: ['8080:80'] })
    await machine('web').serveTcp(80)
    await outside.serveTcp(80)
    await expectReached(outside, HOST, 8080, OUTSIDE)
    await bridgeHost.userRules.inbound.insert(0, onlyFrom('8.8.8.8'))
    expect(await outside.probeTcp(HOST, 8080, { timeoutMs: SILENCE_MS })).toEqual({ outcome: 'timeout' })
    await expectReached(machine('web'), OUTSIDE, 80, HOST)
    await bridgeHost.userRules.inbound.delete(0)
    await bridgeHost.userRules.inbound.insert(0, onlyFrom(OUTSIDE))
    await expectReached(outside, HOST, 8080, OUTSIDE)
  })

  it("in the chain forward: it also breaks the containers' own connections outward", async () => {
    const { attach, machine, outside, bridgeHost } = await createSetting(['web'])
    await attach('web', { publish: ['8080:80'] })
    await machine('web').serveTcp(80)
    await outside.serveTcp(80)
    await bridgeHost.userRules.forward.insert(0, onlyFrom('8.8.8.8'))
    expect(await outside.probeTcp(HOST, 8080, { timeoutMs: SILENCE_MS })).toEqual({ outcome: 'timeout' })
    expect(await machine('web').probeTcp(OUTSIDE, 80, { timeoutMs: SILENCE_MS })).toEqual({
      outcome: 'timeout',
    })
    await bridgeHost.userRules.forward.flush()
    await expectReached(machine('web'), OUTSIDE, 80, HOST)
  })
})

describe("the users' chains", () => {
  it('take rules of any other tool, and are listed with them', async () => {
    const { attach, machine, outside, host, bridgeHost } = await createSetting(['web'])
    await attach('web', { publish: ['8080:80'] })
    await machine('web').serveTcp(80)
    await nft(host.namespace, 'add rule inet nfbridge user_inbound iifname uplink ip saddr != 8.8.8.8 drop')
    expect(await outside.probeTcp(HOST, 8080, { timeoutMs: SILENCE_MS })).toEqual({ outcome: 'timeout' })
    await bridgeHost.userRules.inbound.insert(0, {
      expr: [
        { match: { op: '==', left: { payload: { protocol: 'ip', field: 'saddr' } }, right: OUTSIDE } },
        { accept: null },
      ],
      comment: 'a friend',
    })
    await expectReached(outside, HOST, 8080, OUTSIDE)
    const rules = await bridgeHost.userRules.inbound.list()
    expect(rules.map(({ text }) => text)).toEqual([
      `ip saddr ${OUTSIDE} accept comment "a friend"`,
      'iifname "uplink" ip saddr != 8.8.8.8 drop',
    ])
    expect(rules.every(({ handle }) => handle !== undefined)).toBe(true)
  })

  it('keep the order in which rules are put at places', async () => {
    const { bridgeHost } = await createSetting([])
    const chain = bridgeHost.userRules.forward
    const numbered = (port: number): Statement[] => [
      { match: { op: '==', left: { payload: { protocol: 'tcp', field: 'dport' } }, right: port } },
      { accept: null },
    ]
    await chain.append(numbered(2))
    await expect(chain.insert(99, numbered(9))).rejects.toMatchObject({
      code: 'NFB_NOT_FOUND',
      path: 'index',
    })
    await chain.insert(0, numbered(1))
    await chain.insert(2, numbered(4))
    await chain.insert(2, numbered(3))
    await chain.append(numbered(5))
    await chain.delete(1)
    const texts = (await chain.list()).map(({ text }) => text)
    expect(texts).toEqual([1, 3, 4, 5].map((port) => `tcp dport ${port} accept`))
    await expect(chain.delete(4)).rejects.toMatchObject({ code: 'NFB_NOT_FOUND', path: 'index' })
    await expect(chain.insert(0, [{ jump: { target: 'nowhere' } }])).rejects.toMatchObject({
      path: 'rule[0]',
    })
    expect(await chain.list()).toHaveLength(4)
  })

  it('are kept by another open, with rules of other tools and their counters; or flushed where that is asked for', async () => {
    const state = await stateDirectory()
    const { host, bridgeHost } = await createSetting([], {}, { state })
    await bridgeHost.userRules.inbound.append(onlyFrom('8.8.8.8'))
    await nft(host.namespace, 'add rule inet nfbridge user counter packets 7 bytes 77 drop')
    await bridgeHost.close()
    const again = await openHost(host, { state })
    expect((await again.userRules.inbound.list()).map(({ text }) => text)).toHaveLength(1)
    expect((await again.userRules.forward.list()).map(({ text }) => text)).toEqual([
      'counter packets 7 bytes 77 drop',
    ])
    await again.close()
    const flushed = await openHost(host, { state, existingRules: 'flush' })
    expect(await flushed.userRules.inbound.list()).toEqual([])
    expect(await flushed.userRules.forward.list()).toEqual([])
  })

  it('may be filled before there is a network, and outlive the last one', async () => {
    const { host } = await createMachines()
    const bridgeHost = await openHost(host)
    await bridgeHost.userRules.inbound.append(onlyFrom('8.8.8.8'))
    expect(await nft(host.namespace, 'list', 'ruleset')).toBe('')
    const text = 'iifname "uplink" ip saddr != 8.8.8.8 drop'
    for (let round = 0; round < 2; round += 1) {
      const network = await bridgeHost.createNetwork({ name: 'br0' })
      expect(await nft(host.namespace, 'list chain inet nfbridge user_inbound')).toContain(text)
      await network.destroy()
      expect(await nft(host.namespace, 'list', 'ruleset')).toBe('')
    }
    expect((await bridgeHost.userRules.inbound.list()).map((rule) => rule.text)).toEqual([text])
  })

  it('are refused with the place of what is wrong, with a network and before there is one', async () => {
    const { host } = await createMachines()
    const bridgeHost = await openHost(host)
    const { forward } = bridgeHost.userRules
    const twice = { accept: null, drop: null }
    const refused = async (): Promise<void> => {
      await expect(forward.append([{ counter: null }, twice])).rejects.toMatchObject({
        code: 'NFB_INVALID_ARGUMENT',
        operation: 'UserRuleChain.append',
        path: 'rule[1].drop',
      })
      await expect(forward.insert(0, { expr: [twice], comment: 'x' })).rejects.toMatchObject({
        code: 'NFB_INVALID_ARGUMENT',
        path: 'rule.expr[0].drop',
      })
      expect(await forward.list()).toEqual([])
    }
    await refused()
    await bridgeHost.createNetwork({ name: 'br0' })
    await refused()
    // What only the kernel, or the compiler, knows to be wrong.
    const left = { payload: { protocol: 'ip', field: 'saddr' } } as const
    const expr = [{ match: { op: '==', left, right: 'nobody' } }] as const
    await expect(forward.append({ expr })).rejects.toMatchObject({ path: 'rule.expr[0].match.right' })
    await expect(forward.append(expr)).rejects.toMatchObject({ path: 'rule[0].match.right' })
  })

  it('survive a reboot', async () => {
    const state = await stateDirectory()
    const before = await createSetting([], {}, { state })
    await before.bridgeHost.userRules.inbound.append(onlyFrom('8.8.8.8'))
    await nft(before.host.namespace, 'add rule inet nfbridge user drop')
    await before.bridgeHost.close()
    const { host } = await createMachines()
    const bridgeHost = await openHost(host, { state, netnsChanged: 'accept' })
    expect(await bridgeHost.userRules.inbound.list()).toHaveLength(1)
    expect((await bridgeHost.userRules.forward.list()).map(({ text }) => text)).toEqual(['drop'])
  })

  it("bring what they refer to: the users' own chains, sets and counters, after a flush, a destroy and a reboot", async () => {
    const state = await stateDirectory()
    const { host, outside, attach, machine, bridgeHost, network } = await createSetting(
      ['web'],
      {},
      { state },
    )
    await attach('web', { publish: ['8080:80'] })
    await machine('web').serveTcp(80)
    await nft(
      host.namespace,
      [
        'add counter inet nfbridge hits',
        `add set inet nfbridge friends { type ipv4_addr; flags interval; elements = { ${OUTSIDE}, 10.0.0.0/8 } }`,
        'add chain inet nfbridge mine',
        'add map inet nfbridge ways { type inet_proto : verdict; elements = { tcp : goto mine } }',
        'add rule inet nfbridge mine ip saddr @friends counter name hits return',
        'add rule inet nfbridge mine drop',
        'add rule inet nfbridge user_inbound iifname "uplink" meta l4proto vmap @ways',
        'add rule inet nfbridge user_inbound oifname @bridges counter',
      ].join('; '),
    )
    const names = [
      'chain inet nfbridge mine',
      'set inet nfbridge friends',
      'map inet nfbridge ways',
      'chain inet nfbridge user_inbound',
    ]
    const stands = async (namespace = host.namespace): Promise<string[]> => {
      const texts = await Promise.all(names.map((name) => nft(namespace, `list ${name}`)))
      return texts.map((text) => text.replaceAll(/packets \d+ bytes \d+/g, ''))
    }
    const before = await stands()
    await bridgeHost.close()
    const again = await openHost(host, { state })
    expect(await stands()).toEqual(before)
    await nft(host.namespace, 'flush ruleset')
    await again.container('web')?.publish('8081:80')
    expect(await stands()).toEqual(before)
    await expectReached(outside, HOST, 8081, OUTSIDE)
    await nft(host.namespace, `delete element inet nfbridge friends { ${OUTSIDE} }`)
    expect(await outside.probeTcp(HOST, 8081, { timeoutMs: SILENCE_MS })).toEqual({ outcome: 'timeout' })
    await again.network(network.name)?.destroy()
    await again.createNetwork({ name: 'docker0', subnet: '172.17.0.0/16' })
    const changed = await stands()
    expect(changed).toEqual(before.map((text) => text.replace(`10.0.0.0/8, ${OUTSIDE}`, '10.0.0.0/8')))
    expect(changed).not.toEqual(before)
    await again.close()
    const rebooted = await createMachines()
    await openHost(rebooted.host, { state, netnsChanged: 'accept' })
    expect(await stands(rebooted.host.namespace)).toEqual(changed)
  })

  it('are not there without a firewall, and say so', async () => {
    const { host } = await createMachines()
    const bridgeHost = await openHost(host, { firewall: false })
    await expect(bridgeHost.userRules.inbound.append([{ drop: null }])).rejects.toMatchObject({
      code: 'NFB_SETTING_CONFLICT',
    })
  })
})
