import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Machine, PATIENCE_MS, SILENCE_MS } from '../../../lab/machine.js'
import { HostKernel } from '../../../src/network/apply/host-kernel.js'
import { match, type Statement, verdict } from '../../../src/nft/index.js'
import { Rtnl } from '../../../src/rtnl/index.js'
import { nft } from '../../support/tools.js'
import {
  cleanUp,
  createMachines,
  createSetting,
  expectBlocked,
  expectReached,
  openHost,
  type Setting,
} from './setting.js'

/** Frames within a bridge meet the users' rules only where the bridge asks for it. */
const OFF = { bridgeNetfilter: 'off' } as const

const webPort: Statement[] = [match.tcp.dport.eq(80), verdict.drop()]
const ofUplink: Statement[] = [match.iifname.eq('uplink'), match.tcp.dport.eq(80), verdict.drop()]

/** Whether bridges of a host ask for br_netfilter, in both families. */
async function asking(host: Machine, ...bridges: string[]): Promise<Record<string, boolean | undefined>> {
  const rtnl = await Rtnl.open({ netns: host.namespace })
  try {
    const links = await rtnl.links.list()
    return Object.fromEntries(
      bridges.map((name) => {
        const { nfCallIptables, nfCallIp6tables } = links.find((link) => link.name === name)?.bridge ?? {}
        return [name, nfCallIptables === nfCallIp6tables ? nfCallIptables : undefined]
      }),
    )
  } finally {
    rtnl.close()
  }
}

/** Becomes so while the host does nothing but hear of what others commit. */
const expectAsking = (host: Machine, expected: Record<string, boolean>): Promise<void> =>
  expect.poll(() => asking(host, ...Object.keys(expected)), { timeout: PATIENCE_MS }).toEqual(expected)

async function twoContainers(
  state?: string,
): Promise<Setting & { readonly web: string; readonly app: string }> {
  const setting = await createSetting(['web', 'app'], {}, { ...OFF, ...(state !== undefined && { state }) })
  const web = await setting.attach('web')
  const app = await setting.attach('app')
  await setting.machine('web').serveTcp(80)
  return { ...setting, web: web.address, app: app.address }
}

async function stateDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'nfbridge-'))
  cleanUp(() => rm(path, { recursive: true }))
  return path
}

describe('a rule of the users that can concern what passes within a network', () => {
  it('holds for it when the call that adds it resolves, and costs nothing when it has gone', async () => {
    const { host, machine, bridgeHost, web, app } = await twoContainers()
    await expectReached(machine('app'), web, 80, app)
    expect(await asking(host, 'docker0')).toEqual({ docker0: false })
    const { forward } = bridgeHost.userRules
    await forward.append(webPort)
    expect(await asking(host, 'docker0')).toEqual({ docker0: true })
    await expectBlocked(machine('app'), web, 80)
    await forward.delete(0)
    expect(await asking(host, 'docker0')).toEqual({ docker0: false })
    await expectReached(machine('app'), web, 80, app)
    await forward.append([{ counter: null }])
    await forward.insert(0, ofUplink)
    expect(await asking(host, 'docker0')).toEqual({ docker0: true })
    await forward.flush()
    expect(await asking(host, 'docker0')).toEqual({ docker0: false })
  })

  it('holds when another tool has written it, as soon as the host has heard of it', async () => {
    const { host, machine, web, app } = await twoContainers()
    for (const chain of ['user', 'user_inbound']) {
      await nft(host.namespace, `add rule inet nfbridge ${chain} tcp dport 80 drop`)
      await expectAsking(host, { docker0: true })
      // A bridge asks a little before the elements say so.
      const outcome = async () => (await machine('app').probeTcp(web, 80, { timeoutMs: SILENCE_MS })).outcome
      await expect.poll(outcome, { timeout: PATIENCE_MS }).toBe('timeout')
      await nft(host.namespace, `flush chain inet nfbridge ${chain}`)
      await expectAsking(host, { docker0: false })
      await expectReached(machine('app'), web, 80, app)
    }
  })

  it('is looked for by a call that finds that somebody else has committed', async () => {
    const { watchOthers } = HostKernel.prototype
    // Deaf to events.
    HostKernel.prototype.watchOthers = async () => undefined
    cleanUp(() => Object.assign(HostKernel.prototype, { watchOthers }))
    const { host, bridgeHost } = await twoContainers()
    await nft(host.namespace, 'add rule inet nfbridge user tcp dport 80 drop')
    await bridgeHost.container('web')?.publish(['8080:80'])
    expect(await asking(host, 'docker0')).toEqual({ docker0: true })
    await nft(host.namespace, 'flush chain inet nfbridge user')
    await bridgeHost.container('web')?.unpublish(['8080:80'])
    expect(await asking(host, 'docker0')).toEqual({ docker0: false })
  })

  it('is not one that requires an interface which is none of our bridges', async () => {
    const { host, machine, bridgeHost, web, app } = await twoContainers()
    await bridgeHost.userRules.forward.append(ofUplink)
    await bridgeHost.userRules.inbound.append([match.iifname.eq('up*'), verdict.drop()])
    await nft(host.namespace, 'add rule inet nfbridge user oifname { "uplink", "eth9" } counter drop')
    // Told after it, and looked at no earlier.
    await nft(host.namespace, 'add rule inet nfbridge user_inbound counter')
    await expectAsking(host, { docker0: true })
    await nft(host.namespace, 'delete rule inet nfbridge user_inbound handle', await lastHandle(host))
    await expectAsking(host, { docker0: false })
    await expectReached(machine('app'), web, 80, app)
  })
})

