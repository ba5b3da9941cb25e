import { describe, expect, test } from 'vitest'
import { NfbridgeError } from '../../src/errors.js'
import { Namespace } from '../../src/netns/index.js'
import { type Chain, type Family, Nft, type RulesetObject } from '../../src/nft/index.js'
import { closeAfterEach } from '../support/namespaces.js'
import { ip, isObject, nft, nftFile, nftJson, runIn } from '../support/tools.js'

const keep = closeAfterEach()

async function open(): Promise<{ namespace: Namespace; handle: Nft }> {
  const namespace = keep(await Namespace.create())
  await ip(namespace, 'link', 'set', 'lo', 'up')
  return { namespace, handle: keep(await Nft.open({ netns: namespace })) }
}

const internetHooks = ['prerouting', 'input', 'forward', 'output', 'postrouting'] as const

function filters(family: Family, hooks: readonly NonNullable<Chain['hook']>[]): Chain[] {
  return hooks.map((hook, index) => ({
    family,
    table: 't',
    name: `f${index}`,
    type: 'filter',
    hook,
    prio: 10 * index - 20,
    policy: index % 2 === 0 ? 'accept' : 'drop',
  }))
}

function translating(family: Family): Chain[] {
  const chain = { family, table: 't', policy: 'accept' } as const
  return [
    { ...chain, name: 'n0', type: 'nat', hook: 'prerouting', prio: -100 },
    { ...chain, name: 'n1', type: 'nat', hook: 'input', prio: 100 },
    { ...chain, name: 'n2', type: 'nat', hook: 'output', prio: -100 },
    { ...chain, name: 'n3', type: 'nat', hook: 'postrouting', prio: 100 },
    { ...chain, name: 'r', type: 'route', hook: 'output', prio: -150 },
  ]
}

const regular = (family: Family): Chain => ({ family, table: 't', name: 'other', comment: 'no hook' })

/** Every type and hook that a family has. */
const chains: { readonly [F in Family]: readonly Chain[] } = {
  ip: [...filters('ip', internetHooks), ...translating('ip'), regular('ip')],
  ip6: [...filters('ip6', internetHooks), ...translating('ip6'), regular('ip6')],
  inet: [
    ...filters('inet', internetHooks),
    ...translating('inet'),
    regular('inet'),
    {
      family: 'inet',
      table: 't',
      name: 'i',
      type: 'filter',
      hook: 'ingress',
      prio: 0,
      policy: 'accept',
      dev: 'lo',
    },
  ],
  arp: [...filters('arp', ['input', 'output']), regular('arp')],
  bridge: [...filters('bridge', internetHooks), regular('bridge')],
  netdev: [
    {
      family: 'netdev',
      table: 't',
      name: 'i',
      type: 'filter',
      hook: 'ingress',
      prio: -500,
      policy: 'accept',
      dev: 'lo',
    },
    {
      family: 'netdev',
      table: 't',
      name: 'several',
      type: 'filter',
      hook: 'ingress',
      prio: 5,
      policy: 'drop',
      dev: ['lo', 'v0'],
    },
    {
      family: 'netdev',
      table: 't',
      name: 'e',
      type: 'filter',
      hook: 'egress',
      prio: 5,
      policy: 'accept',
      dev: 'lo',
    },
    regular('netdev'),
  ],
}

const withoutHandle = ({ handle: _, ...rest }: Chain): Chain => rest

