import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Machine, SILENCE_MS } from '../../../lab/machine.js'
import { Nft } from '../../../src/nft/index.js'
import { testMachines } from '../../support/machines.js'
import { ip, ipJson, nft } from '../../support/tools.js'
import {
  cleanUp,
  createMachines,
  expectReached,
  failureOf,
  keepSending,
  openHost,
  type Setting,
} from './setting.js'
import { stateOf } from './state.js'

/** A host with a state directory, two linked containers and a published port. */
async function createStanding(): Promise<
  Pick<Setting, 'host' | 'outside' | 'machine'> & { state: string; before: string }
> {
  const state = mkdtempSync(join(tmpdir(), 'nfbridge-'))
  cleanUp(async () => rmSync(state, { recursive: true, force: true }))
  const { host, outside, machines } = await createMachines('web', 'app')
  const before = await stateOf(host.namespace)
  const bridgeHost = await openHost(host, { state })
  const machine = (name: string): Machine => {
    const found = machines.get(name)
    if (!found) throw new Error(name)
    return found
  }
  const network = await bridgeHost.createNetwork({ name: 'docker0', subnet: '172.17.0.0/16', icc: false })
  await network.attach({
    name: 'web',
    netns: machine('web').namespace,
    expose: ['80/tcp', '53/udp'],
    publish: ['8080:80'],
  })
  await network.attach({ name: 'app', netns: machine('app').namespace, links: ['web:db'] })
  await machine('web').serveTcp(80)
  await machine('web').serveUdp(53)
  await bridgeHost.close()
  return { host, outside, machine, state, before }
}

