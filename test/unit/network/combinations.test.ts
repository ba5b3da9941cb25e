import { describe, expect, it } from 'vitest'
import { parseAddress } from '../../../src/address/index.js'
import { NfbridgeError } from '../../../src/errors.js'
import { Catalog } from '../../../src/explain/catalog.js'
import type { Environment } from '../../../src/explain/environment.js'
import { Evaluator } from '../../../src/explain/evaluate.js'
import { isPair } from '../../../src/explain/lookup.js'
import { type Packet, tracked } from '../../../src/explain/packet.js'
import type {
  ForwardPolicy,
  GatewayMode,
  Isolation,
  LinkMode,
  NetworkOptions,
} from '../../../src/network/options.js'
import { planAttach } from '../../../src/network/plan/attach.js'
import { parseContainerOptions } from '../../../src/network/plan/container-settings.js'
import { elementsOf, everything } from '../../../src/network/plan/elements.js'
import { hostPolicy } from '../../../src/network/plan/policy.js'
import {
  addressOf,
  type ContainerRecord,
  type Family,
  type NetworkRecord,
} from '../../../src/network/plan/records.js'
import { Registry } from '../../../src/network/plan/registry.js'
import { DEFAULT_TABLE } from '../../../src/network/rules/names.js'
import { rulesetObjects, userChainObjects } from '../../../src/network/rules/ruleset.js'
import { elementObjects } from '../../../src/network/rules/sets.js'
import type { Element, ListedObject } from '../../../src/nft/index.js'
import { link } from '../explain/fixtures.js'
import { freePorts } from './fixtures.js'
import { plan } from './view-fixtures.js'

/** What is tried in every combination with all others. */
interface Combination {
  readonly icc: boolean
  readonly internal: boolean
  readonly isolation: Isolation
  readonly mode: GatewayMode
  readonly masquerade: 'yes' | 'no' | 'except' | 'snat'
  readonly linkMode: LinkMode
  readonly direct: 'no' | 'allowed' | 'trusted'
  readonly policy: ForwardPolicy
  readonly bridges: number
}

const VALUES: { readonly [Option in keyof Combination]: readonly Combination[Option][] } = {
  icc: [true, false],
  internal: [false, true],
  isolation: ['none', 'default', 'strict'],
  mode: ['nat', 'nat-unprotected', 'routed', 'isolated'],
  masquerade: ['yes', 'no', 'except', 'snat'],
  linkMode: ['stateful', 'stateless'],
  direct: ['no', 'allowed', 'trusted'],
  // Forwarding counts as turned on by us: `auto` and `drop` are one.
  policy: ['auto', 'accept'],
  bridges: [1, 2],
}

const OUTSIDE = { 4: '203.0.113.2', 6: '2001:db8:113::2' } as const
const HOST = { 4: '203.0.113.1', 6: '2001:db8:113::1' } as const
const SNAT = { 4: '203.0.113.77', 6: '2001:db8:113::77' } as const
const ELSEWHERE = { 4: '198.51.100.7', 6: '2001:db8:51::7' } as const

function* combinations(): Generator<Combination> {
  for (const icc of VALUES.icc)
    for (const internal of VALUES.internal)
      for (const isolation of VALUES.isolation)
        for (const mode of VALUES.mode)
          for (const masquerade of VALUES.masquerade)
            for (const linkMode of VALUES.linkMode)
              for (const direct of VALUES.direct)
                for (const policy of VALUES.policy)
                  for (const bridges of VALUES.bridges)
                    yield { icc, internal, isolation, mode, masquerade, linkMode, direct, policy, bridges }
}

