/** Random values of the rule language. What {@link rules} gives is canonical: a listing gives the same value back. */
import fc from 'fast-check'
import { datatype, headers } from '../../src/nft/datatype/index.js'
import type {
  DatatypeName,
  Expression,
  Family,
  Immediate,
  MatchOperator,
  NamedMap,
  NamedSet,
  PayloadProtocol,
  SetFlag,
  Statement,
} from '../../src/nft/model/index.js'

/** A value as a listing shows it, from a number of so many bits. */
function shown(type: DatatypeName, bits: number, number: bigint): Immediate {
  const length = Math.ceil(bits / 8)
  const bytes = new Uint8Array(length)
  for (let index = 0; index < length; index++)
    bytes[length - 1 - index] = Number((number >> BigInt(8 * index)) & 0xffn)
  return datatype(type).read(bytes, 0, length, 'big')
}

const number = (bits: number): fc.Arbitrary<bigint> => fc.bigInt({ min: 0n, max: (1n << BigInt(bits)) - 1n })

/** One value of a type. */
export function value(type: DatatypeName, bits: number): fc.Arbitrary<Immediate> {
  const { symbols = [] } = datatype(type)
  const any = number(bits).map((one) => shown(type, bits, one))
  if (symbols.length === 0) return any
  return fc.oneof(
    any,
    fc.constantFrom(...symbols).map(([, one]) => shown(type, bits, BigInt(one))),
  )
}

/** A network: all its bits, and some of them zero. */
function prefix(type: DatatypeName, bits: number): fc.Arbitrary<Expression> {
  return fc.tuple(number(bits), fc.integer({ min: 1, max: bits - 1 })).map(([address, len]) => {
    const rest = BigInt(bits - len)
    return { prefix: { addr: String(shown(type, bits, (address >> rest) << rest)), len } }
  })
}

/** Two ends in their order; not a whole network, which a listing may show as such. */
function range(type: DatatypeName, bits: number): fc.Arbitrary<Expression> {
  const odd = fc.tuple(number(bits), number(bits)).filter(([one, other]) => one !== other)
  return odd.map(([one, other]) => {
    const [low, high] = one < other ? [one, other] : [other, one]
    return { range: [shown(type, bits, low), shown(type, bits, high)] }
  })
}

/** Several different values. */
function set(type: DatatypeName, bits: number): fc.Arbitrary<Expression> {
  const max = Math.min(4, 2 ** Math.min(bits, 8))
  return fc
    .uniqueArray(value(type, bits), { minLength: Math.min(2, max), maxLength: max })
    .map((elements) => ({ set: elements }))
}

const equality: fc.Arbitrary<MatchOperator> = fc.constantFrom('==', '!=')
const order: fc.Arbitrary<MatchOperator> = fc.constantFrom('<', '>', '<=', '>=')

/** A comparison of something whose values have a type. */
function match(left: Expression, type: DatatypeName, bits: number): fc.Arbitrary<Statement> {
  const compared = (
    op: fc.Arbitrary<MatchOperator>,
    right: fc.Arbitrary<Expression>,
  ): fc.Arbitrary<Statement> =>
    fc.tuple(op, right).map(([operator, operand]) => ({ match: { op: operator, left, right: operand } }))
  const some = [compared(equality, value(type, bits)), compared(equality, set(type, bits))]
  // Ranges of what has names are listed as numbers here and as names there, as nft does it.
  if (!datatype(type).symbols) some.push(compared(equality, range(type, bits)))
  if (type === 'integer' || type === 'inet_service' || type === 'mark')
    some.push(compared(order, value(type, bits)))
  if (type === 'ipv4_addr' || type === 'ipv6_addr') some.push(compared(equality, prefix(type, bits)))
  return fc.oneof(...some)
}

/** Fields that say which protocol comes next: a match on them can be implied by another, and is then not listed. */
const facts: ReadonlySet<string> = new Set([
  'ether type',
  'vlan type',
  'ip protocol',
  'ip6 nexthdr',
  'icmp type',
  'icmpv6 type',
  // ICMP messages whose type follows from the field.
  'icmp id',
  'icmp sequence',
  'icmp mtu',
  'icmp gateway',
  'icmpv6 id',
  'icmpv6 sequence',
  'icmpv6 mtu',
  'icmpv6 parameter-problem',
  'icmpv6 max-delay',
  // Their values are of other types in nft's eyes than their numbers say.
  'tcp flags',
])