describe('every type and hook of a family is listed as it was added', () => {
  test.each(Object.keys(chains) as Family[])('%s', async (family) => {
    const { namespace, handle } = await open()
    await ip(namespace, 'link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1')
    const wanted = chains[family]
    const transaction = handle.transaction().add({ table: { family, name: 't' } })
    for (const chain of wanted) transaction.add({ chain })
    await transaction.commit()
    const { nftables } = await handle.list({ family, table: 't' })
    const listed = nftables.flatMap((object) => ('chain' in object ? [withoutHandle(object.chain)] : []))
    const byName = (one: Chain, other: Chain): number => (one.name < other.name ? -1 : 1)
    expect(listed.sort(byName)).toEqual([...wanted].sort(byName))
    // nft says the same of each, as far as it tells.
    const theirs = await nftJson(namespace, 'list', 'chains', family)
    for (const { chain } of theirs.filter((item) => isObject(item.chain))) {
      if (!isObject(chain)) continue
      const mine = listed.find(({ name }) => name === chain.name)
      const { handle: _, dev, ...said } = chain
      expect(mine).toMatchObject(said)
      if (dev !== undefined) expect([mine?.dev].flat()).toEqual([dev].flat())
    }
    expect(theirs.filter(({ chain }) => isObject(chain)).length).toBe(wanted.length)
  })
})

describe('counters of a base chain', () => {
  const declared: Chain = {
    family: 'ip',
    table: 't',
    name: 'c',
    type: 'filter',
    hook: 'output',
    prio: 0,
    policy: 'accept',
    counters: { packets: 3, bytes: 400 },
  }

  test('are listed, written back, and count what meets the policy', async () => {
    const { namespace, handle } = await open()
    const add = (chain: Chain): Promise<unknown> =>
      handle
        .transaction()
        .add({ table: { family: 'ip', name: 't' } })
        .add({ chain })
        .commit()
    await add(declared)
    const listed = async (): Promise<Chain[]> =>
      (await handle.list({ kinds: ['chain'] })).nftables.flatMap((object) =>
        'chain' in object ? [withoutHandle(object.chain)] : [],
      )
    expect(await listed()).toEqual([declared])
    await runIn(namespace, 'ping', ['-c', '1', '127.0.0.1'])
    // A request and its answer, of 84 bytes each.
    expect(await listed()).toEqual([{ ...declared, counters: { packets: 5, bytes: 568 } }])
    const { counters: _, ...plain } = declared
    await add({ ...plain, name: 'd' })
    expect(await listed()).toContainEqual({ ...plain, name: 'd' })
  })

  test('belong to base chains alone, and are whole numbers', async () => {
    const { handle } = await open()
    const refused = (chain: Chain): Promise<unknown> => handle.transaction().add({ chain }).commit()
    const regular: Chain = { family: 'ip', table: 't', name: 'c', counters: { packets: 0, bytes: 0 } }
    await expect(refused(regular)).rejects.toThrow(/counters belongs to base chains/)
    await expect(refused({ ...declared, counters: { packets: 0.5, bytes: 0 } })).rejects.toMatchObject({
      code: 'NFB_INVALID_ARGUMENT',
      path: 'operations[0].chain.counters',
    })
  })
})

describe('flags of tables', () => {
  test('dormant: its chains see no packet, until the flag is taken away', async () => {
    const { namespace, handle } = await open()
    const table = { family: 'ip', name: 't' } as const
    const drop: RulesetObject = {
      chain: { family: 'ip', table: 't', name: 'c', type: 'filter', hook: 'output', prio: 0, policy: 'drop' },
    }
    await handle
      .transaction()
      .add({ table: { ...table, flags: ['dormant'], comment: 'x' } })
      .add(drop)
      .commit()
    const listed = await handle.list({ kinds: ['table'] })
    expect(listed.nftables).toMatchObject([{ table: { ...table, flags: ['dormant'], comment: 'x' } }])
    expect(await nft(namespace, 'list', 'table', 'ip', 't')).toContain('flags dormant')
    await handle.transaction().add({ table }).commit()
    expect(await nft(namespace, 'list', 'table', 'ip', 't')).not.toContain('dormant')
    const { nftables } = await handle.list({ kinds: ['table'] })
    expect(nftables).toMatchObject([{ table }])
    expect(nftables[0]).not.toHaveProperty('table.flags')
  })

  test('owner: nobody else changes the table, and it goes with its owner', async () => {
    const { namespace, handle } = await open()
    await handle
      .transaction()
      .add({ table: { family: 'inet', name: 't', flags: ['owner'] } })
      .commit()
    expect((await handle.list({ kinds: ['table'] })).nftables).toMatchObject([
      { table: { flags: ['owner'] } },
    ])
    await expect(nftFile(namespace, 'add chain inet t c')).rejects.toThrow(/Operation not permitted/)
    const other = keep(await Nft.open({ netns: namespace }))
    const refused = other
      .transaction()
      .add({ chain: { family: 'inet', table: 't', name: 'c' } })
      .commit()
    await expect(refused).rejects.toMatchObject({ code: 'NFB_NOT_PERMITTED' })
    handle.close()
    await expect.poll(async () => (await other.list()).nftables).toEqual([])
  })

  test('owner and persist: the table outlives its owner, and can be adopted', async () => {
    const { namespace, handle } = await open()
    const table = { family: 'inet', name: 't', flags: ['owner', 'persist'] } as const
    await handle.transaction().add({ table }).commit()
    expect((await handle.list({ kinds: ['table'] })).nftables).toMatchObject([{ table }])
    handle.close()
    const other = keep(await Nft.open({ netns: namespace }))
    await expect
      .poll(async () => (await other.list({ kinds: ['table'] })).nftables)
      .toMatchObject([{ table: { flags: ['persist'] } }])
    await other.transaction().add({ table }).commit()
    expect((await other.list({ kinds: ['table'] })).nftables).toMatchObject([{ table }])
    await expect(nftFile(namespace, 'add chain inet t c')).rejects.toThrow(/Operation not permitted/)
  })
})