describe('what stands when a network or a host comes', () => {
  it('a network made while rules stand asks at once, and one that has tracking of its own asks in any case', async () => {
    const { host, bridgeHost } = await twoContainers()
    await bridgeHost.createNetwork({ name: 'tracked', subnet: '10.1.0.0/24', tracking: true })
    await bridgeHost.userRules.inbound.append(webPort)
    await bridgeHost.createNetwork({ name: 'later', subnet: '10.2.0.0/24' })
    const all = ['docker0', 'tracked', 'later']
    expect(await asking(host, ...all)).toEqual({ docker0: true, tracked: true, later: true })
    await bridgeHost.userRules.inbound.flush()
    expect(await asking(host, ...all)).toEqual({ docker0: false, tracked: true, later: false })
  })

  it('a rule that names the bridge of a network that is made later, or destroyed', async () => {
    const { host, bridgeHost } = await twoContainers()
    await bridgeHost.userRules.forward.append([match.iifname.eq('later'), ...webPort])
    expect(await asking(host, 'docker0')).toEqual({ docker0: false })
    const later = await bridgeHost.createNetwork({ name: 'later', subnet: '10.2.0.0/24' })
    expect(await asking(host, 'docker0', 'later')).toEqual({ docker0: true, later: true })
    await later.destroy()
    expect(await asking(host, 'docker0')).toEqual({ docker0: false })
  })

  it('rules are remembered without a network, and hold with the first', async () => {
    const { host, machines } = await createMachines('web', 'app')
    const bridgeHost = await openHost(host, OFF)
    await bridgeHost.userRules.forward.append(webPort)
    const network = await bridgeHost.createNetwork({ name: 'docker0', subnet: '172.17.0.0/16' })
    expect(await asking(host, 'docker0')).toEqual({ docker0: true })
    const [web, app] = [machines.get('web'), machines.get('app')]
    if (!web || !app) throw new Error('no machines')
    const { address } = await network.attach({ name: 'web', netns: web.namespace })
    await network.attach({ name: 'app', netns: app.namespace })
    await web.serveTcp(80)
    await expectBlocked(app, address, 80)
  })

  it('an open takes over what was written or deleted while no host was open', async () => {
    const state = await stateDirectory()
    const { host, machine, bridgeHost, web, app } = await twoContainers(state)
    await bridgeHost.close()
    await nft(host.namespace, 'add rule inet nfbridge user tcp dport 80 drop')
    // Nobody hears of it: what docs/user-rules.md says of a host that is closed.
    await expectReached(machine('app'), web, 80, app)
    const second = await openHost(host, { ...OFF, state })
    expect(await asking(host, 'docker0')).toEqual({ docker0: true })
    await expectBlocked(machine('app'), web, 80)
    await second.close()
    await nft(host.namespace, 'flush chain inet nfbridge user')
    const third = await openHost(host, { ...OFF, state })
    expect(await asking(host, 'docker0')).toEqual({ docker0: false })
    await third.userRules.forward.append(webPort)
    await third.close()
    const fourth = await openHost(host, { ...OFF, state })
    expect(await asking(host, 'docker0')).toEqual({ docker0: true })
    await expectBlocked(machine('app'), web, 80)
    await fourth.close()
    await openHost(host, { ...OFF, state, existingRules: 'flush' })
    expect(await asking(host, 'docker0')).toEqual({ docker0: false })
    await expectReached(machine('app'), web, 80, app)
  })

  it('rules of one host are no matter of another in the same namespace', async () => {
    const { host, bridgeHost } = await twoContainers()
    const other = await openHost(host, { name: 'other' })
    await other.createNetwork({ name: 'other0', subnet: '10.3.0.0/24' })
    await other.userRules.forward.append(webPort)
    expect(await asking(host, 'docker0', 'other0')).toEqual({ docker0: false, other0: true })
    await bridgeHost.userRules.forward.append(webPort)
    await other.userRules.forward.flush()
    expect(await asking(host, 'docker0', 'other0')).toEqual({ docker0: true, other0: false })
  })
})

/** The handle of the rule in `user_inbound`. */
async function lastHandle(host: Machine): Promise<string> {
  const text = await nft(host.namespace, '-a', 'list', 'chain', 'inet', 'nfbridge', 'user_inbound')
  const handle = /counter packets .* handle (\d+)/.exec(text)?.[1]
  if (handle === undefined) throw new Error(`no handle in ${text}`)
  return handle
}
