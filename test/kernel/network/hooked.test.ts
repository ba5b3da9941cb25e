/** Our tables with rules that are whole, and not asked, or not as they should be: dormant, other policies, chains of others. */
import { expect, it } from 'vitest'
import { nft } from '../../support/tools.js'
import { createSetting, expectReached } from './setting.js'

const HOST = '203.0.113.1'
const OUTSIDE = '203.0.113.2'

const commands: readonly (readonly [command: string, says: string])[] = [
  ['add table inet nfbridge { flags dormant; }', 'the table inet nfbridge is dormant'],
  ['add table bridge nfbridge { flags dormant; }', 'the table bridge nfbridge is dormant'],
  ['add chain inet nfbridge forward { policy drop; }', 'the policy of our chain inet forward is drop'],
  ['add chain inet nfbridge input { policy drop; }', 'the policy of our chain inet input is drop'],
]

it.each(commands)('nft %s is found, and mended by the next change', async (command, says) => {
  const { bridgeHost, host, attach, machine, outside } = await createSetting(['web'])
  const web = await attach('web', { publish: ['8080:80'] })
  await machine('web').serveTcp(80)
  const asked = { from: OUTSIDE, to: HOST, port: 8080 } as const
  // (control)
  expect(await bridgeHost.check()).toEqual([])
  expect((await bridgeHost.explain(asked)).target?.namespace).toBe('web')
  await nft(host.namespace, command)
  const findings = await bridgeHost.check()
  expect(findings[0]).toMatchObject({ code: 'rules-changed', severity: 'error' })
  expect(findings.map(({ message }) => message).join('\n')).toContain(says)
  if (command.includes('inet nfbridge { flags'))
    expect((await bridgeHost.explain(asked)).because).toContain('inet nfbridge is dormant')
  await web.publish('8090:80')
  expect(await bridgeHost.check()).toEqual([])
  await expectReached(outside, HOST, 8080, OUTSIDE)
})

it('a base chain of somebody in our table is told, and stays', async () => {
  const { bridgeHost, host, attach } = await createSetting(['web'])
  const web = await attach('web')
  await nft(host.namespace, 'add chain inet nfbridge theirs { type filter hook forward priority 5; }')
  const told = (await bridgeHost.check()).filter(({ code }) => code === 'rules-changed')
  expect(told).toMatchObject([{ subject: 'inet theirs', severity: 'error' }])
  await web.publish('8090:80')
  expect(await nft(host.namespace, 'list', 'table', 'inet', 'nfbridge')).toContain('chain theirs')
})

it('explain says that our table is gone', async () => {
  const { bridgeHost, host, attach } = await createSetting(['web'])
  await attach('web', { publish: ['8080:80'] })
  await nft(host.namespace, 'delete table inet nfbridge')
  const { because } = await bridgeHost.explain({ from: OUTSIDE, to: HOST, port: 8080 })
  expect(because).toContain('inet nfbridge is gone')
})

it('explain names a rule that somebody put into a chain of ours, and not what our own rules are for', async () => {
  const { bridgeHost, host, attach } = await createSetting(['web'])
  await attach('web', { publish: ['8080:80'] })
  await nft(host.namespace, 'insert rule inet nfbridge forward drop')
  const { reached, because } = await bridgeHost.explain({ from: OUTSIDE, to: HOST, port: 8080 })
  expect({ reached, because }).toEqual({
    reached: false,
    because: 'somebody put the rule "drop" into our chain inet forward, and it stops this',
  })
  await nft(host.namespace, 'flush chain inet nfbridge forward')
  await nft(host.namespace, 'add chain inet nfbridge own')
  await nft(host.namespace, 'add rule inet nfbridge own drop')
  await nft(host.namespace, 'add rule inet nfbridge user jump own')
  await nft(host.namespace, 'add rule inet nfbridge forward jump user')
  // A chain that a user made is not ours.
  const own = await bridgeHost.explain({ from: OUTSIDE, to: HOST, port: 8080 })
  expect(own).toMatchObject({ reached: false, decisive: { chain: 'own' } })
  expect(own.because).not.toContain('our chain')
})