describe('what this kernel does not have is said so', () => {
  test('flowtables', async () => {
    const { handle } = await open()
    const flowtable = { family: 'inet', table: 't', name: 'f', hook: 'ingress', prio: 0, dev: 'lo' } as const
    const transaction = handle
      .transaction()
      .add({ table: { family: 'inet', name: 't' } })
      .add({ flowtable })
    const error: unknown = await transaction.commit().then(
      () => undefined,
      (reason: unknown) => reason,
    )
    // A kernel that has them adds it.
    if (error === undefined) {
      const { nftables } = await handle.list({ kinds: ['object'] })
      expect(nftables).toMatchObject([{ flowtable }])
      return
    }
    expect(error).toBeInstanceOf(NfbridgeError)
    expect(error).toMatchObject({ code: 'NFB_NOT_SUPPORTED', path: 'operations[1].flowtable' })
  })

  test.for<[string, RulesetObject, string]>([
    [
      'queues',
      { rule: { family: 'inet', table: 't', chain: 'c', expr: [{ counter: null }, { queue: { num: 1 } }] } },
      'operations[2].rule.expr[1]',
    ],
    [
      'security marks',
      { secmark: { family: 'inet', table: 't', name: 's', context: 'system_u:object_r:x_t:s0' } },
      'operations[2].secmark',
    ],
  ])('%s', async ([, object, path], { skip }) => {
    const { handle } = await open()
    const failure: unknown = await handle
      .transaction()
      .add({ table: { family: 'inet', name: 't' } })
      .add({ chain: { family: 'inet', table: 't', name: 'c' } })
      .add(object)
      .commit()
      .then(
        () => undefined,
        (reason: unknown) => reason,
      )
    skip(failure === undefined, 'this kernel has it')
    expect(failure).toMatchObject({ code: 'NFB_NOT_SUPPORTED', path })
  })

  test('but not a name that is not there', async () => {
    const { handle } = await open()
    const missing = handle
      .transaction()
      .add({ table: { family: 'inet', name: 't' } })
      .add({ chain: { family: 'inet', table: 't', name: 'c' } })
      .add({ rule: { family: 'inet', table: 't', chain: 'c', expr: [{ counter: 'nobody' }] } })
    await expect(missing.commit()).rejects.toMatchObject({ code: 'NFB_MISSING' })
    const helper = handle
      .transaction()
      .add({ table: { family: 'inet', name: 't' } })
      .add({ 'ct helper': { family: 'inet', table: 't', name: 'h', type: 'nobody', protocol: 'tcp' } })
    await expect(helper.commit()).rejects.toMatchObject({ code: 'NFB_MISSING' })
  })
})