/** Matches on fields of a header, in their order in the packet: neighbours are merged and listed in that order. */
export function headerMatches(protocol: PayloadProtocol): fc.Arbitrary<readonly Statement[]> {
  const fields = Object.entries(headers[protocol].fields)
    .filter(([field]) => !facts.has(`${protocol} ${field}`))
    .sort(([, one], [, other]) => one.offset - other.offset)
  return fc.subarray(fields, { maxLength: Math.min(3, fields.length) }).chain((some) =>
    fc.tuple(
      ...some.map(([field, { type, bits }]) =>
        // A pair of the table of headers.
        match({ payload: { protocol, field } } as Expression, type, bits),
      ),
    ),
  )
}

const metaMatch: fc.Arbitrary<Statement> = fc.oneof(
  match({ meta: { key: 'mark' } }, 'mark', 32),
  match({ meta: { key: 'length' } }, 'integer', 32),
  match({ meta: { key: 'cgroup' } }, 'integer', 32),
  match({ meta: { key: 'skuid' } }, 'uid', 32),
  match({ meta: { key: 'skgid' } }, 'gid', 32),
  match({ meta: { key: 'iifgroup' } }, 'devgroup', 32),
  match({ meta: { key: 'pkttype' } }, 'pkt_type', 8),
  fc
    .tuple(
      fc.constantFrom('iifname' as const, 'oifname' as const),
      fc.stringMatching(/^[a-z][a-z0-9]{0,13}\*?$/),
    )
    .map(([key, right]): Statement => ({ match: { op: '==', left: { meta: { key } }, right } })),
)

const ctMatch: fc.Arbitrary<Statement> = fc.oneof(
  fc.subarray(['invalid', 'established', 'related', 'new', 'untracked'] as const, { minLength: 1 }).map(
    (states): Statement => ({
      match: {
        op: 'in',
        left: { ct: { key: 'state' } },
        right: states.length === 1 ? (states[0] ?? 'new') : states,
      },
    }),
  ),
  match({ ct: { key: 'mark' } }, 'mark', 32),
  fc
    .tuple(fc.constantFrom('original' as const, 'reply' as const), value('ipv4_addr', 32))
    .map(
      ([dir, right]): Statement => ({ match: { op: '==', left: { ct: { key: 'ip saddr', dir } }, right } }),
    ),
)

