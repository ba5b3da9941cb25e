/** Interval sets hold what they were told to, value by value: what the kernel cannot tell by itself is refused or merged. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NfbridgeError } from '../../src/errors.js'
import { Namespace } from '../../src/netns/index.js'
import { Connection } from '../../src/nft/connection.js'
import {
  type Expression,
  type MapElement,
  type MapObject,
  Nft,
  type SetElement,
  type SetObject,
  Transaction,
} from '../../src/nft/index.js'
import { closeAfterEach } from '../support/namespaces.js'
import { nft, nftFile, run } from '../support/tools.js'

const keep = closeAfterEach()
const owner = { family: 'inet', table: 't' } as const
const LAST = 23

async function opened(): Promise<{ namespace: Namespace; handle: Nft }> {
  const namespace = keep(await Namespace.create())
  const handle = keep(await Nft.open({ netns: namespace }))
  await handle
    .transaction()
    .add({ table: { family: 'inet', name: 't' } })
    .commit()
  return { namespace, handle }
}

/** A kind of key, of which values are numbered from 0. */
interface Kind {
  readonly type: 'ipv4_addr' | 'ipv6_addr' | 'inet_service' | 'mark'
  value(number: number): string | number
}

const kinds: readonly Kind[] = [
  { type: 'ipv4_addr', value: (number) => `10.0.0.${number}` },
  { type: 'ipv6_addr', value: (number) => `2001:db8::${(number + 256).toString(16)}` },
  { type: 'inet_service', value: (number) => number + 80 },
  { type: 'mark', value: (number) => number + 255 },
]

type Bounds = readonly [low: number, high: number]
const bounds = fc
  .tuple(fc.nat(LAST), fc.nat(7))
  .map(([low, more]): Bounds => [low, Math.min(low + more, LAST)])

const verbs = ['add', 'create', 'delete', 'destroy'] as const
interface Step {
  readonly verb: (typeof verbs)[number]
  readonly asked: readonly Bounds[]
  /** What a map gives for them. */
  readonly data: number
}

/** Transactions of one or several steps, by one connection or another. */
const transactions = fc.array(
  fc.record({
    by: fc.nat(1),
    steps: fc.array(
      fc.record({
        verb: fc.constantFrom(...verbs),
        asked: fc.array(bounds, { minLength: 1, maxLength: 3 }),
        data: fc.nat(1),
      }),
      { minLength: 1, maxLength: 3 },
    ),
  }),
  { minLength: 1, maxLength: 8 },
)

/** What a set holds: its ranges, and what a map gives for them. */
type Model = readonly (readonly [low: number, high: number, data: number])[]

const numbers = Array.from({ length: LAST + 1 }, (_, number) => number)

/** The set as it should be after a step that was taken. A merging set has each value for itself. */
function stepped(model: Model, { verb, asked, data }: Step, merges: boolean): Model {
  const mine = merges
    ? numbers
        .filter((number) => asked.some(([low, high]) => number >= low && number <= high))
        .map((number): Bounds => [number, number])
    : asked
  const others = model.filter(([low, high]) => !mine.some((one) => one[0] === low && one[1] === high))
  if (verb === 'delete' || verb === 'destroy') return others
  return [...others, ...mine.map(([low, high]) => [low, high, data] as const)]
}

/** Whether a step is refused; undefined where its own ranges are in each other's way. */
function refuses(
  model: Model,
  { verb, asked, data }: Step,
  isMap: boolean,
  merges: boolean,
): boolean | undefined {
  if (verb === 'destroy') return false
  const isHere = ([low, high]: Bounds): boolean => model.some((one) => one[0] === low && one[1] === high)
  const meets = ([low, high]: Bounds, other: readonly [number, number, ...number[]]): boolean =>
    low <= other[1] && other[0] <= high
  const isCovered = ([low, high]: Bounds): boolean =>
    numbers.every((number) => number < low || number > high || isHere([number, number]))
  if (verb === 'delete') return !asked.every(merges ? isCovered : isHere)
  if (merges && verb === 'add') return false
  if (asked.some((one, index) => asked.slice(index + 1).some((other) => meets(one, other)))) return undefined
  if (merges) return asked.some(isCovered)
  return asked.some((one) =>
    model.some(
      (other) =>
        meets(one, other) &&
        (verb === 'create' || one[0] !== other[0] || one[1] !== other[1] || (isMap && other[2] !== data)),
    ),
  )
}

