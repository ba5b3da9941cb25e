import { describe, expect, it } from 'vitest'
import { answerLimit, type Machine } from '../../../lab/machine.js'
import { explainPath, type Sender } from '../../../src/explain/index.js'
import type { NetworkOptions } from '../../../src/index.js'
import { createSetting } from '../network/setting.js'
import { readWorld } from './setting.js'

/** What the explanation says and what the packets do, for each pair of machines on each port; equal where it is right. */
async function bothAnswers(
  host: Machine,
  machines: readonly Machine[],
  targets: readonly string[],
  ports: readonly number[],
): Promise<{ said: string[]; happened: string[] }> {
  const { world, states } = await readWorld({ host }, machines)
  const said: string[] = []
  const happened: string[] = []
  for (const from of [host, ...machines]) {
    const state = states.get(from.name)
    if (!state) throw new Error(from.name)
    const sender: Sender = { kind: 'namespace', state }
    await Promise.all(
      targets.flatMap((to) =>
        ports.map(async (port) => {
          const probe = `${from.name} to ${to} ${port}: `
          const explanation = await explainPath(world, { from: sender, to, protocol: 'tcp', port })
          const outcome = await from.probeTcp(to, port, {
            timeoutMs: answerLimit(explanation.reached === true),
          })
          const { reached, target, seen, because } = explanation
          const got = outcome.outcome === 'reached'
          const agree = got
            ? target?.namespace === outcome.server && seen === outcome.seen
            : reached === false
          happened.push(`${probe}${got ? `${outcome.server} sees ${outcome.seen}` : 'not reached'}`)
          said.push(
            `${probe}${reached === true ? `${target?.namespace} sees ${seen}` : reached === false ? 'not reached' : reached}${agree ? '' : ` (${because})`}`,
          )
        }),
      ),
    )
  }
  return { said, happened }
}

describe.each<[string, Partial<NetworkOptions>]>([
  ['icc: true', { icc: true }],
  ['icc: false', { icc: false }],
])('the networks of this library, %s', (_, options) => {
  it('are explained as their packets go: links, publications, other networks, outside', async () => {
    const setting = await createSetting(['web', 'app', 'far'], options)
    const { attach, bridgeHost, host, outside, machine, network } = setting
    const web = await attach('web', { expose: ['80/tcp'], publish: ['8080:80'] })
    const app = await attach('app', { links: ['web:db'] })
    const other = await bridgeHost.createNetwork({ name: 'other', subnet: '172.19.0.0/24' })
    const far = await attach('far', {}, other)
    const machines = [outside, ...['web', 'app', 'far'].map(machine)]
    // The published port of the host is taken: by this library.
    for (const each of [host, ...machines])
      for (const port of each === host ? [80, 81] : [80, 81, 8080]) await each.serveTcp(port)
    const targets = [web, app, far].map(({ address }) => String(address))
    targets.push(String(network.gateway), '203.0.113.1', '203.0.113.2', '127.0.0.1')
    const { said, happened } = await bothAnswers(host, machines, targets, [80, 81, 8080])
    expect(said).toEqual(happened)
    expect(happened.some((each) => each.endsWith('not reached'))).toBe(true)
    expect(happened.some((each) => each.includes(' sees '))).toBe(true)
  })
})