const action: fc.Arbitrary<Statement> = fc.oneof(
  fc.record({ packets: fc.nat(), bytes: fc.nat() }).map((counter): Statement => ({ counter })),
  fc
    .record({
      rate: fc.integer({ min: 1, max: 1000 }),
      burst: fc.integer({ min: 1, max: 1000 }),
      per: fc.constantFrom(
        'second' as const,
        'minute' as const,
        'hour' as const,
        'day' as const,
        'week' as const,
      ),
    })
    .map((limit): Statement => ({ limit })),
  fc.stringMatching(/^[ -!#-~]{1,40}$/).map((text): Statement => ({ log: { prefix: text } })),
  number(32).map((mark): Statement => ({ mangle: { key: { meta: { key: 'mark' } }, value: Number(mark) } })),
  number(32).map((mark): Statement => ({ mangle: { key: { ct: { key: 'mark' } }, value: Number(mark) } })),
)

const verdict: fc.Arbitrary<readonly Statement[]> = fc.constantFrom<readonly Statement[]>(
  [],
  [{ accept: null }],
  [{ drop: null }],
  [{ return: null }],
  [{ jump: { target: 'other' } }],
  [{ goto: { target: 'other' } }],
)

const others = fc.array(fc.oneof(metaMatch, ctMatch, action), { maxLength: 2 })

const transports = ['tcp', 'udp', 'udplite', 'sctp', 'dccp', 'ah', 'esp', 'comp'] as const

/** Statements of a rule in a table of family inet, with at most one network and one transport header. */
export const rules: fc.Arbitrary<readonly Statement[]> = fc
  .tuple(fc.constantFrom('ip' as const, 'ip6' as const), fc.constantFrom(...transports))
  .chain(([network, transport]) =>
    fc.tuple(others, headerMatches(network), others, headerMatches(transport), others, verdict),
  )
  .map((parts) => parts.flat())
  .filter((statements) => statements.length > 0)

const keyTypes = [
  ['ipv4_addr', 32],
  ['ipv6_addr', 128],
  ['inet_service', 16],
  ['mark', 32],
  ['ether_addr', 48],
  ['inet_proto', 8],
] as const

/** A key of some fields, each of its own type. */
const keys = fc.array(fc.constantFrom(...keyTypes), { minLength: 1, maxLength: 3 }).map((fields) => ({
  type: fields.length === 1 ? (fields[0]?.[0] ?? 'mark') : fields.map(([name]) => name),
  key: fc
    .tuple(...fields.map(([name, bits]) => value(name, bits)))
    .map((parts): Expression => (parts.length === 1 ? (parts[0] ?? 0) : { concat: parts })),
}))

const comment = fc.option(fc.stringMatching(/^[ -~]{1,40}$/), { nil: undefined })
const owner = { family: 'inet', table: 't' } as const satisfies { family: Family; table: string }
const size = fc.option(fc.integer({ min: 16, max: 100_000 }), { nil: undefined })

/** A named set with some elements. */
export const sets: fc.Arbitrary<NamedSet> = keys.chain(({ type, key }) =>
  fc
    .record({
      elem: fc.uniqueArray(fc.tuple(key, comment), {
        maxLength: 8,
        selector: ([one]) => JSON.stringify(one),
      }),
      comment,
      size,
      timeout: fc.option(fc.integer({ min: 1, max: 100_000 }), { nil: undefined }),
    })
    .map(({ elem, comment: text, size: most, timeout }) => ({
      ...owner,
      name: 's',
      type,
      ...(timeout !== undefined && { flags: ['timeout'] satisfies SetFlag[], timeout }),
      ...(most !== undefined && { size: most }),
      ...(text !== undefined && { comment: text }),
      // Elements of a set with a timeout are listed with theirs, which is not what this is about.
      ...(timeout === undefined &&
        elem.length > 0 && {
          elem: elem.map(([val, words]) => (words === undefined ? val : { elem: { val, comment: words } })),
        }),
    })),
)

/** A named map to values or verdicts. */
export const maps: fc.Arbitrary<NamedMap> = keys.chain(({ type, key }) => {
  const toValues = fc.constantFrom(...keyTypes).chain(([name, bits]) =>
    fc
      .uniqueArray(fc.tuple(key, value(name, bits)), {
        maxLength: 8,
        selector: ([one]) => JSON.stringify(one),
      })
      .map((elem): NamedMap => ({ ...owner, name: 'm', type, map: name, ...(elem.length > 0 && { elem }) })),
  )
  const toVerdicts = fc
    .uniqueArray(
      fc.tuple(
        key,
        fc.constantFrom({ accept: null }, { drop: null }, { jump: { target: 'other' } } as const),
      ),
      { maxLength: 8, selector: ([one]) => JSON.stringify(one) },
    )
    .map(
      (elem): NamedMap => ({ ...owner, name: 'm', type, map: 'verdict', ...(elem.length > 0 && { elem }) }),
    )
  return fc.oneof(toValues, toVerdicts)
})

/** What stands where something else belongs. */
export const wrong: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    undefined,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    -1,
    0,
    2 ** 32,
    2 ** 53,
    12n,
    '',
    '@',
    '__proto__',
    'constructor',
    'a\0b',
    '\u{1f600}',
    'x'.repeat(70_000),
    [],
    {},
    [[]],
    { set: [] },
    { concat: [] },
    { elem: null },
    { map: {} },
    true,
    false,
  ),
  fc.anything({
    withBigInt: true,
    withNullPrototype: true,
    withTypedArray: true,
    withDate: true,
    maxDepth: 2,
  }),
)

/** `value` with one of its parts, at any depth, replaced by another. */
export function replaced(value: unknown, place: number, other: unknown): unknown {
  const count = places(value)
  return replaceAt(value, place % count, other)
}

function children(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : []
}

/** How many parts a value has, itself among them. */
function places(value: unknown): number {
  return children(value).reduce((sum, [, child]) => sum + places(child), 1)
}

function replaceAt(value: unknown, place: number, other: unknown): unknown {
  if (place === 0) return other
  let left = place - 1
  const pairs = children(value).map(([key, child]): [string, unknown] => {
    const count = places(child)
    const isHere = left >= 0 && left < count
    const result = isHere ? replaceAt(child, left, other) : child
    left -= count
    return [key, result]
  })
  return Array.isArray(value) ? pairs.map(([, child]) => child) : Object.fromEntries(pairs)
}