/** What it gives, value by value; of a value that two ranges have, nothing that anything could equal. */
function expectedOf(model: Model): Map<number, unknown> {
  const found = numbers.flatMap((number) => {
    const ranges = new Map(
      model
        .filter(([low, high]) => number >= low && number <= high)
        .map(([low, high, data]) => [`${low}-${high}`, data]),
    )
    return ranges.size === 0 ? [] : [[number, ranges.size === 1 ? [...ranges.values()][0] : ranges] as const]
  })
  return new Map(found)
}

function objectOf(kind: Kind, isMap: boolean, merges: boolean): SetObject | MapObject {
  const set = { ...owner, name: 's', type: kind.type, flags: ['interval'] as const }
  if (isMap) return { map: { ...set, map: 'mark' } }
  return { set: { ...set, ...(merges && { 'auto-merge': true }) } }
}

function put(transaction: Transaction, kind: Kind, isMap: boolean, { verb, asked, data }: Step): void {
  const elem = asked.map(([low, high]): SetElement | MapElement => {
    const key: Expression = low === high ? kind.value(low) : { range: [kind.value(low), kind.value(high)] }
    return isMap ? [key, data] : key
  })
  transaction[verb]({
    element: {
      ...owner,
      name: 's',
      type: kind.type,
      flags: ['interval'],
      elem,
      ...(isMap && { map: 'mark' }),
    },
  })
}

/** What the kernel finds, value by value. */
async function held(handle: Nft, kind: Kind): Promise<Map<number, unknown>> {
  const found = new Map<number, unknown>()
  for (const number of numbers) {
    const element = await handle.element({ ...owner, name: 's' }, kind.value(number))
    if (element !== undefined) found.set(number, Array.isArray(element) ? element[1] : 0)
  }
  return found
}

/** Runs transactions, and compares the kernel with the model after each. */
function holds(
  kind: Kind,
  isMap: boolean,
  merges: boolean,
  ranges: 'checked' | 'trusted',
): fc.IAsyncPropertyWithHooks<[readonly { by: number; steps: readonly Step[] }[]]> {
  return fc.asyncProperty(transactions, async (all) => {
    const { namespace, handle } = await opened()
    try {
      const other = await Nft.open({ netns: namespace })
      try {
        await handle
          .transaction()
          .add(objectOf(kind, isMap, merges))
          .commit()
        let model: Model = []
        for (const { by, steps } of all) {
          const transaction = (by === 0 ? handle : other).transaction()
          let next = model
          let refused: boolean | undefined = false
          for (const step of steps) {
            put(transaction, kind, isMap, step)
            if (refused === false) refused = refuses(next, step, isMap, merges)
            next = stepped(next, step, merges)
          }
          try {
            await transaction.commit({ ranges })
            if (refused !== undefined) expect(refused).toBe(false)
            model = next
          } catch (error) {
            if (!(error instanceof NfbridgeError)) throw error
            expect(error.code).toMatch(/^NFB_(EXISTS|MISSING)$/)
            if (refused !== undefined) expect(refused).toBe(true)
          }
          expect(await held(handle, kind)).toEqual(
            expectedOf(isMap ? model : model.map(([low, high]) => [low, high, 0])),
          )
        }
      } finally {
        other.close()
      }
    } finally {
      handle.close()
      namespace.close()
    }
  })
}

test.for(
  kinds.flatMap((kind) =>
    (
      [
        ['set', false, false],
        ['map', true, false],
        ['merging set', false, true],
      ] as const
    ).map(([name, isMap, merges]) => ({ kind, name, isMap, merges })),
  ),
)('a $name of $kind.type', async ({ kind, isMap, merges }) => {
  await fc.assert(holds(kind, isMap, merges, 'checked'), { numRuns: 12 })
})