function networkOptions(combination: Combination): NetworkOptions {
  const { icc, internal, isolation, mode, masquerade, linkMode, direct, bridges } = combination
  return {
    name: 'br0',
    pools: [{ subnet: '172.17.0.0/16' }, { subnet: 'fd00:17::/64' }],
    icc,
    isolation,
    linkMode,
    bridges,
    ...(internal && { internal }),
    gatewayMode: mode,
    ...(masquerade === 'no' && { masquerade: false }),
    ...(masquerade === 'except' && { masquerade: { except: ['203.0.113.0/24', '2001:db8:113::/64'] } }),
    ...(masquerade === 'snat' && { masquerade: { snat: [SNAT[4], SNAT[6]] } }),
    ...(direct === 'allowed' && { allowDirectRouting: true }),
    ...(direct === 'trusted' && { trustedInterfaces: ['uplink'] }),
  }
}

/** The planned host: `web`, its linked client `app` and the stranger `top` on br0, `other` on a network of its own. */
class Planned {
  readonly #records = new Map<string, ContainerRecord>()
  readonly #networks: readonly NetworkRecord[]
  readonly #evaluator: Evaluator
  readonly #links = new Map(
    [link(1, 'lo'), link(2, 'uplink'), link(3, 'lan')].map((each) => [each.name, each]),
  )

  constructor(combination: Combination) {
    const network = plan(networkOptions(combination))
    const others = plan({
      name: 'br9',
      pools: [{ subnet: '172.19.0.0/16' }, { subnet: 'fd00:19::/64' }],
    })
    this.#networks = [network, others]
    const registry = new Registry()
    registry.apply({
      networks: new Map(this.#networks.map((each) => [each.name, each])),
      policy: hostPolicy(combination.policy, [4, 6], registry.policy),
    })
    const publishes = !combination.internal && combination.mode !== 'isolated'
    this.#attach(registry, network, 'web', { expose: ['80'], ...(publishes && { publish: ['8080:81'] }) })
    this.#attach(registry, network, 'app', { links: ['web'] })
    this.#attach(registry, network, 'top', {})
    this.#attach(registry, others, 'other', {})
    for (const [index, name] of this.#networks.flatMap(({ bridges }) => bridges).entries()) {
      this.#links.set(name, link(10 + index, name, { kind: 'bridge' }))
    }
    const elements = elementObjects(DEFAULT_TABLE, [...elementsOf(registry, everything(registry)).values()])
    this.#evaluator = new Evaluator(
      new Catalog({ generation: 1, nftables: listed(elements.map(({ element }) => element)) }),
      this.#environment(),
    )
  }

  address(name: string, family: Family): string {
    const endpoint = this.#records.get(name)?.endpoints[0]
    return String(endpoint && addressOf(endpoint, family))
  }

  /** Whether a new connection passes prerouting, forward and postrouting; and under which address. */
  passes(
    from: string,
    to: { readonly address: string; readonly port?: number; readonly sourcePort?: number },
    family: Family,
  ): { readonly reached: boolean; readonly seen: string } {
    const source = this.#records.has(from) ? this.address(from, family) : from
    const layer = family === 4 ? 'ip' : 'ip6'
    const packet: Packet = {
      family: layer,
      inputDevice: this.#towards(source),
      source,
      destination: to.address,
      protocol: to.port === undefined ? (family === 4 ? 1 : 58) : 6,
      ...(to.port === undefined
        ? { icmpType: family === 4 ? 8 : 128, icmpCode: 0 }
        : { sourcePort: to.sourcePort ?? 40_000, destinationPort: to.port, tcpFlags: 2 }),
      mark: 0,
    }
    const arrived = this.#evaluator.hook({ layer, hook: 'prerouting' }, tracked(packet))
    const local = Object.values(HOST).some((each) => each === arrived.packet.destination)
    if (arrived.verdict !== 'accept' || local) return { reached: false, seen: '' }
    const routed = { ...arrived.packet, outputDevice: this.#towards(arrived.packet.destination) }
    const forwarded = this.#evaluator.hook({ layer, hook: 'forward' }, routed)
    if (forwarded.verdict !== 'accept')
      return { reached: false, seen: forwarded.verdict === 'unknown' ? 'unknown' : '' }
    const sent = this.#evaluator.hook({ layer, hook: 'postrouting' }, forwarded.packet)
    return { reached: sent.verdict === 'accept', seen: sent.packet.source }
  }

  #attach(registry: Registry, network: NetworkRecord, name: string, options: object): void {
    const settings = parseContainerOptions({ netns: { pid: 1 }, name, ...options }, '')
    const attached = planAttach(registry, network, [settings], true, freePorts())
    registry.apply(attached.change)
    for (const record of attached.containers) this.#records.set(name, record)
  }

  #towards(address: string) {
    const pool = this.#networks
      .flatMap(({ pools }) => pools)
      .find(({ subnet }) => subnet.contains(parseAddress(address)))
    const elsewhere = Object.values(ELSEWHERE).some((each) => each === address)
    const found = this.#links.get(pool?.bridge ?? (elsewhere ? 'lan' : 'uplink'))
    if (!found) throw new Error(`no link towards ${address}`)
    return found
  }

  #environment(): Environment {
    return {
      addressType: (address) => (Object.values(HOST).some((each) => each === address) ? 'local' : 'unicast'),
      deviceTowards: (address) => this.#towards(address),
      deviceAddress: (_, family) => (family === 'ip' ? HOST[4] : HOST[6]),
      linkNamed: (name) => this.#links.get(name),
    }
  }
}

