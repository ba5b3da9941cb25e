import { describe, expect, it } from 'vitest'
import { runIn } from '../../support/tools.js'
import { createSetting, type Setting } from './setting.js'

const iptables = ({ host }: Setting, ...words: string[]): Promise<string> =>
  runIn(host.namespace, 'iptables', words)

describe('base chains of iptables-nft, which count what meets their policy', () => {
  it.each([
    ['DROP', false],
    ['ACCEPT', true],
  ])('policy %s: packets, explain and check agree', async (policy, passes) => {
    const setting = await createSetting(['web'])
    const { attach, bridgeHost, machine, outside } = setting
    await attach('web')
    await outside.serveTcp(80)
    await iptables(setting, '-P', 'FORWARD', policy)
    const probe = await machine('web').probeTcp('203.0.113.2', 80, { timeoutMs: passes ? 5000 : 700 })
    expect(probe.outcome === 'reached').toBe(passes)
    const explanation = await bridgeHost.explain({ from: 'web', to: '203.0.113.2', port: 80 })
    expect(explanation.reached).toBe(passes)
    const findings = (await bridgeHost.check()).filter(({ code }) => code === 'foreign-chain-drops')
    expect(findings.map(({ subject }) => subject)).toEqual(passes ? [] : ['ip filter FORWARD'])
    if (!passes) expect(explanation.decisive).toMatchObject({ kind: 'foreign-chain' })
  })
})