describe('another open with the same state directory', () => {
  it('adopts what stands: open connections go on, everything is known, nothing changes', async () => {
    const { host, outside, machine, state } = await createStanding()
    const linked = await machine('app').holdTcp('172.17.0.2', 80)
    const published = await outside.holdTcp('203.0.113.1', 8080)
    const before = await stateOf(host.namespace)
    const adopted = await openHost(host, { state })
    expect(await linked.send('still')).toBe('echo')
    expect(await published.send('still')).toBe('echo')
    expect(sorted(await stateOf(host.namespace))).toBe(sorted(before))
    expect(adopted.lost).toEqual([])
    expect(adopted.container('app')).toMatchObject({
      address: '172.17.0.3',
      links: [{ alias: 'db', container: 'web' }],
    })
    expect(adopted.network('docker0')).toMatchObject({ icc: false, subnet: '172.17.0.0/16' })
    await adopted.container('app')?.unlink('web')
    expect(await linked.send('gone', { timeoutMs: SILENCE_MS })).toBe('timeout')
    const [third] = await testMachines(['third'])
    const container = await adopted.network('docker0')?.attach({ netns: third.namespace })
    expect(container?.address).toBe('172.17.0.4')
  })

  it('puts its rules in the place of those of an earlier version: nobody notices, and the rules of users stay', async () => {
    const { host, outside, machine, state } = await createStanding()
    for (const words of ['add chain inet nfbridge own', 'add rule inet nfbridge own ip saddr 192.0.2.1 drop'])
      await nft(host.namespace, words)
    await nft(host.namespace, 'add rule inet nfbridge user iifname uplink jump own')
    const rules = await nft(host.namespace, 'list', 'ruleset')
    const linked = await machine('app').holdTcp('172.17.0.2', 80)
    const published = await outside.holdTcp('203.0.113.1', 8080)
    await becomeEarlierVersion(host)
    expect(await nft(host.namespace, 'list', 'ruleset')).toContain('chain loopback')
    // Where every bridge shows its frames to table inet, a datagram can meet the map `icc` when it is deleted already.
    await host.namespace.writeSysctl('net.bridge.bridge-nf-call-iptables', '0')
    const asking = await machine('app').holdUdp('172.17.0.2', 53)
    expect(await asking.send('first')).toBe('echo')
    const stillThere = keepSending(asking)
    await openHost(host, { state })
    expect(await stillThere()).toEqual({ lost: 0 })
    // Who asked whom goes with its time, and was not there before.
    for (const table of ['inet', 'bridge'])
      await nft(host.namespace, 'flush', 'set', table, 'nfbridge', 'asked')
    expect(await nft(host.namespace, 'list', 'ruleset')).toBe(rules)
    for (const connection of [linked, published]) expect(await connection.send('still')).toBe('echo')
  })

  it('forgets and reports what is gone, and what named it', async () => {
    const { host, machine, outside, state } = await createStanding()
    const line = (await ip(host.namespace, '-br', 'link', 'show', 'master', 'docker0')).split('\n')[0] ?? ''
    const name = line.split('@')[0] ?? ''
    await ip(host.namespace, 'link', 'del', name)
    const adopted = await openHost(host, { state })
    expect(adopted.lost.map((each) => each.name)).toEqual(['web'])
    expect(adopted.container('web')).toBeUndefined()
    expect(adopted.container('app')?.links).toEqual([])
    expect(await nft(host.namespace, 'list', 'ruleset')).not.toContain('172.17.0.2')
    expect((await outside.probeTcp('203.0.113.1', 8080)).outcome).toBe('refused')
    // Nobody has the address now: a silence, or ARP's word that there is no such host.
    expect((await machine('app').probeTcp('172.17.0.2', 80, { timeoutMs: SILENCE_MS })).outcome).toMatch(
      /^(timeout|unreachable)$/,
    )
    await adopted.destroy()
  })

  it('makes rules and bridges again that somebody removed', async () => {
    const { host, outside, state } = await createStanding()
    await nft(host.namespace, 'flush', 'ruleset')
    await openHost(host, { state })
    await expectReached(outside, '203.0.113.1', 8080, '203.0.113.2')
    await ip(host.namespace, 'link', 'del', 'docker0')
  })

  it('removes an interface that a killed call left', async () => {
    const { host, state } = await createStanding()
    const [first] = JSON.parse(await ip(host.namespace, '-j', 'link', 'show', 'master', 'docker0')) as {
      group: string
    }[]
    const group = ['group', String(first?.group)]
    await ip(host.namespace, 'link', 'add', 'veth-left', ...group, 'master', 'docker0', 'type', 'veth')
    await ip(host.namespace, 'link', 'add', 'veth-theirs', ...group, 'type', 'veth')
    await openHost(host, { state })
    const left = await ip(host.namespace, '-br', 'link')
    expect(left).not.toContain('veth-left')
    expect(left).toContain('veth-theirs')
  })

  it('makes a bridge again that somebody deleted, and gives it its ports back', async () => {
    const { host, machine, outside, state } = await createStanding()
    await ip(host.namespace, 'link', 'del', 'docker0')
    const adopted = await openHost(host, { state })
    expect(adopted.lost).toEqual([])
    await expectReached(machine('app'), '172.17.0.2', 80, '172.17.0.3')
    await expectReached(outside, '203.0.113.1', 8080, '203.0.113.2')
    await adopted.destroy()
  })

  it('mends bridges that somebody set down, whose address or port somebody took', async () => {
    const { host, machine, outside, state } = await createStanding()
    await ip(host.namespace, 'addr', 'flush', 'dev', 'docker0')
    const [port] = await ipJson(host.namespace, 'link', 'show', 'master', 'docker0')
    await ip(host.namespace, 'link', 'set', String(port?.ifname), 'nomaster')
    await ip(host.namespace, 'link', 'set', 'docker0', 'down')
    const adopted = await openHost(host, { state })
    await expectReached(machine('app'), '172.17.0.2', 80, '172.17.0.3')
    await expectReached(outside, '203.0.113.1', 8080, '203.0.113.2')
    await adopted.destroy()
  })

  it('refuses other rules than those that the networks were made with', async () => {
    const { host, state } = await createStanding()
    const before = await stateOf(host.namespace)
    expect(await failureOf(openHost(host, { state, firewall: false }))).toMatchObject({
      code: 'NFB_SETTING_CONFLICT',
      path: 'firewall',
    })
    expect(sorted(await stateOf(host.namespace))).toBe(sorted(before))
  })

  it('refuses another namespace, and changes nothing in either, nor in the directory', async () => {
    const { host, machine, outside, state } = await createStanding()
    const [other] = await testMachines(['other'])
    const before = [await stateOf(host.namespace), await stateOf(other.namespace)]
    const files = textsIn(state)
    const opened = openHost(other, { state, existingRules: 'flush' })
    expect(await failureOf(opened)).toMatchObject({
      code: 'NFB_SETTING_CONFLICT',
      operation: 'BridgeHost.open',
      path: 'netns',
      message: expect.stringContaining(`net:[${host.namespace.inode}]`),
    })
    expect(textsIn(state)).toEqual(files)
    const adopted = await openHost(host, { state })
    expect(adopted.lost).toEqual([])
    expect([await stateOf(host.namespace), await stateOf(other.namespace)].map(sorted)).toEqual(
      before.map(sorted),
    )
    await expectReached(machine('app'), '172.17.0.2', 80, '172.17.0.3')
    await expectReached(outside, '203.0.113.1', 8080, '203.0.113.2')
  })

  it("with netnsChanged: 'accept' makes the networks anew in another namespace, and is of that from then on", async () => {
    const { host, state } = await createStanding()
    const [other] = await testMachines(['other'])
    const moved = await openHost(other, { state, netnsChanged: 'accept' })
    expect(moved.networks.map(({ name }) => name)).toEqual(['docker0'])
    expect(moved.lost.map(({ name }) => name).sort()).toEqual(['app', 'web'])
    await moved.close()
    expect(await failureOf(openHost(host, { state }))).toMatchObject({ code: 'NFB_SETTING_CONFLICT' })
    await openHost(other, { state })
  })

  it('takes another namespace of another boot as it is, as does a directory of a version that did not remember it', async () => {
    const { state } = await createStanding()
    const file = join(state, 'host', 'settings.json')
    const [json = ''] = readFileSync(file, 'utf8').split('\n')
    const settings = JSON.parse(json)
    const [rebooted, older] = await testMachines(['rebooted', 'older'])
    writeFileSync(file, JSON.stringify({ ...settings, netns: { ...settings.netns, boot: 'another' } }))
    await (await openHost(rebooted, { state })).close()
    const { netns, ...others } = settings
    expect(netns).toBeDefined()
    writeFileSync(file, JSON.stringify(others))
    const opened = await openHost(older, { state })
    expect(opened.networks.map(({ name }) => name)).toEqual(['docker0'])
  })

  it('with ipForward: false gives forwarding back all the same', async () => {
    const { host, state, before } = await createStanding()
    const adopted = await openHost(host, { state, ipForward: false })
    await adopted.destroy()
    expect(await stateOf(host.namespace)).toBe(before)
  })

  it('after a kill does not hand out an address that was freed while another was never used', async () => {
    const { host, machine, state } = await createStanding()
    const second = await openHost(host, { state })
    const [third] = await testMachines(['third'])
    expect((await second.network('docker0')?.attach({ netns: third.namespace }))?.address).toBe('172.17.0.4')
    await second.container('app')?.detach()
    // Not closed, as if it was killed here: what an earlier close remembered of the pool would be out of date.
    const copy = `${state}-copy`
    cleanUp(async () => rmSync(copy, { recursive: true, force: true }))
    cpSync(state, copy, { recursive: true })
    const killed = await openHost(host, { state: copy })
    expect((await killed.network('docker0')?.attach({ netns: machine('app').namespace }))?.address).toBe(
      '172.17.0.5',
    )
  })

  it('and destroy gives back what the first open changed', async () => {
    const { host, state, before } = await createStanding()
    const adopted = await openHost(host, { state })
    await adopted.destroy()
    expect(await stateOf(host.namespace)).toBe(before)
    const empty = await openHost(host, { state })
    expect(empty.networks).toEqual([])
  })
})

