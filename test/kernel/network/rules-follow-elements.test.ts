import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type BridgeHost, type Namespace, NfbridgeError } from '../../../src/index.js'
import { nft } from '../../support/tools.js'
import { changeANetwork, cleanUp, createMachines, openHost } from './setting.js'

const SEED = Number(process.env.NFBRIDGE_SEED ?? Math.floor(Math.random() * 2 ** 31))
const CALLS = 30
/** On a busy machine fewer calls are made. */
const LIMIT_MS = 15_000

/** Whole numbers below a limit, the same for the same seed. */
function randomBelow(seed: number): (limit: number) => number {
  let state = (seed % 2147483646) + 1
  return (limit) => {
    state = (state * 48271) % 2147483647
    return state % limit
  }
}

const networks = [
  { name: 'br0', subnet: '10.1.0.0/24', icc: false },
  { name: 'br1', pools: [{ subnet: '10.2.0.0/24' }, { subnet: 'fd00:2::/64' }], bridges: 2, icc: false },
  { name: 'br2', subnet: '10.3.0.0/24', tracking: true },
] as const

type Call = readonly [name: string, call: (host: BridgeHost) => Promise<unknown> | undefined]

function callsOf(
  below: (limit: number) => number,
  places: ReadonlyMap<string, Namespace>,
): { readonly beginning: readonly Call[]; readonly all: readonly Call[] } {
  const oneOf = <T>(values: readonly T[]): T | undefined => values[below(values.length)]
  const half = (): boolean => below(2) === 0
  const network = (host: BridgeHost) => oneOf(host.networks)
  const container = (host: BridgeHost) => oneOf(host.containers)
  const attach: Call = [
    'attach',
    (host) => {
      const [name = '', netns] = oneOf([...places]) ?? []
      if (!netns) return undefined
      const links = half() ? host.containers.slice(0, 1).map((each) => each.name) : []
      return network(host)?.attach({
        name,
        netns: netns.path(),
        expose: [80],
        links,
        allowForgedSource: half(),
      })
    },
  ]
  const create: Call = ['createNetwork', (host) => host.createNetwork(oneOf(networks) ?? networks[0])]
  const all: Call[] = [
    attach,
    attach,
    create,
    create,
    ['destroy', (host) => (half() ? network(host)?.destroy() : undefined)],
    ['detach', (host) => container(host)?.detach()],
    ['connect', (host) => container(host)?.connect(network(host) ?? '')],
    ['publish', (host) => container(host)?.publish(oneOf(['8080:80', '8000-8003:80-83/udp', '81']) ?? '82')],
    [
      'unpublish',
      (host) => {
        const from = container(host)
        return from?.unpublish(oneOf(from.published) ?? '8080:80')
      },
    ],
    ['link', (host) => container(host)?.link(container(host)?.name ?? '')],
    ['link', (host) => container(host)?.link(container(host)?.name ?? '')],
    ['unlink', (host) => container(host)?.unlink(container(host)?.name ?? '')],
    ['update icc', (host) => network(host)?.update({ icc: half() })],
    ['update tracking', (host) => network(host)?.update({ tracking: half() })],
    ['userRules.append', (host) => host.userRules.forward.append([{ counter: null }])],
    ['userRules.delete', (host) => host.userRules.forward.delete(0)],
  ]
  return { beginning: [create, attach, create], all }
}

it('after any calls those rules stand that the elements need, as in a host that is opened anew', async () => {
  const names = ['a', 'b', 'c']
  const { host, machines } = await createMachines(...names)
  const places = new Map(
    names.flatMap((name) => {
      const machine = machines.get(name)
      return machine ? [[name, machine.namespace] as const] : []
    }),
  )
  const state = mkdtempSync(join(tmpdir(), 'nfbridge-rules-'))
  cleanUp(async () => rmSync(state, { recursive: true, force: true }))
  let bridgeHost = await openHost(host, { state, bridgeNetfilter: 'off' })
  const { beginning, all: calls } = callsOf(randomBelow(SEED), places)
  const below = randomBelow(SEED + 1)
  const made: string[] = []
  const told = (): string => `seed ${SEED}: ${made.join(', ')}`
  const seen = new Set<string>()
  const end = performance.now() + LIMIT_MS
  for (let count = 0; count < CALLS && performance.now() < end; count += 1) {
    const [name, call] = beginning[count] ?? calls[below(calls.length)] ?? ['', () => undefined]
    made.push(name)
    try {
      await call(bridgeHost)
    } catch (error) {
      // Many are refused: a name that is taken, a rule that is not there.
      if (!(error instanceof NfbridgeError)) throw error
      made[made.length - 1] = `${name} (${error.code})`
      expect(error.remaining, told()).toEqual([])
      expect(error.code, `${told()}: ${error.message}`).not.toBe('NFB_INTERNAL')
    }
    expect(await bridgeHost.check(), told()).toEqual([])
    seen.add(await chainsOf(host.namespace))
    // Counted from what stands, it would hide what went astray before.
    if (count % 10 === 9) bridgeHost = await expectAlikeAnew(bridgeHost)
  }
  await expectAlikeAnew(bridgeHost)
  expect(seen.size, told()).toBeGreaterThan(2)

  async function expectAlikeAnew(former: BridgeHost): Promise<BridgeHost> {
    await changeANetwork(former)
    const stands = await chainsOf(host.namespace)
    await former.close()
    await nft(host.namespace, 'flush ruleset')
    const anew = await openHost(host, { state, bridgeNetfilter: 'off' })
    expect(stands, told()).toBe(await chainsOf(host.namespace))
    return anew
  }
})

it('the only container of a host finds its rules when it comes again, and a change of a network takes those that nobody needs', async () => {
  const { host, machines } = await createMachines('web')
  const bridgeHost = await openHost(host)
  const network = await bridgeHost.createNetwork({ name: 'br0', subnet: '10.1.0.0/24', icc: false })
  const without = await rulesOf(host.namespace)
  const netns = machines.get('web')?.namespace
  if (!netns) throw new Error('there is no machine web')
  const attach = () => network.attach({ name: 'web', netns, expose: [80], publish: ['8080:80'] })
  const web = await attach()
  const needed = await rulesOf(host.namespace)
  expect(needed).not.toEqual(without)
  await web.detach()
  expect(await rulesOf(host.namespace)).toEqual(needed)
  expect(await bridgeHost.check()).toEqual([])
  // The handles say that no rule was sent again.
  await attach()
  expect(await rulesOf(host.namespace)).toEqual(needed)
  await bridgeHost.container('web')?.detach()
  await changeANetwork(bridgeHost)
  expect(withoutHandles(await rulesOf(host.namespace))).toEqual(withoutHandles(without))
  expect(await bridgeHost.check()).toEqual([])
})

/** Every rule with its handle. */
async function rulesOf(host: Namespace): Promise<string[]> {
  const lines = (await nft(host, '-a', '-t', 'list', 'ruleset')).split('\n')
  return lines.filter((line) => / # handle \d+$/.test(line)).map((line) => line.trim())
}

function withoutHandles(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/ # handle \d+$/, ''))
}

/** The chains of the tables with their rules, and the sets with what we put into them. */
function chainsOf(host: Namespace): Promise<string> {
  return nft(host, '-s', 'list', 'ruleset')
}
