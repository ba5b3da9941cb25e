/** Somebody empties our tables, chains and sets, or takes single rules and elements: the next change makes them again. */
import { describe, expect, it } from 'vitest'
import { nft } from '../../support/tools.js'
import { createSetting, expectBlocked, expectReached, type Setting } from './setting.js'

const HOST = '203.0.113.1'
const OUTSIDE = '203.0.113.2'

/** Our tables as nft prints them. */
async function tables({ host }: Pick<Setting, 'host'>): Promise<string> {
  const inet = await nft(host.namespace, '-n', 'list', 'table', 'inet', 'nfbridge')
  return inet + (await nft(host.namespace, '-n', 'list', 'table', 'bridge', 'nfbridge'))
}

async function standing(): Promise<Setting & { readonly change: () => Promise<unknown> }> {
  const setting = await createSetting(['web', 'app'], { icc: false })
  const web = await setting.attach('web', { publish: ['8080:80', '9000-9010:9000-9010/udp'], expose: [81] })
  await setting.attach('app', { links: ['web'] })
  await setting.machine('web').serveTcp(80)
  return {
    ...setting,
    // There and back: afterwards all is as it was before.
    change: async () => {
      await web.expose('99')
      await web.unexpose('99')
    },
  }
}

const commands: readonly string[] = [
  'flush table inet nfbridge',
  'flush table bridge nfbridge',
  'flush chain inet nfbridge to_container',
  'flush chain inet nfbridge forward',
  'flush chain bridge nfbridge senders',
  'flush set inet nfbridge bridges',
  'flush map inet nfbridge icc',
  'flush map inet nfbridge publish_any',
  'flush set inet nfbridge published_ranges',
  'flush set bridge nfbridge senders',
  'delete element inet nfbridge bridges { "docker0" }',
]

describe('the next change after', () => {
  it.each(commands)('nft %s makes again what is missing', async (command) => {
    const setting = await standing()
    const before = await tables(setting)
    await nft(setting.host.namespace, command)
    // (control) It is missing, and nobody makes it again by himself.
    expect(await tables(setting)).not.toBe(before)
    expect((await setting.bridgeHost.check()).length).toBeGreaterThan(0)
    await setting.change()
    expect(await tables(setting)).toBe(before)
    expect(await setting.bridgeHost.check()).toEqual([])
    await expectReached(setting.outside, HOST, 8080, OUTSIDE)
    await expectBlocked(setting.machine('app'), '172.17.0.2', 99)
  })

  it('the deletion of a single rule', async () => {
    const setting = await standing()
    const before = await tables(setting)
    const listed = await nft(setting.host.namespace, '-a', 'list', 'chain', 'inet', 'nfbridge', 'outbound')
    const handle = /drop # handle (\d+)/.exec(listed)?.[1]
    await nft(setting.host.namespace, `delete rule inet nfbridge outbound handle ${handle}`)
    expect(await tables(setting)).not.toBe(before)
    await setting.change()
    expect(await tables(setting)).toBe(before)
  })
})

describe("the users' rules", () => {
  const rule = { expr: [{ counter: null }, { accept: null }], comment: 'mine' }

  it('come back with a table that was emptied as a whole', async () => {
    const setting = await standing()
    await setting.bridgeHost.userRules.forward.insert(0, rule.expr)
    await nft(setting.host.namespace, 'flush table inet nfbridge')
    await setting.change()
    expect(await setting.bridgeHost.userRules.forward.list()).toMatchObject([
      { expr: [{ counter: {} }, rule.expr[1]] },
    ])
  })

  it('are put into tables that are whole', async () => {
    const setting = await standing()
    const before = await tables(setting)
    await nft(setting.host.namespace, 'flush table inet nfbridge')
    await setting.bridgeHost.userRules.forward.insert(0, rule.expr)
    await setting.bridgeHost.userRules.forward.delete(0)
    expect(await tables(setting)).toBe(before)
  })

  it('stay gone when somebody empties their chain, and stay when somebody empties one of ours', async () => {
    const setting = await standing()
    await setting.bridgeHost.userRules.forward.insert(0, rule.expr)
    await setting.bridgeHost.userRules.inbound.insert(0, rule.expr)
    await nft(setting.host.namespace, 'flush chain inet nfbridge user')
    await nft(setting.host.namespace, 'flush chain inet nfbridge forward')
    await setting.change()
    expect(await setting.bridgeHost.userRules.forward.list()).toEqual([])
    expect(await setting.bridgeHost.userRules.inbound.list()).toHaveLength(1)
  })
})

it('costs a change nothing while nobody else commits, and is made up for by one transaction more', async () => {
  const { bridgeHost, host } = await standing()
  const web = bridgeHost.container('web')
  const transactions = async (work: () => Promise<unknown>): Promise<number> => {
    const before = bridgeHost.statistics.transactions
    await work()
    return bridgeHost.statistics.transactions - before
  }
  expect(await transactions(async () => web?.expose('99'))).toBe(1)
  expect(await transactions(async () => web?.publish('8090:80'))).toBe(1)
  // Others commit something else: the first is refused, and all is found whole.
  await nft(host.namespace, 'add table inet other')
  expect(await transactions(async () => web?.unexpose('99'))).toBe(2)
  expect(await transactions(async () => web?.unpublish('8090:80'))).toBe(1)
})