/** What the files of a directory hold, by their paths. */
function textsIn(directory: string): Record<string, string> {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
  return Object.fromEntries(files.map((file) => [file, readFileSync(file, 'utf8')]))
}

function sorted(text: string): string {
  return text.split('\n').sort().join('\n')
}

/** The same tables as a former version would have them: under its name, and with a chain that there is no more. */
async function becomeEarlierVersion({ namespace }: Machine): Promise<void> {
  const nfTables = await Nft.open({ netns: namespace })
  cleanUp(() => nfTables.close())
  const { nftables } = await nfTables.list()
  const transaction = nfTables.transaction()
  for (const object of nftables) if ('table' in object) transaction.delete(object)
  for (const object of nftables) {
    if ('table' in object) transaction.add({ table: { ...object.table, comment: 'nfbridge rules 3' } })
  }
  // Elements lead to chains.
  for (const object of nftables) if ('chain' in object) transaction.add(object)
  for (const object of nftables) {
    if ('table' in object || 'chain' in object) continue
    if (!('rule' in object)) transaction.add(object)
    else {
      // With its handle it would stand behind the rule that has it.
      const { handle: _, ...rule } = object.rule
      transaction.add({ rule })
    }
  }
  const owner = { family: 'inet', table: 'nfbridge' } as const
  // One of that version.
  const chain = { ...owner, name: 'loopback', type: 'filter', hook: 'prerouting', prio: -300 } as const
  transaction.add({ chain })
  const saddr = { payload: { protocol: 'ip', field: 'saddr' } } as const
  const match = { op: '==', left: saddr, right: '192.0.2.7' } as const
  transaction.add({ rule: { ...owner, chain: chain.name, expr: [{ match }, { drop: null }] } })
  await transaction.commit()
}