/** nft 1.0.6 merges what it adds, but finds no part of a range to delete: then it is told what is left. */
test('a merging set holds after one transaction what it holds after commands of nft', async () => {
  const [kind] = kinds
  if (kind === undefined) throw new Error('a kind is expected')
  const { namespace, handle } = await opened()
  const other = keep(await Namespace.create())
  const declaration = '{ type ipv4_addr; flags interval; auto-merge; }'
  await nftFile(other, 'add table inet t')
  const elementsIn = async (where: Namespace): Promise<string> => {
    const listed = await nft(where, 'list', 'set', 'inet', 't', 's')
    return (/elements = \{([^}]*)\}/.exec(listed)?.[1] ?? '').replaceAll(/\s+/g, ' ')
  }
  const changes = fc.record({
    verb: fc.constantFrom('add', 'delete'),
    asked: fc.array(bounds, { minLength: 1, maxLength: 2 }),
    data: fc.constant(0),
  })
  const property = fc.asyncProperty(fc.array(changes, { minLength: 2, maxLength: 8 }), async (steps) => {
    for (const where of [namespace, other])
      await nftFile(where, `add set inet t s ${declaration}; flush set inet t s`)
    let model: Model = []
    const transaction = handle.transaction()
    for (const step of steps) {
      if (refuses(model, step, false, true)) continue
      model = stepped(model, step, true)
      put(transaction, kind, false, step)
      const [command, given] =
        step.verb === 'add'
          ? ['', step.asked]
          : ['flush set inet t s; ', model.map(([low, high]) => [low, high])]
      const texts = given.map(([low, high]) =>
        low === high ? `10.0.0.${low}` : `10.0.0.${low}-10.0.0.${high}`,
      )
      await nftFile(
        other,
        `${command}${texts.length > 0 ? `add element inet t s { ${texts.join(', ')} }` : ''}`,
      )
    }
    await transaction.commit()
    expect(await elementsIn(namespace)).toBe(await elementsIn(other))
  })
  await fc.assert(property, { numRuns: 30 })
})

test('what a transaction changes several times is sent once, where others depend on it', async () => {
  const { namespace, handle } = await opened()
  const set = { ...owner, name: 's', type: 'ipv4_addr', flags: ['interval'] } as const
  const map = { ...set, name: 'm', map: 'verdict' } as const
  const whole: Expression = { range: ['10.0.0.0', '10.0.0.9'] }
  const jump = (target: string): MapElement => [whole, { jump: { target } }]
  const constant = { ...set, name: 'c', flags: ['interval', 'constant'] } as const
  await handle
    .transaction()
    .add({ chain: { ...owner, name: 'one' } })
    .add({ chain: { ...owner, name: 'two' } })
    .add({ set: { ...set, elem: [whole] } })
    .add({ map: { ...map, elem: [jump('one')] } })
    .commit()
  await handle
    .transaction()
    .delete({ element: { ...set, elem: [whole] } })
    .add({ element: { ...set, elem: [whole] } })
    .delete({ element: { ...set, elem: [whole] } })
    .add({ element: { ...set, elem: ['10.0.0.3'] } })
    // A chain that an element leads to can't go before the element.
    .delete({ element: { ...map, elem: [whole] } })
    .add({ element: { ...map, elem: [jump('two')] } })
    .delete({ chain: { ...owner, name: 'one' } })
    // A set that never changes has its elements before a rule uses it.
    .add({ set: { ...constant, elem: [whole] } })
    .add({ element: { ...constant, elem: ['10.0.0.20'] } })
    .add({
      rule: {
        ...owner,
        chain: 'two',
        expr: [
          {
            match: { op: '==', left: { payload: { protocol: 'ip', field: 'saddr' } }, right: '@c' },
          },
        ],
      },
    })
    .commit()
  const listed = (await nft(namespace, 'list', 'table', 'inet', 't')).replaceAll(/\s+/g, ' ')
  expect(listed).toContain('elements = { 10.0.0.3 }')
  expect(listed).toContain('elements = { 10.0.0.0-10.0.0.9 : jump two }')
  expect(listed).toContain('elements = { 10.0.0.0-10.0.0.9, 10.0.0.20 }')
  expect(listed).not.toContain('chain one')
  // What comes to nothing is no change; what others commit meanwhile is seen.
  await handle
    .transaction()
    .delete({ element: { ...set, elem: ['10.0.0.3'] } })
    .add({ element: { ...set, elem: ['10.0.0.3'] } })
    .commit()
  await nftFile(namespace, 'add element inet t s { 10.0.0.7 }')
  await expect(
    handle
      .transaction()
      .create({ element: { ...set, elem: ['10.0.0.7'] } })
      .commit(),
  ).rejects.toMatchObject({ code: 'NFB_EXISTS', path: 'operations[0].element.elem[0]' })
})

