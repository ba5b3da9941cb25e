/** What nft -j -f takes beside what it prints: read by us, and made the same by both. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Namespace } from '../../src/netns/index.js'
import { Nft, ruleset, toText } from '../../src/nft/index.js'
import { kernelRecords } from '../conformance/records.js'
import { closeAfterEach, newNamespaces } from '../support/namespaces.js'
import { nft, nftFile } from '../support/tools.js'

const keep = closeAfterEach()

const world = `table inet t {
  set s { type ipv4_addr . inet_service; size 1000; flags dynamic; }
  map m { type ipv4_addr . inet_service : mark; size 1000; flags dynamic; }
  chain c { }
}
`
const ports = { concat: [{ payload: { protocol: 'ip', field: 'saddr' } }, 22] }
const of = (left: object, right: unknown, op = '=='): object => ({ match: { op, left, right } })
const meta = (key: string): object => ({ meta: { key } })
const ct = (key: string): object => ({ ct: { key } })
const comp = { payload: { protocol: 'comp', field: 'flags' } }
const mask = { '&': [{ payload: { protocol: 'ip', field: 'saddr' } }, '0xffff00ff'] }

const forms: readonly (readonly [title: string, expr: readonly object[]])[] = [
  ['a constant in the key of a set statement', [{ set: { op: 'add', elem: ports, set: '@s' } }]],
  ['a prefix of a mark', [of(meta('mark'), { prefix: { addr: 0xffffff00, len: 24 } })]],
  ['a duration', [of(ct('expiration'), '30s')]],
  ['a duration of several units', [of(ct('expiration'), '4d23h59m59s', '>')]],
  ['a range of durations', [of(ct('expiration'), { range: ['1m', '1h'] })]],
  ['a user by its name', [of(meta('skuid'), 'daemon')]],
  ['users by their names', [of(meta('skuid'), { set: ['root', 'daemon', 7] })]],
  ['a group by its name', [of(meta('skgid'), 'root', '!=')]],
  ['a hexadecimal priority', [of(meta('priority'), '0x87654321')]],
  ['a hexadecimal mask', [of(mask, '1.2.0.4')]],
  ['a TCP option by its kind', [{ reset: { 'tcp option': { base: 123, offset: 0, len: 0 } } }]],
  ['flags of IPComp', [of(comp, { set: ['0x33', '0x55'] })]],
]

async function made(): Promise<Namespace> {
  const [namespace] = await newNamespaces(keep, 1)
  if (!namespace) throw new Error('no namespace')
  await nftFile(namespace, world)
  return namespace
}

it.each(forms)('%s', async (_, expr) => {
  const [theirs, ours, again] = [await made(), await made(), await made()]
  const json = { nftables: [{ add: { rule: { family: 'inet', table: 't', chain: 'c', expr } } }] }
  const folder = await mkdtemp(join(tmpdir(), 'nfbridge-forms-'))
  try {
    const file = join(folder, 'rules.json')
    await writeFile(file, JSON.stringify(json))
    await nft(theirs, '-j', '-f', file)
  } finally {
    await rm(folder, { recursive: true })
  }
  const connection = keep(await Nft.open({ netns: ours }))
  const { nftables } = await connection.list()
  const transaction = connection.transaction()
  for (const object of nftables) if ('set' in object || 'map' in object) transaction.declare(object)
  await transaction.addAll(ruleset.fromJson(json).operations).commit()
  const expected = (await kernelRecords(theirs)).chains
  expect((await kernelRecords(ours)).chains).toEqual(expected)

  // It is listed as more than bytes, and nft reads the text of it.
  const rules = (await connection.list()).nftables.flatMap((object) =>
    'rule' in object ? [object.rule] : [],
  )
  expect(rules[0]?.expr.some((statement) => 'opaque' in statement)).toBe(false)
  await nft(again, `add rule inet t c ${toText(rules[0]?.expr ?? [], { family: 'inet' })}`)
  expect((await kernelRecords(again)).chains).toEqual(expected)
})

it('what is there as null is not there', () => {
  const chain = {
    family: 'inet',
    table: 't',
    name: 'c',
    type: 'filter',
    hook: 'input',
    prio: 0,
    policy: null,
  }
  expect(ruleset.fromJson({ nftables: [{ chain }] }).nftables[0]).toEqual({
    chain: { family: 'inet', table: 't', name: 'c', type: 'filter', hook: 'input', prio: 0 },
  })
})

it('what is none of several is told all of them', () => {
  const left = { payload: { protocol: 'ahh', field: 'spi' } }
  const rule = { family: 'inet', table: 't', chain: 'c', expr: [of(left, 5)] }
  expect(() => ruleset.fromJson({ nftables: [{ rule }] })).toThrow(
    /"ahh" is not what is expected: "ah", "arp", .*"vlan".* \(at nftables\[0\].rule.expr\[0\].match.left.payload.protocol\)/,
  )
})
