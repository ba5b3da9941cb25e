import { describe, expect, it } from 'vitest'
import { Catalog, Evaluator, environmentOf, type NamespaceState } from '../../../src/explain/index.js'
import { bridgeFindings } from '../../../src/network/check/bridges.js'
import type { CheckFacts } from '../../../src/network/check/facts.js'
import { settingFindings } from '../../../src/network/check/settings.js'
import { unseenUserRules } from '../../../src/network/check/unseen-user-rules.js'
import { planNetwork } from '../../../src/network/plan/network.js'
import { parseHostOptions, parseNetworkOptions } from '../../../src/network/plan/network-settings.js'
import { Registry } from '../../../src/network/plan/registry.js'
import { match, type Statement, verdict } from '../../../src/nft/index.js'
import type { Link } from '../../../src/rtnl/index.js'
import { BARE } from './view-fixtures.js'

interface Machine {
  readonly ports?: number
  readonly backlog?: number
  readonly tracking?: boolean
}

/** What a kernel test can't bring about: settings of the whole machine, a module that is missing, a thousand ports. */
function facts(
  sysctls: Readonly<Record<string, string>>,
  { ports = 0, backlog, tracking = false }: Machine = {},
): CheckFacts {
  const host = parseHostOptions({})
  const registry = new Registry()
  const network = planNetwork(
    registry,
    parseNetworkOptions({ name: 'docker0', subnet: '172.17.0.0/16', tracking }, host),
    BARE,
  )
  registry.apply({ networks: new Map([[network.name, network]]) })
  const links: Link[] = [
    link(2, 'docker0', { kind: 'bridge', bridge: { nfCallIptables: true, nfCallIp6tables: true } }),
  ]
  for (let index = 0; index < ports; index += 1) links.push(link(10 + index, `port${index}`, { master: 2 }))
  const listed = { links, addresses: [], routes: [], rules: [] }
  const state: NamespaceState = {
    name: 'the host',
    generation: 1,
    ...listed,
    rules: [],
    neighbours: [],
    fdb: [],
    evaluator: new Evaluator(new Catalog({ nftables: [], generation: 1 }), environmentOf(listed)),
    lookup: () => Promise.reject(new Error('not asked for')),
    sysctl: async (name) => sysctls[name],
  }
  return {
    state,
    table: host.name,
    tables: { nftables: [], generation: 1 },
    conditions: { sets: new Set() },
    ofOthers: [],
    gatewaysOfOthers: [],
    registry,
    settings: host,
    legacyTables: [],
    backlog,
  }
}

function link(index: number, name: string, more: Partial<Link>): Link {
  return {
    index,
    name,
    mtu: 1500,
    up: true,
    lowerUp: true,
    state: 'up',
    flags: 0,
    group: 0,
    record: {},
    ...more,
  }
}

const healthy = {
  'net/bridge/bridge-nf-call-iptables': '0',
  'net/bridge/bridge-nf-call-ip6tables': '0',
  'net/ipv4/ip_forward': '1',
  'net/ipv4/conf/docker0/forwarding': '1',
  'net/ipv4/conf/all/rp_filter': '1',
  'net/ipv4/conf/docker0/rp_filter': '1',
  'net/netfilter/nf_conntrack_count': '17',
  'net/netfilter/nf_conntrack_max': '262144',
}

describe('findings about the machine as a whole', () => {
  it('are none where all is well', async () => {
    expect(await settingFindings(facts(healthy))).toEqual([])
  })

  it('br_netfilter is missing', async () => {
    const { 'net/bridge/bridge-nf-call-iptables': _, ...without } = healthy
    expect(await settingFindings(facts(without))).toEqual([])
    expect(await settingFindings(facts(without, { tracking: true }))).toMatchObject([
      {
        code: 'br-netfilter-missing',
        severity: 'error',
        remedy: expect.stringContaining('`modprobe br_netfilter`'),
      },
    ])
  })

  it('rules of the users that see nothing of what they concern', async () => {
    const { 'net/bridge/bridge-nf-call-iptables': _, ...without } = healthy
    const found = async (chain: string, expr: Statement[], machine: Machine = {}) => {
      const tables = {
        nftables: [{ rule: { family: 'inet', table: 'nfbridge', chain, expr } as const }],
        generation: 1,
      }
      return unseenUserRules({ ...facts(without, machine), tables })
    }
    const drop = [match.tcp.dport.eq(80), verdict.drop()]
    expect(await found('user_inbound', drop)).toMatchObject([
      {
        code: 'user-rules-unseen',
        severity: 'error',
        subject: 'docker0',
        message: expect.stringContaining('"tcp dport 80 drop"'),
        remedy: expect.stringContaining('`modprobe br_netfilter`'),
      },
    ])
    expect(await found('user', [match.iifname.eq('eth0'), ...drop])).toEqual([])
    expect(await found('mine', drop)).toEqual([])
    // What its bridge asks for, and does not get, is another finding.
    expect(await found('user', drop, { tracking: true })).toEqual([])
    const { tables, ...asking } = facts(healthy)
    const rule = { family: 'inet', table: 'nfbridge', chain: 'user', expr: drop } as const
    expect(await unseenUserRules({ ...asking, tables: { ...tables, nftables: [{ rule }] } })).toMatchObject([
      { remedy: expect.not.stringContaining('modprobe') },
    ])
  })

  it.each([
    ['235929', undefined],
    ['235930', 'warning'],
    ['262144', 'error'],
  ])('with %s of 262144 tracked connections: %s', async (count, severity) => {
    const findings = await settingFindings(facts({ ...healthy, 'net/netfilter/nf_conntrack_count': count }))
    expect(findings.map((each) => each.severity)).toEqual(severity === undefined ? [] : [severity])
    for (const { code, remedy } of findings) {
      expect(code).toBe('conntrack-full')
      expect(remedy).toContain('nf_conntrack_max=524288')
    }
  })

  it.each([
    [1000, []],
    [
      1001,
      [
        '`sysctl -w net.core.netdev_max_backlog=1024` (on the machine, not in a namespace), or make the network with more bridges',
      ],
    ],
  ])('a bridge with %d ports and a backlog of 1000', (ports, remedies) => {
    const found = bridgeFindings(facts(healthy, { ports, backlog: 1000 })).filter(
      ({ code }) => code === 'backlog-small',
    )
    expect(found.map(({ remedy }) => remedy)).toEqual(remedies)
  })
})
