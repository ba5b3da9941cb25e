import { describe, expect, test } from 'vitest'
import { unwrap } from '../../src/native/failure.js'
import { MessageFlag, Packer } from '../../src/native/pack.js'
import { Namespace } from '../../src/netns/index.js'
import { Nft, type Ruleset, ruleset, toText } from '../../src/nft/index.js'
import { closeAfterEach } from '../support/namespaces.js'
import { nft, nftFile, runIn } from '../support/tools.js'

import { rulesets } from './foreign/rulesets.js'
import { dumpRecords } from './nft-records.js'

const keep = closeAfterEach()

/** Lists a namespace, sends the listing through JSON, and makes it anew in another one. */
async function replay(from: Namespace): Promise<{ to: Namespace; listed: Ruleset }> {
  const to = keep(await Namespace.create())
  const text = JSON.stringify(await keep(await Nft.open({ netns: from })).list())
  const listed: Ruleset = JSON.parse(text)
  const handle = keep(await Nft.open({ netns: to }))
  await handle.transaction().addAll(ruleset.toOperations(listed)).commit()
  return { to, listed }
}

/** What `iptables-save` and `ip6tables-save` print, without their comments, which tell the time. */
async function saved(namespace: Namespace): Promise<string[]> {
  const programs = ['iptables-save', 'ip6tables-save']
  const texts = await Promise.all(programs.map((program) => runIn(namespace, program, ['-c'])))
  return texts.map((text) => text.replaceAll(/^#.*\n/gm, ''))
}

test('chains that belong to a rule are listed within it, and written back', async () => {
  const from = keep(await Namespace.create())
  await nftFile(
    from,
    `table inet t {
      chain c {
        type filter hook input priority 0;
        iifname "lo" jump { ip saddr 1.2.3.4 drop; tcp dport 80 accept; }
        tcp dport 99 goto { counter drop; }
        accept
      }
      chain d { tcp dport 7 jump { return; }; }
    }`,
  )
  const { to, listed } = await replay(from)
  const before = await nft(from, 'list', 'ruleset')
  expect(before).toContain('jump {')
  expect(await nft(to, 'list', 'ruleset')).toBe(before)
  expect(toText(listed)).toBe(before.trimEnd())
  // The same through the text.
  const again = keep(await Namespace.create())
  await nftFile(again, toText(listed))
  expect(await nft(again, 'list', 'ruleset')).toBe(before)
})

describe('rules of iptables-nft are listed, and written back as they were', () => {
  test.each(rulesets)('$name', async ({ program, text }) => {
    const from = keep(await Namespace.create())
    await runIn(from, program, ['-c'], text)
    const { to, listed } = await replay(from)
    expect(listed.nftables.some((object) => 'opaque' in object)).toBe(false)
    expect(await saved(to)).toEqual(await saved(from))
    expect(await nft(to, 'list', 'ruleset')).toBe(await nft(from, 'list', 'ruleset'))
  })

  test('two programs in the same tables, and rules of nft beside them', async () => {
    const from = keep(await Namespace.create())
    for (const { program, text } of rulesets.slice(0, 2)) await runIn(from, program, ['-n'], text)
    await nftFile(
      from,
      `table ip docker-bridges {
        map m { type ifname : verdict; elements = { "docker0" : jump c }; }
        chain c { ct state established,related accept; }
        chain f { type filter hook forward priority filter; iifname vmap @m; }
      }
      table netdev n { chain i { type filter hook ingress device lo priority 0; jump { udp dport 9 drop; }; }; }`,
    )
    const { to } = await replay(from)
    expect(await saved(to)).toEqual(await saved(from))
    expect(await nft(to, 'list', 'ruleset')).toBe(await nft(from, 'list', 'ruleset'))
  })

  test('the kernel wants to know for which protocol an extension is: of the rule, which tests it', async () => {
    const from = keep(await Namespace.create())
    await runIn(from, 'iptables', ['-A', 'INPUT', '-p', 'tcp', '-m', 'tcpmss', '--mss', '1:500'])
    const handle = keep(await Nft.open({ netns: from }))
    const { nftables } = await handle.list({ kinds: ['rule'] })
    const [rule] = nftables.flatMap((object) => ('rule' in object ? [object.rule] : []))
    if (rule === undefined) throw new Error('a rule')
    const { handle: _, ...again } = rule
    const add = (expr: typeof rule.expr): Promise<unknown> =>
      handle
        .transaction()
        .add({ rule: { ...again, expr } })
        .commit()
    await add(again.expr)
    await expect(add(again.expr.filter((statement) => 'xt' in statement))).rejects.toMatchObject({
      errno: 'EINVAL',
    })
  })
})

test('sets of a type that nobody here knows are written back, with the rules that look them up', async () => {
  const from = keep(await Namespace.create())
  const packer = new Packer()
  const owner = { family: 1, table: 't' }
  packer.add('nftNewTable', MessageFlag.create, { family: 1, name: 't' })
  // The type 63 is none of nft's.
  packer.add('nftNewSet', MessageFlag.create, {
    ...owner,
    name: 's',
    id: 1,
    keyType: 63,
    keyLen: 4,
    timeout: 3_600_000n,
    flags: 0x10,
  })
  packer.add('nftNewElement', MessageFlag.create, {
    ...owner,
    set: 's',
    elements: [{ key: { value: Uint8Array.of(1, 2, 3, 4) }, timeout: 7_200_000n }],
  })
  packer.add('nftNewChain', MessageFlag.create, { ...owner, name: 'c' })
  packer.add('nftNewRule', MessageFlag.create | MessageFlag.append, {
    ...owner,
    chain: 'c',
    expressions: [
      { name: 'meta', data: { key: 3, dreg: 1 } },
      { name: 'lookup', data: { set: 's', sreg: 1 } },
      { name: 'counter', data: { packets: 5n, bytes: 6n } },
    ],
  })
  const socket = await from.openSocket('netfilter')
  unwrap(await socket.transaction(packer.words()), 'test')
  socket.close()
  const { to, listed } = await replay(from)
  expect(listed.nftables.map((object) => Object.keys(object)[0])).toEqual([
    'table',
    'opaque',
    'opaque',
    'chain',
    'rule',
  ])
  const records = async (namespace: Namespace) => {
    const [set] = await dumpRecords(namespace, 'nftGetSet', 'nftNewSet', {})
    const [elements] = await dumpRecords(namespace, 'nftGetElement', 'nftNewElement', { ...owner, set: 's' })
    const [rule] = await dumpRecords(namespace, 'nftGetRule', 'nftNewRule', {})
    const { handle: _, ...rest } = set ?? {}
    return { set: rest, key: elements?.elements?.[0]?.key, expressions: rule?.expressions }
  }
  expect(await records(to)).toEqual(await records(from))
})