test('(control) without the check, the kernel takes what leaves holes', async () => {
  const [kind] = kinds
  if (kind === undefined) throw new Error('a kind is expected')
  const outcome = await fc.check(holds(kind, false, false, 'trusted'), { numRuns: 200, endOnFailure: true })
  expect(outcome.failed).toBe(true)
})

test('connections that add at the same time: what overlaps is taken once, what does not is taken', async () => {
  const { namespace, handle } = await opened()
  const set = { ...owner, name: 's', type: 'ipv4_addr', flags: ['interval'] } as const
  await handle.transaction().add({ set }).commit()
  const others: Nft[] = []
  for (let index = 0; index < 5; index++) others.push(keep(await Nft.open({ netns: namespace })))
  const adding = (low: number, high: number) => (one: Nft) =>
    one
      .transaction()
      .add({ element: { ...set, elem: [{ range: [`10.0.${low}.0`, `10.0.${high}.255`] }] } })
      .commit()
  for (let round = 0; round < 10; round++) {
    const base = round * 20
    const settled = await Promise.allSettled([
      ...others.map((one, index) => adding(base + index, base + 6 + index)(one)),
      adding(base + 15, base + 15)(handle),
    ])
    const refused = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
    expect(refused.map(({ code }: NfbridgeError) => code)).toEqual(
      Array.from(others, (_, index) => index)
        .slice(1)
        .map(() => 'NFB_EXISTS'),
    )
  }
  const { nftables } = await handle.list({ ...owner, set: 's' })
  expect(nftables).toMatchObject([{ set: { elem: { length: 20 } } }])
})

const pairs = { ...owner, type: ['ipv4_addr', 'inet_service'], flags: ['interval'] } as const
const pair = (hosts: Bounds, ports: Bounds): Expression => ({
  concat: [{ range: [`10.0.0.${hosts[0]}`, `10.0.0.${hosts[1]}`] }, { range: [ports[0], ports[1]] }],
})

test('ranges of several fields', async () => {
  const { namespace, handle } = await opened()
  const set = { ...pairs, name: 's' }
  const map = { ...pairs, name: 'm', map: 'mark' as const }
  const narrow = pair([5, 6], [80, 90])
  const wide = pair([1, 9], [1, 100])
  await handle
    .transaction()
    .add({ set: { ...set, elem: [narrow] } })
    .add({ map: { ...map, elem: [[narrow, 1]] } })
    .commit()
  const refused = async (transaction: Transaction, code: string, message: string) => {
    const before = await nft(namespace, 'list', 'table', 'inet', 't')
    await expect(transaction.commit()).rejects.toMatchObject({
      code,
      reason: expect.stringContaining(message),
    })
    expect(await nft(namespace, 'list', 'table', 'inet', 't')).toBe(before)
  }
  // The kernel would go by the beginning alone, and delete the one that is there.
  const other = pair([5, 7], [80, 91])
  await refused(
    handle.transaction().delete({ element: { ...set, elem: [other] } }),
    'NFB_MISSING',
    '10.0.0.5-10.0.0.7 . 80-91 is no element of the set',
  )
  await handle
    .transaction()
    .destroy({ element: { ...set, elem: [other] } })
    .commit()
  // It would take this one, and go on giving 1 for the others.
  await refused(
    handle.transaction().add({ element: { ...map, elem: [[wide, 2]] } }),
    'NFB_EXISTS',
    '10.0.0.1-10.0.0.9 . 1-100 overlaps 10.0.0.5-10.0.0.6 . 80-90, which is in the map already with other data',
  )
  await refused(
    handle.transaction().add({ element: { ...map, elem: [[narrow, 2]] } }),
    'NFB_EXISTS',
    'is in the map already, with other data',
  )
  await refused(
    handle.transaction().add({ element: { ...set, elem: [pair([6, 7], [85, 85])] } }),
    'NFB_EXISTS',
    'overlaps',
  )
  await handle
    .transaction()
    .add({ element: { ...set, elem: [wide] } })
    .add({ element: { ...map, elem: [[wide, 1]] } })
    .commit()
  // A listing keeps the order, in which they can be made again.
  const listed = await handle.list({ family: 'inet', table: 't' })
  const again = keep(await Namespace.create())
  const copy = keep(await Nft.open({ netns: again }))
  await copy
    .transaction()
    .addAll(listed.nftables.flatMap((add) => ('opaque' in add ? [] : [{ add }])))
    .commit()
  expect(await nft(again, 'list', 'table', 'inet', 't')).toBe(
    await nft(namespace, 'list', 'table', 'inet', 't'),
  )
  await handle
    .transaction()
    .delete({ element: { ...set, elem: [narrow] } })
    .delete({ element: { ...map, elem: [narrow] } })
    .commit()
  expect(await handle.element({ ...owner, name: 's' }, { concat: ['10.0.0.5', 85] })).toEqual(wide)
})

