import { describe, expect, test } from 'vitest'
import { Namespace } from '../../src/netns/index.js'
import { iptablesRule, match, Nft, type Rule, type Statement, toText, verdict } from '../../src/nft/index.js'
import { closeAfterEach } from '../support/namespaces.js'
import { runIn } from '../support/tools.js'

const keep = closeAfterEach()

/** A host with chains of iptables, as Docker makes them. */
async function createHost(): Promise<{ namespace: Namespace; handle: Nft }> {
  const namespace = keep(await Namespace.create())
  const rules =
    '*filter\n:DOCKER-USER - [0:0]\n:DOCKER - [0:0]\n-A FORWARD -j DOCKER-USER\nCOMMIT\n*nat\n:PREROUTING ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\nCOMMIT\n'
  for (const program of ['iptables-restore', 'ip6tables-restore']) await runIn(namespace, program, [], rules)
  return { namespace, handle: keep(await Nft.open({ netns: namespace })) }
}

const compare = (left: object, right: unknown, op = '=='): Statement =>
  ({ match: { op, left, right } }) as Statement
const payload = (protocol: string, field: string): object => ({ payload: { protocol, field } })
const end = { accept: null } as const

interface Case {
  readonly expr: readonly Statement[]
  readonly says: string
  readonly comment?: string
  readonly family?: 'ip' | 'ip6'
  readonly table?: 'nat'
}

/** Rules in our words, and what `iptables -S` says of each. */
const cases: readonly Case[] = [
  { expr: [compare({ meta: { key: 'iifname' } }, 'docker0'), end], says: '-i docker0 -j ACCEPT' },
  {
    expr: [compare({ meta: { key: 'oifname' } }, 'br-*', '!='), { drop: null }],
    says: '! -o br-+ -j DROP',
  },
  {
    expr: [
      compare(payload('ip', 'saddr'), { prefix: { addr: '10.0.0.0', len: 8 } }),
      compare(payload('ip', 'daddr'), '172.17.0.2', '!='),
      end,
    ],
    says: '-s 10.0.0.0/8 ! -d 172.17.0.2/32 -j ACCEPT',
  },
  {
    expr: [compare(payload('ip', 'saddr'), { range: ['10.0.0.1', '10.0.0.9'] }), { return: null }],
    says: '-m iprange --src-range 10.0.0.1-10.0.0.9 -j RETURN',
  },
  { expr: [compare(payload('tcp', 'dport'), 80), end], says: '-p tcp -m tcp --dport 80 -j ACCEPT' },
  {
    expr: [
      compare(payload('udp', 'sport'), { range: [67, 68] }),
      compare(payload('udp', 'dport'), 53, '!='),
      end,
    ],
    says: '-p udp -m udp --sport 67:68 ! --dport 53 -j ACCEPT',
  },
  {
    expr: [compare(payload('tcp', 'dport'), { set: [80, 443, { range: [8000, 8010] }] }), end],
    says: '-p tcp -m multiport --dports 80,443,8000:8010 -j ACCEPT',
  },
  { expr: [compare({ meta: { key: 'l4proto' } }, 'udp', '!='), { drop: null }], says: '! -p udp -j DROP' },
  {
    expr: [compare(payload('icmp', 'type'), 'echo-request'), end],
    says: '-p icmp -m icmp --icmp-type 8 -j ACCEPT',
  },
  {
    expr: [compare({ ct: { key: 'state' } }, ['established', 'related'], 'in'), end],
    says: '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
  },
  {
    expr: [compare({ ct: { key: 'state' } }, 'invalid'), { drop: null }],
    says: '-m conntrack --ctstate INVALID -j DROP',
  },
  {
    expr: [compare({ fib: { result: 'type', flags: 'daddr' } }, 'local'), end],
    says: '-m addrtype --dst-type LOCAL -j ACCEPT',
  },
  {
    expr: [compare({ '&': [{ meta: { key: 'mark' } }, 255] }, 1, '!='), end],
    says: '-m mark ! --mark 0x1/0xff -j ACCEPT',
  },
  {
    expr: [{ limit: { rate: 5, per: 'minute', burst: 7 } }, { log: { prefix: 'a b ' } }],
    says: '-m limit --limit 5/min --limit-burst 7 -j LOG --log-prefix "a b "',
  },
  { expr: [{ reject: null }], says: '-j REJECT --reject-with icmp-port-unreachable' },
  {
    expr: [compare({ meta: { key: 'l4proto' } }, 'tcp'), { reject: { type: 'tcp reset' } }],
    says: '-p tcp -j REJECT --reject-with tcp-reset',
  },
  { expr: [{ jump: { target: 'DOCKER' } }], says: '-j DOCKER' },
  { expr: [end], comment: 'ours, "quoted"', says: '-m comment --comment "ours, \\"quoted\\"" -j ACCEPT' },
  {
    expr: [compare(payload('ip6', 'saddr'), 'fd00::1'), compare(payload('tcp', 'dport'), 80), end],
    family: 'ip6',
    says: '-s fd00::1/128 -p tcp -m tcp --dport 80 -j ACCEPT',
  },
  {
    expr: [compare(payload('icmpv6', 'type'), 'nd-neighbor-solicit'), end],
    family: 'ip6',
    says: '-p ipv6-icmp -m icmp6 --icmpv6-type 135 -j ACCEPT',
  },
  {
    expr: [compare(payload('tcp', 'dport'), 8080), { dnat: { addr: '172.17.0.2', port: 80 } }],
    table: 'nat',
    says: '-p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80',
  },
  {
    expr: [
      compare(payload('ip', 'saddr'), { prefix: { addr: '172.17.0.0', len: 16 } }),
      { masquerade: null },
    ],
    table: 'nat',
    says: '-s 172.17.0.0/16 -j MASQUERADE',
  },
  {
    expr: [compare(payload('tcp', 'dport'), 80), { snat: { addr: { range: ['10.0.0.1', '10.0.0.4'] } } }],
    table: 'nat',
    says: '-p tcp -m tcp --dport 80 -j SNAT --to-source 10.0.0.1-10.0.0.4',
  },
]

