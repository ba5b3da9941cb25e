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
      maxConnections: 1000,
      id: 'aaaaaaaaaaaa',
      expose: ['80/tcp'],
      publish: ['8080:80', '203.0.113.1:5353:53/udp'],
    })
    await attach('app', { id: 'bbbbbbbbbbbb', links: ['web:db'], maxConnections: 16_384 })
    const printed = inOrder(await nft(host.namespace, 'list', 'ruleset'))
    if (process.env.UPDATE_GOLDEN) writeFileSync(GOLDEN, printed)
    expect(printed).toBe(readFileSync(GOLDEN, 'utf8'))
    expect(readFileSync(new URL('../../../docs/rules.md', import.meta.url), 'utf8')).toContain(printed.trim())
  })

  it('are as many with sixty containers, links and ports as with two', async () => {
    const { host, network, attach } = await createSetting(['web', 'app'], { icc: false })
    await attach('web', { expose: ['80/tcp'], publish: ['7999:80'] })
    await attach('app', { links: ['web'] })
    const count = async (): Promise<number> =>
      (await nftJson(host.namespace, 'list', 'ruleset')).filter((item) => 'rule' in item || 'chain' in item)
        .length
    const two = await count()
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
    expect(await count()).toBe(two)
    const elements = JSON.stringify(await nftJson(host.namespace, 'list', 'set', 'inet', 'nfbridge', 'links'))
    expect(elements.match(/"concat"/g)).toHaveLength(119)
  })

  it('stand only while there is something for them, and are whole at each step', async () => {
    const { host, bridgeHost, network, attach } = await createSetting(['web', 'app'])
    const forward = async (): Promise<string> =>
      (await nft(host.namespace, 'list', 'table', 'bridge', 'nfbridge')).includes('chain forward')
        ? 'forward'
        : ''
    const rest = async (chain: string, family = 'bridge'): Promise<string[]> =>
      (await nft(host.namespace, 'list', 'chain', family, 'nfbridge', chain))
        .split('\n')
        .map((line) => line.trim())
        .filter((line) =>
          /@(tracked_ports|isolated_ports|(?:closed_)?forging_ports|closed_macs|to_host)\b/.test(line),
        )
    const stand = async () => {
      expect(await bridgeHost.check()).toEqual([])
      return {
        forward: await forward(),
        onward: await rest('onward'),
        senders: await rest('senders'),
        unchecked: await rest('unchecked'),
        untracked: await rest('untracked', 'inet'),
        input: await rest('input', 'inet'),
      }
    }
    const nothing = { forward: '', onward: [], senders: [], unchecked: [], untracked: [], input: [] }
    expect(await stand()).toEqual(nothing)
    const web = await attach('web')
    expect(await stand()).toEqual(nothing)
    await network.update({ icc: false })
    const closed = {
      ...nothing,
      forward: 'forward',
      untracked: ['iifname . ether daddr @closed_macs accept'],
    }
    expect(await stand()).toEqual(closed)
    const app = await attach('app', { allowForgedSource: true })
    const forging = {
      ...closed,
      senders: [
        'iifname @closed_forging_ports ether type != { ip, arp, ip6 } drop',
        'iifname @closed_forging_ports icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } jump neighbour_discovery',
        'iifname @closed_forging_ports icmpv6 type nd-router-solicit jump router_solicitations',
      ],
      unchecked: ['iifname @forging_ports goto onward'],
    }
    expect(await stand()).toEqual(forging)
    await app.detach()
    // They go with the next change of a network.
    expect(await stand()).toEqual(forging)
    await network.update({ tracking: true })
    expect(await stand()).toEqual({
      ...nothing,
      forward: 'forward',
      onward: ['meta pkttype other iifname @tracked_ports accept'],
    })
    await network.update({ tracking: false })
    expect(await stand()).toEqual(closed)
    await web.detach()
    const internal = await bridgeHost.createNetwork({ name: 'inner', internal: true })
    expect((await stand()).input).toHaveLength(1)
    await internal.destroy()
    expect(await stand()).toEqual(nothing)
  })
})

/** A hash set lists its elements in an order of its own, another one each time. */
function inOrder(ruleset: string): string {
  return ruleset.replace(/elements = \{ ([^}]*) \}/g, (_, elements: string) => {
    const sorted = elements.split(/,\s*/).sort()
    return `elements = { ${sorted.join(',\n\t\t\t     ')} }`
  })
}