test('who does not say that a set has ranges, nor what its types are, is not believed', async () => {
  const { namespace, handle } = await opened()
  await nftFile(namespace, 'add set inet t s { type ipv4_addr; flags interval; }')
  const unsaid = (address: string) => ({ element: { ...owner, name: 's', elem: [address] } })
  await handle.transaction().add(unsaid('10.0.0.5')).commit()
  handle
    .transaction()
    .add({ element: { ...unsaid('10.0.0.7').element, type: 'ipv4_addr' } })
    .commitSync()
  await handle
    .transaction()
    .add({ element: { ...unsaid('10.0.0.9').element, flags: [] } })
    .commit()
  const listed = async (): Promise<string> =>
    (await nft(namespace, 'list', 'set', 'inet', 't', 's')).replaceAll(/\s+/g, ' ')
  expect(await listed()).toContain('{ 10.0.0.5, 10.0.0.7, 10.0.0.9 }')
  await handle.transaction().delete(unsaid('10.0.0.7')).commit()
  expect(await listed()).toContain('{ 10.0.0.5, 10.0.0.9 }')
  await expect(
    handle
      .transaction()
      .add({ element: { ...owner, name: 'none', elem: ['10.0.0.5'] } })
      .commit(),
  ).rejects.toMatchObject({ code: 'NFB_INVALID_ARGUMENT', path: 'operations[0].element.type' })
})

test('what merges keeps what was said of it, and how long it lives', async () => {
  const { namespace, handle } = await opened()
  const set = {
    ...owner,
    name: 's',
    type: 'ipv4_addr',
    flags: ['interval', 'timeout'],
    'auto-merge': true,
  } as const
  const of = (low: number, high: number, more: object) => ({
    elem: { val: { range: [`10.0.0.${low}`, `10.0.0.${high}`] as const }, ...more },
  })
  await handle
    .transaction()
    .add({
      set: {
        ...set,
        elem: [of(0, 9, { comment: 'a' }), of(10, 19, { comment: 'b' }), of(30, 39, { timeout: 3600 })],
      },
    })
    .commit()
  await handle
    .transaction()
    .add({ element: { ...set, elem: [of(35, 44, { timeout: 7200 })] } })
    .commit()
  const listed = await nft(namespace, 'list', 'set', 'inet', 't', 's')
  expect(listed).toContain('10.0.0.0-10.0.0.19 comment "a"')
  expect(listed).toMatch(/10\.0\.0\.30-10\.0\.0\.34 timeout 1h expires 59m/)
  expect(listed).toMatch(/10\.0\.0\.35-10\.0\.0\.44 timeout 2h expires 1h59m/)
  await handle
    .transaction()
    .delete({ element: { ...set, elem: ['10.0.0.5'] } })
    .commit()
  const rest = await nft(namespace, 'list', 'set', 'inet', 't', 's')
  expect(rest).toContain('10.0.0.0-10.0.0.4 comment "a"')
  expect(rest).toContain('10.0.0.6-10.0.0.19 comment "a"')
})