describe('a rule in the form of iptables-nft', () => {
  test.each(cases)('$says', async ({ expr, says, comment, family = 'ip', table = 'filter' }) => {
    const { namespace, handle } = await createHost()
    // Where each of the translations may be.
    const chain = table === 'filter' ? 'DOCKER-USER' : says.includes('DNAT') ? 'PREROUTING' : 'POSTROUTING'
    const rule = iptablesRule({ family, table, chain, expr, ...(comment !== undefined && { comment }) })
    await handle.transaction().insert({ rule }).commit()
    const program = family === 'ip6' ? 'ip6tables' : 'iptables'
    const list = (): Promise<string> => runIn(namespace, program, ['-t', table, '-S', chain])
    expect(await list()).toContain(`-A ${chain} ${says}\n`)
    // iptables knows it as one of its own: it saves and restores it, and finds it to delete it.
    const saved = await runIn(namespace, `${program}-save`, [])
    await runIn(namespace, `${program}-restore`, [], saved)
    expect(await list()).toContain(`-A ${chain} ${says}\n`)
    await runIn(namespace, 'sh', ['-c', `${program} -t ${table} -D ${chain} ${says}`])
    expect(await list()).not.toContain(says)
  })

  test('counts, and goes where iptables counts it', async () => {
    const { namespace, handle } = await createHost()
    const expr = [{ counter: { packets: 3, bytes: 400 } }, verdict.accept()]
    await handle
      .transaction()
      .add({ rule: iptablesRule({ family: 'ip', table: 'filter', chain: 'DOCKER-USER', expr }) })
      .commit()
    expect(await runIn(namespace, 'iptables', ['-S', 'DOCKER-USER', '-v'])).toContain('-c 3 400 -j ACCEPT')
  })
})

