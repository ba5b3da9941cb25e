/** What the rows commit, once as the product's objects and once as text for each of the other programs. */
import type { ElementObject, Nft, RuleObject, RulesetObject, Transaction } from 'nfbridge/nft'

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

export function ruleValues(n: number): RuleValues {
  return { saddr: address(10, n), daddr: address(172, n), dport: 1024 + (n % 60_000) }
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
  const { saddr, daddr, dport } = ruleValues(n)
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
