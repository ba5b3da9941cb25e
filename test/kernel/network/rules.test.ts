import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createNamespaces } from '../../support/machines.js'
import { nft, nftJson } from '../../support/tools.js'
import { createSetting } from './setting.js'

const GOLDEN = new URL('./ruleset.golden', import.meta.url)

describe('the rules', () => {
  it('are what docs/rules.md shows, as nft prints them', async () => {
    const { host, attach } = await createSetting(['web', 'app'], { icc: false }, { offload: false })
    await attach('web', {
      id: 'aaaaaaaaaaaa',
      expose: ['80/tcp'],
      publish: ['8080:80', '203.0.113.1:5353:53/udp'],
    })
    await attach('app', { id: 'bbbbbbbbbbbb', links: ['web:db'] })
    const printed = inOrder(await nft(host.namespace, 'list', 'ruleset'))
    if (process.env.UPDATE_GOLDEN) writeFileSync(GOLDEN, printed)
    expect(printed).toBe(readFileSync(GOLDEN, 'utf8'))
    expect(readFileSync(new URL('../../../docs/rules.md', import.meta.url), 'utf8')).toContain(printed.trim())
  })

  it('are as many with sixty containers, links and ports as with none', async () => {
    const { host, network } = await createSetting([], { icc: false })
    const count = async (): Promise<number> =>
      (await nftJson(host.namespace, 'list', 'ruleset')).filter((item) => 'rule' in item || 'chain' in item)
        .length
    const none = await count()
    const namespaces = await createNamespaces(60)
    const containers = await network.attachAll(
      namespaces.map((netns, index) => ({
        name: `c${index}`,
        netns,
        expose: ['80/tcp', '443/tcp'],
        publish: [`${8000 + index}:80`],
        links: index === 0 ? [] : [`c${index - 1}`],
      })),
    )
    expect(containers).toHaveLength(60)
    expect(await count()).toBe(none)
    const elements = JSON.stringify(await nftJson(host.namespace, 'list', 'set', 'inet', 'nfbridge', 'links'))
    expect(elements.match(/"concat"/g)).toHaveLength(118)
  })
})

/** A hash set lists its elements in an order of its own, another one each time. */
function inOrder(ruleset: string): string {
  return ruleset.replace(/elements = \{ ([^}]*) \}/g, (_, elements: string) => {
    const sorted = elements.split(/,\s*/).sort()
    return `elements = { ${sorted.join(',\n\t\t\t     ')} }`
  })
}