describe('what iptables has no words for', () => {
  test.each<[string, readonly Statement[], string]>([
    ['a named set', [compare(payload('ip', 'saddr'), '@s'), end], 'expr[0]'],
    [
      'two protocols',
      [compare(payload('tcp', 'dport'), 80), compare(payload('udp', 'dport'), 80)],
      'expr[1]',
    ],
    ['two targets', [{ log: null }, { drop: null }], 'expr[1]'],
    ['a comparison', [compare({ meta: { key: 'mark' } }, 5, '>')], 'expr[0]'],
    ['a queue', [{ queue: null }], 'expr[0]'],
    ['a limit of bytes', [{ limit: { rate: 5, rate_unit: 'mbytes', per: 'second' } }], 'expr[0]'],
  ])('%s is refused, with its path', (_, expr, path) => {
    const rule: Rule = { family: 'ip', table: 'filter', chain: 'INPUT', expr }
    expect(() => iptablesRule(rule)).toThrow(expect.objectContaining({ code: 'NFB_INVALID_ARGUMENT', path }))
  })

  test('a family of which iptables has no tables is refused', () => {
    expect(() => iptablesRule({ family: 'inet', table: 'filter', chain: 'INPUT', expr: [] })).toThrow(
      /family inet/,
    )
  })
})

describe('a rule that iptables can not read', () => {
  const rule: Rule = {
    family: 'ip',
    table: 'filter',
    chain: 'DOCKER-USER',
    expr: [match.ct.state.eq('new'), verdict.accept()],
  }

  test('is refused in a chain of iptables, and makes its programs fail where it is not', async () => {
    const { namespace, handle } = await createHost()
    await expect(handle.transaction().add({ rule }).commit()).rejects.toMatchObject({
      code: 'NFB_INVALID_ARGUMENT',
      path: 'operations[0].rule.expr',
    })
    await runIn(namespace, 'iptables', ['-S'])
    await handle
      .transaction()
      .add({ rule: iptablesRule(rule) })
      .commit()
    await runIn(namespace, 'iptables', ['-S'])
    await handle.transaction().add({ rule }).commit({ iptables: 'ignore' })
    await expect(runIn(namespace, 'iptables', ['-S'])).rejects.toThrow(/incompatible/)
  })

  test.each<[string, readonly Statement[], boolean]>([
    ['a set of ports', [compare(payload('tcp', 'dport'), { set: [80, 90] }), end], false],
    ['the owner of a socket', [compare({ meta: { key: 'skuid' } }, 5), end], false],
    ['a mark that is set', [{ mangle: { key: { meta: { key: 'mark' } }, value: 5 } }], false],
    ['a field that iptables does not know', [compare(payload('ip', 'length'), 5), end], false],
    ['a port of any protocol', [compare(payload('th', 'dport'), 5), end], false],
    ['a port below', [compare(payload('tcp', 'dport'), 5, '<'), end], false],
    ['both ports', [compare(payload('tcp', 'sport'), 5), compare(payload('tcp', 'dport'), 6), end], true],
    ['a range of ports', [compare(payload('tcp', 'dport'), { range: [5, 6] }), end], true],
    [
      'addresses',
      [compare(payload('ip', 'saddr'), '10.0.0.1'), compare(payload('ip', 'daddr'), '10.0.0.2'), end],
      true,
    ],
  ])('%s in our own form is refused where iptables would print another rule', async (_, expr, taken) => {
    const { namespace, handle } = await createHost()
    const written = handle
      .transaction()
      .add({ rule: { ...rule, expr } })
      .commit()
    if (!taken) {
      await expect(written).rejects.toMatchObject({ code: 'NFB_INVALID_ARGUMENT' })
      return
    }
    await written
    // What iptables restores of what it saves is the same rule.
    const saved = await runIn(namespace, 'iptables-save', [])
    const before = (await handle.list({ kinds: ['rule'] })).nftables.map((each) => toText(each))
    await runIn(namespace, 'iptables-restore', [], saved)
    const after = (await handle.list({ kinds: ['rule'] })).nftables.map((each) => toText(each))
    const plain = (text: string): string => text.replaceAll('counter packets 0 bytes 0 ', '')
    expect(after.map(plain).sort()).toEqual(before.map(plain).sort())
  })

  test.each<[string, Partial<Rule>]>([
    ['a table of another family', { family: 'inet' }],
    ['a table of another name', { table: 'mine' }],
    ['a chain of another name', { chain: 'forward' }],
  ])('is taken in %s', async (_, elsewhere) => {
    const { handle } = await createHost()
    const other = { ...rule, ...elsewhere }
    const { family, table, chain } = other
    await handle
      .transaction()
      .add({ table: { family, name: table } })
      .add({ chain: { family, table, name: chain } })
      .add({ rule: other })
      .commit()
  })
})