test('the range that has a value, where ranges touch', async () => {
  const { namespace, handle } = await opened()
  const property = fc.asyncProperty(
    fc.constantFrom(...kinds),
    fc.uniqueArray(fc.nat(LAST), { minLength: 1, maxLength: 10 }),
    fc.nat(1),
    async (kind, starts, rest) => {
      // Each goes on to the next, or leaves a value out; the last one has one value.
      const sorted = starts.toSorted((one, other) => one - other)
      const ranges = sorted.map(
        (low, index): Bounds => [
          low,
          Math.max(low, (sorted[index + 1] ?? low + 1) - 1 - (index % 3 === 0 ? rest : 0)),
        ],
      )
      const set = { ...owner, name: 's', type: kind.type, flags: ['interval'] } as const
      const shown = ([low, high]: Bounds): Expression =>
        low === high ? kind.value(low) : { range: [kind.value(low), kind.value(high)] }
      await handle
        .transaction()
        .add({ set: { ...set, elem: ranges.map(shown) } })
        .commit()
      const listed = await handle.list({ ...owner, set: 's' })
      const [object] = listed.nftables
      const elements = object !== undefined && 'set' in object ? (object.set.elem ?? []) : []
      for (const number of numbers) {
        const index = ranges.findIndex(([low, high]) => number >= low && number <= high)
        expect(await handle.element({ ...owner, name: 's' }, kind.value(number))).toEqual(elements[index])
      }
      await handle.transaction().delete({ set }).commit()
    },
  )
  await fc.assert(property, { numRuns: 40 })
  expect(await nft(namespace, 'list', 'table', 'inet', 't')).not.toContain('set')
})

test('what is read for it: nothing for hash sets, and for one range after another', async () => {
  const { namespace, handle } = await opened()
  const socket = keep(await namespace.openSocket('netfilter'))
  let asked: string[] = []
  const told = <T>(what: string, outcome: T): T => {
    asked.push(what)
    return outcome
  }
  const counting = new Connection({
    port: socket.port,
    request: (words) => told('request', socket.request(words)),
    requestSync: (words) => told('request', socket.requestSync(words)),
    dump: (words) => told('dump', socket.dump(words)),
    dumpSync: (words) => told('dump', socket.dumpSync(words)),
    dumpPart: (words) => socket.dumpPart(words),
    transaction: (words, options) => told('batch', socket.transaction(words, options)),
    transactionSync: (words, options) => told('batch', socket.transactionSync(words, options)),
    forget: (words, patterns) => socket.forget(words, patterns),
    roundTrip: () => socket.roundTrip(),
    close: () => socket.close(),
  })
  const asks = async (
    sync: boolean,
    ...changes: ((transaction: Transaction) => Transaction)[]
  ): Promise<string> => {
    asked = []
    const transaction = changes.reduce((all, change) => change(all), new Transaction(counting))
    if (sync) transaction.commitSync()
    else await transaction.commit()
    return asked.join(' ')
  }
  const hash = { ...owner, name: 'h', type: 'ipv4_addr' } as const
  const ranged = { ...owner, name: 'r', type: 'ipv4_addr', flags: ['interval'] } as const
  const put = (set: typeof hash | typeof ranged, address: string) => (transaction: Transaction) =>
    transaction.add({ element: { ...set, elem: [address] } })
  for (const sync of [false, true]) {
    const at = sync ? 100 : 0
    await handle.transaction().add({ set: hash }).add({ set: ranged }).commit()
    // The first time it is asked whether a set that is said to be of single keys is that.
    if (!sync) expect(await asks(sync, put(hash, '10.0.0.1'))).toBe('request request batch')
    expect(await asks(sync, put(hash, `10.0.0.${at + 2}`))).toBe('batch')
    expect(await asks(sync, put(ranged, `10.0.0.${at + 1}`))).toBe('request request dump batch')
    expect(await asks(sync, put(ranged, `10.0.0.${at + 3}`))).toBe('batch')
    expect(await asks(sync, put(ranged, `10.0.0.${at + 5}`), put(ranged, `10.0.0.${at + 7}`))).toBe('batch')
    // Somebody else commits.
    await handle
      .transaction()
      .add({ element: { ...ranged, elem: [`10.0.0.${at + 9}`] } })
      .commit()
    expect(await asks(sync, put(ranged, `10.0.0.${at + 11}`))).toBe('batch request request dump batch')
    await expect(asks(sync, put(ranged, `10.0.0.${at + 9}`))).resolves.toBeDefined()
  }
  // What the transaction makes or empties is known.
  expect(
    await asks(false, (all) =>
      all.flush({ set: ranged }).create({ set: { ...ranged, name: 'new', elem: ['10.0.0.1'] } }),
    ),
  ).toBe('batch')
  const { code } = await run('nsenter', [
    `--net=${namespace.path()}`,
    '--',
    'nft',
    'get',
    'element',
    'inet',
    't',
    'new',
    '{ 10.0.0.1 }',
  ])
  expect(code).toBe(0)
})
