/** What a container fills its own namespace with, and how much of it `explain` and `check` read. */
import { describe, expect, it } from 'vitest'
import { Nft } from '../../../src/nft/index.js'
import { Rtnl } from '../../../src/rtnl/index.js'
import { nftFile, runIn } from '../../support/tools.js'
import { createSetting, failureOf } from './setting.js'

const QUESTION = { from: 'host', to: 'web', port: 80 } as const

/** Every chain jumps twice to the next: so many rules as there are chains, and 2^13 ways through them. */
const JUMPS = Array.from({ length: 13 }, (_, depth) => {
  const jump = depth === 12 ? 'counter' : `jump c${depth + 1}`
  return `chain c${depth} {\n${jump}\n${jump}\n}`
}).toReversed()

describe('a container that fills its own namespace', () => {
  it('with routes is told, and others are answered as before', async () => {
    const { attach, machine, bridgeHost } = await createSetting(['web', 'app'])
    await attach('web')
    await attach('app')
    await addRoutes(machine('web').namespace, 0, 100)
    expect(await bridgeHost.explain(QUESTION)).toMatchObject({ reached: true, assumed: [] })
    expect(await bridgeHost.check()).toEqual([])

    await addRoutes(machine('web').namespace, 100, 50_000)
    const sentence = 'web has more routes in its namespace than are read'
    const answer = await bridgeHost.explain(QUESTION)
    expect(answer).toMatchObject({
      reached: 'unknown',
      assumed: ['web'],
      decisive: { kind: 'unknown', namespace: 'web', value: sentence },
    })
    expect(answer.because).toContain(sentence)
    // A namespace that the caller names is read no further.
    const namespaces = { web: machine('web').namespace }
    expect(await bridgeHost.explain({ ...QUESTION, namespaces })).toMatchObject({ reached: 'unknown' })
    expect(await bridgeHost.explain({ ...QUESTION, to: 'app' })).toMatchObject({ reached: true, assumed: [] })
    expect(await bridgeHost.check()).toMatchObject([{ code: 'inside-too-large', subject: 'web' }])
  })

  it('with rules is told', async () => {
    const { attach, machine, bridgeHost } = await createSetting(['web'])
    await attach('web')
    const { namespace } = machine('web')
    const elements = (from: number, to: number): string =>
      Array.from({ length: to - from }, (_, index) => `${from + index}`).join(', ')
    await nftFile(
      namespace,
      `table ip own { set some { type mark; elements = { ${elements(0, 1_000)} }; }; }`,
    )
    expect(await bridgeHost.explain(QUESTION)).toMatchObject({ reached: true, assumed: [] })
    await nftFile(namespace, `add element ip own some { ${elements(1_000, 100_000)} }`)
    expect(await bridgeHost.check()).toMatchObject([
      { code: 'inside-too-large', message: expect.stringContaining('web has more rules of nftables') },
    ])
  })

  it('with ways through rules without number is not followed through them', async () => {
    const { attach, machine, bridgeHost } = await createSetting(['web'])
    await attach('web')
    const { namespace } = machine('web')
    await nftFile(namespace, `table ip own {\n${JUMPS.join('\n')}\n}`)
    expect(await bridgeHost.explain(QUESTION)).toMatchObject({ reached: true, assumed: [] })
    await nftFile(namespace, 'table ip own { chain in { type filter hook input priority 0; jump c0; }; }')
    const answer = await bridgeHost.explain(QUESTION)
    expect(answer).toMatchObject({ reached: 'unknown', decisive: { kind: 'unknown', namespace: 'web' } })
    expect(answer.because).toContain('more rules than are followed')
    expect((await bridgeHost.check()).map(({ severity }) => severity)).not.toContain('error')
  })
})

describe('a listing limit', () => {
  it('ends listings that have more, and is told where it is wrong', async () => {
    const { machine } = await createSetting(['web'])
    const { namespace } = machine('web')
    using few = await Rtnl.open({ netns: namespace, listingLimit: 1_000_000 })
    expect(await few.links.list()).not.toEqual([])
    using none = await Rtnl.open({ netns: namespace, listingLimit: 100 })
    expect(await failureOf(none.links.list())).toMatchObject({
      code: 'NFB_TOO_LARGE',
      operation: 'rtnl.links.list',
    })
    await nftFile(namespace, 'table ip own { chain c { counter; }; }')
    using rules = await Nft.open({ netns: namespace, listingLimit: 10 })
    expect(await failureOf(rules.list())).toMatchObject({ code: 'NFB_TOO_LARGE' })
    for (const listingLimit of [0, 1.5, 2 ** 31])
      expect(await failureOf(Rtnl.open({ netns: namespace, listingLimit }))).toMatchObject({
        code: 'NFB_INVALID_ARGUMENT',
        path: 'listingLimit',
      })
  })
})

async function addRoutes(namespace: Parameters<typeof runIn>[0], from: number, count: number): Promise<void> {
  const octets = (number: number): string =>
    [number >> 16, number >> 8, number].map((each) => each & 255).join('.')
  const routes = Array.from(
    { length: count },
    (_, index) => `route add 10.${octets(from + index)}/32 via 172.17.0.1\n`,
  )
  await runIn(namespace, 'ip', ['-batch', '-'], routes.join(''))
}
