import { expect, test } from 'vitest'
import { NfbridgeError } from '../../src/errors.js'
import { Namespace } from '../../src/netns/index.js'
import { type MapElement, Nft, type SetElement } from '../../src/nft/index.js'
import { tooOld } from '../../src/nft/reset.js'
import { closeAfterEach } from '../support/namespaces.js'
import { nft, nftFile, nftJson } from '../support/tools.js'

const keep = closeAfterEach()
const inTable = { family: 'inet', table: 't' } as const
const set = (name: string): { family: 'inet'; table: string; name: string } => ({ ...inTable, name })

async function open(text = ''): Promise<{ namespace: Namespace; handle: Nft }> {
  const namespace = keep(await Namespace.create())
  if (text !== '') await nftFile(namespace, text)
  return { namespace, handle: keep(await Nft.open({ netns: namespace })) }
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

const byText = (items: readonly (SetElement | MapElement)[]): string[] =>
  items.map((item) => JSON.stringify(item)).sort()

const sets = `table inet t {
  set plain { type ipv4_addr; elements = { 10.0.0.1, 10.0.0.2 comment "two" } }
  set nets { type ipv4_addr; flags interval; elements = { 10.0.0.0/24, 10.1.0.0-10.1.0.9, 255.0.0.0/8 } }
  set both { type ipv4_addr . inet_service; flags interval; elements = { 10.0.0.0/24 . 80-90, 10.0.1.1 . 443 } }
  map ports { type inet_service : ipv4_addr; elements = { 80 : 10.0.0.1, 81 : 10.0.0.2 } }
  map verdicts { type ifname : verdict; elements = { "eth0" : accept, "eth1" : drop } }
  set marks { type mark; elements = { 0x1, 0x100 } }
  set none { type ipv6_addr; }
}`

test('one element is found by its key, as nft finds it', async () => {
  const { namespace, handle } = await open(sets)
  expect(await handle.element(set('plain'), '10.0.0.1')).toBe('10.0.0.1')
  expect(await handle.element(set('plain'), '10.0.0.2')).toEqual({
    elem: { val: '10.0.0.2', comment: 'two' },
  })
  expect(await handle.element(set('plain'), '10.0.0.3')).toBeUndefined()
  expect(await handle.element(set('ports'), 81)).toEqual([81, '10.0.0.2'])
  expect(await handle.element(set('verdicts'), 'eth1')).toEqual(['eth1', { drop: null }])
  expect(await handle.element(set('marks'), 256)).toBe(256)
  expect(await handle.element(set('none'), '::1')).toBeUndefined()
  // A key finds the range that it is in.
  expect(await handle.element(set('nets'), '10.0.0.77')).toEqual({ prefix: { addr: '10.0.0.0', len: 24 } })
  expect(await handle.element(set('nets'), '10.1.0.9')).toEqual({ range: ['10.1.0.0', '10.1.0.9'] })
  expect(await handle.element(set('nets'), '10.1.0.10')).toBeUndefined()
  expect(await handle.element(set('nets'), '255.255.255.255')).toEqual({
    prefix: { addr: '255.0.0.0', len: 8 },
  })
  expect(await handle.element(set('both'), { concat: ['10.0.0.9', 85] })).toEqual({
    concat: [{ prefix: { addr: '10.0.0.0', len: 24 } }, { range: [80, 90] }],
  })
  expect(await nft(namespace, 'get', 'element', 'inet', 't', 'nets', '{ 10.0.0.77 }')).toContain(
    '10.0.0.0/24',
  )

  await expect(handle.element(set('missing'), '10.0.0.1')).rejects.toMatchObject({ code: 'NFB_MISSING' })
  await expect(handle.element(set('plain'), 'nonsense')).rejects.toMatchObject({
    operation: 'nft.element',
    path: 'elem[0]',
  })
})

test('the elements of a set come in a stream, as the listing has them', async () => {
  const { handle } = await open(sets)
  const { nftables } = await handle.list(inTable)
  for (const object of nftables) {
    const listed = 'set' in object ? object.set : 'map' in object ? object.map : undefined
    if (listed === undefined) continue
    const streamed = await all(handle.elements(set(listed.name)))
    expect(byText(streamed), listed.name).toEqual(byText(listed.elem ?? []))
  }
  await expect(all(handle.elements(set('missing')))).rejects.toMatchObject({ code: 'NFB_MISSING' })
  handle.close()
  await expect(all(handle.elements(set('plain')))).rejects.toMatchObject({ code: 'NFB_CLOSED' })
})

test('a large set is read as it is taken, and others are not kept waiting', async () => {
  const { handle } = await open('table inet t { set large { type ipv4_addr; size 100000; }; }')
  const count = 50_000
  const elem = Array.from({ length: count }, (_, index) => `10.0.${index >> 8}.${index & 255}`)
  await handle
    .transaction()
    .add({ element: { ...set('large'), type: 'ipv4_addr', elem } })
    .commit()
  const seen = new Set<unknown>()
  let taken = 0
  for await (const element of handle.elements(set('large'))) {
    seen.add(element)
    // The stream has a socket of its own: other calls go on while it is open.
    if (++taken === 1000)
      expect((await handle.list({ ...inTable, kinds: ['table'] })).nftables).toHaveLength(1)
  }
  expect(taken).toBe(count)
  expect(seen).toEqual(new Set(elem))

  // Leaving early closes it; what changes meanwhile is told at the end, or not if nobody minds.
  for await (const element of handle.elements(set('large'))) {
    expect(element).toBeTypeOf('string')
    break
  }
  const disturbed = async (onChange?: 'ignore'): Promise<number> => {
    let some = 0
    for await (const _ of handle.elements(set('large'), onChange ? { onChange } : {}))
      if (++some === 10)
        await handle
          .transaction()
          .add({ chain: { ...inTable, name: `c${onChange}` } })
          .commit()
    return some
  }
  await expect(disturbed()).rejects.toMatchObject({
    code: 'NFB_DUMP_INCONSISTENT',
    operation: 'nft.elements',
  })
  expect(await disturbed('ignore')).toBeGreaterThan(10)
})

test('a part of the ruleset is found by the kernel', async () => {
  const { handle } = await open(`${sets}
    table inet other { set plain { type mark; }; chain c { accept; }; }
    table inet t { chain c { tcp dport { 80, 443 } accept; }; chain d { drop; }; }`)
  const names = async (filter: Parameters<Nft['list']>[0]): Promise<string[]> =>
    (await handle.list(filter)).nftables.map((object) => Object.keys(object).join())
  expect(await names({ ...inTable, kinds: ['table'] })).toEqual(['table'])
  expect(await names({ ...inTable, chain: 'c' })).toEqual(['chain', 'rule'])
  expect(await names({ ...inTable, chain: 'c', kinds: ['chain'] })).toEqual(['chain'])
  expect(await names({ ...inTable, set: 'plain' })).toEqual(['set'])
  expect(await names({ family: 'inet', table: 'none', set: 'plain' })).toEqual([])
  expect(await names({ ...inTable, set: 'missing' })).toEqual([])
  expect(await names({ ...inTable, chain: 'missing' })).toEqual([])
  expect(await names({ family: 'ip', table: 't' })).toEqual([])
})

const counting = `table inet t {
  counter hits { packets 7 bytes 700; }
  quota volume { over 1000 bytes used 300 bytes; }
  set seen { type ipv4_addr; counter; elements = { 10.0.0.1 counter packets 3 bytes 30 } }
  chain c {
    tcp dport { 80, 443 } counter packets 5 bytes 500 accept
    quota over 900 bytes used 90 bytes drop
  }
  chain d { counter packets 6 bytes 600; }
}
table ip u { counter hits { packets 9 bytes 900; }; }`

test('counters and quotas are read and reset', async () => {
  const { namespace, handle } = await open(counting)
  const values = async (): Promise<string> =>
    JSON.stringify(
      (await nftJson(namespace, 'list', 'ruleset')).map(({ counter, quota }) => counter ?? quota),
    )
  expect(await handle.reset({ objects: { ...inTable, kind: 'counter' } })).toMatchObject([
    { counter: { name: 'hits', packets: 7, bytes: 700 } },
  ])
  expect(await values()).toContain('"packets":9')
  expect(await nft(namespace, 'list', 'quotas')).toContain('used 300 bytes')
  const before = await handle.reset({ objects: {} })
  expect(before).toHaveLength(3)
  expect([before[0], before[2]]).toMatchObject([{ counter: { packets: 0 } }, { counter: { packets: 9 } }])
  expect(await nft(namespace, 'list', 'quotas')).not.toContain('used')
  expect(await values()).not.toContain('"packets":9')
  await expect(handle.reset({ objects: { table: 't' } })).rejects.toMatchObject({ path: 'family' })
})

test('what rules count is read and reset', async () => {
  const { namespace, handle } = await open(counting)
  const rules = await handle.reset({ rules: { ...inTable, chain: 'c' } })
  expect(rules).toMatchObject([
    {
      rule: {
        chain: 'c',
        expr: [
          { match: { right: { set: [80, 443] } } },
          { counter: { packets: 5, bytes: 500 } },
          { accept: null },
        ],
      },
    },
    { rule: { chain: 'c' } },
  ])
  const listing = await nft(namespace, 'list', 'table', 'inet', 't')
  expect(listing).toContain('counter packets 0 bytes 0 accept')
  expect(listing).toContain('counter packets 6 bytes 600')
  expect(listing).not.toContain('used 90 bytes')
  expect(await handle.reset({ rules: {} })).toHaveLength(3)
  expect(await nft(namespace, 'list', 'table', 'inet', 't')).not.toContain('packets 6')
})

test('what elements count is read and reset', async () => {
  const { namespace, handle } = await open(counting)
  const texts = (await handle.reset({ elements: set('seen') })).map((object) =>
    JSON.stringify(object, (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value)),
  )
  expect(texts.join()).toContain('"bytes":30')
  expect(await nft(namespace, 'list', 'set', 'inet', 't', 'seen')).toContain('counter packets 0 bytes 0')
})

test('kernels that cannot reset are told from other reasons', () => {
  const error = new NfbridgeError({
    code: 'NFB_REJECTED',
    operation: 'nft.reset',
    message: 'the kernel rejects it',
    errno: 'EINVAL',
  })
  expect(tooOld(error, '6.5', '6.1.0-28-amd64')).toMatchObject({ code: 'NFB_NOT_SUPPORTED', cause: error })
  expect(tooOld(error, '6.2', '5.15.0')).toMatchObject({ code: 'NFB_NOT_SUPPORTED' })
  expect(tooOld(error, '6.5', '6.5.0')).toBeUndefined()
  expect(tooOld(error, '', '5.15.0')).toBeUndefined()
  expect(tooOld(new Error('x'), '6.5', '5.15.0')).toBeUndefined()
})
