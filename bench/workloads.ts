/** What the rows commit, once as the product's objects and once as text for each of the other programs. */
import {
  type ElementObject,
  type Nft,
  type Preparable,
  type RuleObject,
  type RulesetObject,
  type SetObject,
  slot,
  type Transaction,
} from 'nfbridge/nft'

export const table = { family: 'ip', name: 'bench' } as const
export const chainName = 'forward'
export const setName = 'members'

/** A transaction that adds the objects. */
export function adding(nft: Nft, objects: Iterable<RulesetObject>): Transaction {
  const transaction = nft.transaction()
  for (const object of objects) transaction.add(object)
  return transaction
}

/** The n-th address of a /8: distinct for n < 2^24. */
function address(network: number, n: number): string {
  return `${network}.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`
}

/** What the n-th rule tests; all differ. */
export interface RuleValues {
  readonly saddr: string
  readonly daddr: string
  readonly dport: number
}

const port = (n: number): number => 1024 + (n % 60_000)

export function ruleValues(n: number): RuleValues {
  return { saddr: address(10, n), daddr: address(172, n), dport: port(n) }
}

/** The table and its base chain. */
export const tableAndChain: readonly RulesetObject[] = [
  { table },
  {
    chain: {
      family: table.family,
      table: table.name,
      name: chainName,
      type: 'filter',
      hook: 'forward',
      prio: 0,
    },
  },
]

/** `ip saddr A ip daddr B tcp dport P counter accept` */
export function rule(n: number): RuleObject {
  return ruleOf(ruleValues(n))
}

/** The same with slots, to be prepared. */
export const ruleWithSlots: Preparable = ruleOf({
  saddr: slot('saddr'),
  daddr: slot('daddr'),
  dport: slot('dport'),
})

/** Rows for {@link ruleWithSlots}, as lists and as numbers. */
export function ruleRows(count: number): readonly (readonly [string, string, number])[] {
  return Array.from({ length: count }, (_, n) => {
    const { saddr, daddr, dport } = ruleValues(n)
    return [saddr, daddr, dport] as const
  })
}

export function ruleNumbers(count: number): Uint32Array {
  const rows = new Uint32Array(3 * count)
  for (let n = 0; n < count; n++)
    rows.set([0x0a000000 + (n & 0xffffff), 0xac000000 + (n & 0xffffff), port(n)], 3 * n)
  return rows
}

type Constant = string | number | ReturnType<typeof slot>

function ruleOf({
  saddr,
  daddr,
  dport,
}: {
  readonly saddr: Constant
  readonly daddr: Constant
  readonly dport: Constant
}): RuleObject {
  return {
    rule: {
      family: table.family,
      table: table.name,
      chain: chainName,
      expr: [
        { match: { op: '==', left: { payload: { protocol: 'ip', field: 'saddr' } }, right: saddr } },
        { match: { op: '==', left: { payload: { protocol: 'ip', field: 'daddr' } }, right: daddr } },
        { match: { op: '==', left: { payload: { protocol: 'tcp', field: 'dport' } }, right: dport } },
        { counter: null },
        { accept: null },
      ],
    },
  }
}

/** The same rules for `nft -f`. */
export function rulesForNft(count: number): string {
  const lines = Array.from({ length: count }, (_, n) => {
    const { saddr, daddr, dport } = ruleValues(n)
    return `    ip saddr ${saddr} ip daddr ${daddr} tcp dport ${dport} counter accept`
  })
  return `table ${table.family} ${table.name} {
  chain ${chainName} {
    type filter hook forward priority 0
${lines.join('\n')}
  }
}
`
}

/** The same rules for `nft -j -f`: our objects are libnftables' JSON. */
export function rulesForJson(count: number): string {
  const objects = [...tableAndChain, ...Array.from({ length: count }, (_, n) => rule(n))]
  return JSON.stringify({ nftables: objects.map((object) => ({ add: object })) })
}

/** The same rules for iptables-restore, whose rules count without being told. */
export function rulesForIptables(count: number): string {
  const lines = Array.from({ length: count }, (_, n) => {
    const { saddr, daddr, dport } = ruleValues(n)
    return `-A FORWARD -s ${saddr}/32 -d ${daddr}/32 -p tcp -m tcp --dport ${dport} -j ACCEPT`
  })
  return `*filter\n:INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT ACCEPT\n${lines.join('\n')}\nCOMMIT\n`
}

/** An empty filter table: takes away what {@link rulesForIptables} put there. */
export const emptyForIptables = rulesForIptables(0)

/** The set of addresses, declared with room for one more than `count`. */
export function addressSet(count: number): readonly RulesetObject[] {
  const { family, name } = table
  return [
    { table },
    { set: { family, table: name, name: setName, type: 'ipv4_addr', size: 2 * count } },
    elements(Array.from({ length: count }, (_, n) => address(10, n))),
  ]
}

export function elements(values: readonly string[]): ElementObject {
  return {
    element: { family: table.family, table: table.name, name: setName, elem: values, type: 'ipv4_addr' },
  }
}

/** The address that the element row adds and takes away. */
export const extraAddress = '192.0.2.1'

/** The set for `nft -f`. */
export function addressSetForNft(count: number): string {
  const values = Array.from({ length: count }, (_, n) => address(10, n))
  return `table ${table.family} ${table.name} {
  set ${setName} {
    type ipv4_addr
    size ${2 * count}
    elements = { ${values.join(', ')} }
  }
}
`
}

/** A set of connections: client, server, protocol and port. */
export const linkSet: SetObject = {
  set: {
    family: table.family,
    table: table.name,
    name: 'links',
    type: ['ipv4_addr', 'ipv4_addr', 'inet_proto', 'inet_service'],
  },
}
export const linkColumns = ['client', 'server', 'protocol', 'port'] as const

export type Link = readonly [client: string, server: string, protocol: string, port: number]

/** The n-th connection; all differ. */
function link(n: number): Link {
  return [address(10, n), address(172, n), 'tcp', port(n)]
}

export function linkRows(count: number): readonly Link[] {
  return Array.from({ length: count }, (_, n) => link(n))
}

/** The same as numbers, four a row. */
export function linkNumbers(count: number): Uint32Array {
  const rows = new Uint32Array(4 * count)
  for (let n = 0; n < count; n++)
    rows.set([0x0a000000 + (n & 0xffffff), 0xac000000 + (n & 0xffffff), 6, port(n)], 4 * n)
  return rows
}

/** The same as an object, with its table and set in front. */
export function linkObjects(count: number): readonly RulesetObject[] {
  const { family, table: owner, name } = linkSet.set
  const elem = linkRows(count).map((concat) => ({ concat }))
  return [{ table }, linkSet, { element: { family, table: owner, name, elem } }]
}

export function linksForNft(count: number): string {
  return `table ${table.family} ${table.name} {
  set ${linkSet.set.name} {
    type ipv4_addr . ipv4_addr . inet_proto . inet_service
    elements = { ${linkRows(count)
      .map((fields) => fields.join(' . '))
      .join(', ')} }
  }
}
`
}

export function linksForJson(count: number): string {
  return JSON.stringify({ nftables: linkObjects(count).map((object) => ({ add: object })) })
}