/** The ruleset as a listing would have it, with elements in its sets. */
function listed(elements: readonly Element[]): ListedObject[] {
  const sets = new Set(elements.map(({ name }) => name))
  const objects = [...userChainObjects(DEFAULT_TABLE), ...rulesetObjects(DEFAULT_TABLE, { sets })]
  return objects.flatMap((object): ListedObject[] => {
    if ('chain' in object || 'rule' in object) return [object]
    if ('set' in object) {
      const elem = elements.find(({ name }) => name === object.set.name)?.elem ?? []
      return [{ set: { ...object.set, elem: elem.flatMap((each) => (isPair(each) ? [] : [each])) } }]
    }
    if (!('map' in object)) return []
    const elem = elements.find(({ name }) => name === object.map.name)?.elem ?? []
    return [{ map: { ...object.map, elem: elem.filter(isPair) } }]
  })
}

interface Question {
  readonly what: string
  readonly reached: boolean
  readonly answer: { readonly reached: boolean; readonly seen: string }
  readonly seen?: string
}

/** What Docker's documentation, netavark's and issue 4 say of each way, against what the rules do. */
function questions(c: Combination, planned: Planned, family: Family): Question[] {
  const at = (name: string): string => planned.address(name, family)
  const ask = (from: string, address: string, port?: number, sourcePort?: number) =>
    planned.passes(
      from,
      { address, ...(port !== undefined && { port }), ...(sourcePort !== undefined && { sourcePort }) },
      family,
    )
  const closed = c.internal || c.mode === 'isolated'
  const translating = c.mode === 'nat' || c.mode === 'nat-unprotected'
  const unprotected = c.policy === 'accept' || c.mode === 'nat-unprotected'
  const publishedDirectly = unprotected || c.mode === 'routed' || c.direct !== 'no'
  const apart = c.internal || c.isolation === 'strict'
  const openBetween = c.mode === 'nat-unprotected'
  const outward = c.masquerade === 'yes' ? HOST[family] : c.masquerade === 'snat' ? SNAT[family] : at('web')
  const elsewhere = c.masquerade === 'except' ? HOST[family] : outward
  const same: Question[] = [
    { what: 'neighbour, port', reached: c.icc, answer: ask('top', at('web'), 80), seen: at('top') },
    { what: 'neighbour, icmp', reached: c.icc, answer: ask('top', at('web')) },
    { what: 'linked, exposed port', reached: true, answer: ask('app', at('web'), 80), seen: at('app') },
    { what: 'linked, published port', reached: c.icc || !closed, answer: ask('app', at('web'), 81) },
    { what: 'linked, other port', reached: c.icc, answer: ask('app', at('web'), 82) },
    { what: 'linked, icmp', reached: c.icc, answer: ask('app', at('web')) },
    {
      what: 'back from the linked port',
      reached: c.icc || c.linkMode === 'stateless',
      answer: ask('web', at('app'), 5555, 80),
    },
    { what: 'back from another port', reached: c.icc, answer: ask('web', at('app'), 5555, 79) },
  ]
  const outgoing: Question[] = [
    {
      what: 'outward',
      reached: !closed,
      answer: ask('web', OUTSIDE[family], 80),
      seen: translating ? outward : at('web'),
    },
    {
      what: 'outward, elsewhere',
      reached: !closed,
      answer: ask('web', ELSEWHERE[family], 80),
      seen: translating ? elsewhere : at('web'),
    },
    {
      what: 'to another network',
      reached: !closed && c.isolation === 'none',
      answer: ask('web', at('other'), 80),
      seen: at('web'),
    },
  ]
  const incoming: Question[] = [
    {
      what: 'outside, published',
      reached: !closed && translating,
      answer: ask(OUTSIDE[family], HOST[family], 8080),
      seen: OUTSIDE[family],
    },
    {
      what: 'outside, published port directly',
      reached: !closed && publishedDirectly,
      answer: ask(OUTSIDE[family], at('web'), 81),
    },
    {
      what: 'outside, other port directly',
      reached: !closed && unprotected,
      answer: ask(OUTSIDE[family], at('web'), 80),
    },
    {
      what: 'outside, icmp directly',
      reached: !closed && (unprotected || c.mode === 'routed'),
      answer: ask(OUTSIDE[family], at('web')),
    },
    {
      what: 'another network, published',
      reached: !closed && translating,
      answer: ask('other', HOST[family], 8080),
      seen: at('other'),
    },
    {
      what: 'another network, published port directly',
      reached:
        !apart && (c.isolation === 'none' || openBetween || c.mode === 'routed' || c.direct === 'allowed'),
      answer: ask('other', at('web'), 81),
    },
    {
      what: 'another network, other port directly',
      reached: !apart && (c.isolation === 'none' || openBetween),
      answer: ask('other', at('web'), 80),
    },
    {
      what: 'neighbour, by the host',
      reached: !closed && translating,
      answer: ask('top', HOST[family], 8080),
      seen: HOST[family],
    },
    {
      what: 'itself, by the host',
      reached: !closed && translating,
      answer: ask('web', HOST[family], 8080),
      seen: HOST[family],
    },
  ]
  const foreign: Question = {
    what: 'through the host, nothing of ours',
    reached: c.policy === 'accept',
    answer: ask(OUTSIDE[family], ELSEWHERE[family], 80),
    seen: OUTSIDE[family],
  }
  return [...same, ...outgoing, ...incoming, foreign]
}

describe('every combination of options', () => {
  it('is refused as contradictory, or leads to rules that do what the documentation says', () => {
    const wrong: string[] = []
    const refused = new Set<string>()
    let planned = 0
    for (const combination of combinations()) {
      let host: Planned
      try {
        host = new Planned(combination)
      } catch (error) {
        if (!(error instanceof NfbridgeError) || error.code !== 'NFB_SETTING_CONFLICT') throw error
        refused.add(`${error.path}: ${error.reason}`)
        continue
      }
      planned += 1
      for (const family of [4, 6] as const) {
        for (const { what, reached, seen, answer } of questions(combination, host, family)) {
          if (answer.reached === reached && (!reached || seen === undefined || answer.seen === seen)) continue
          wrong.push(`${JSON.stringify(combination)} IPv${family} ${what}: ${JSON.stringify(answer)}`)
        }
      }
    }
    expect(wrong.slice(0, 5)).toEqual([])
    expect(planned).toBeGreaterThan(800)
    expect([...refused].sort()).toMatchSnapshot()
  })
})
