import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SocketHandle } from '../../src/native/addon.js'
import { unwrap } from '../../src/native/failure.js'
import { Packer } from '../../src/native/pack.js'
import { Namespace } from '../../src/netns/index.js'
import { compileOperation, type Operation, SetScope, Trail } from '../../src/nft/compile/index.js'
import { listRuleset } from '../../src/nft/list.js'
import type { ListedObject, Rule } from '../../src/nft/model/index.js'
import { ip, nft, nftFile, nftJson, runIn } from '../support/tools.js'
import { comparable, kind } from './nft-list-compare.js'
import { differences, type RuleGroup, sameAsNft, simplerAfterwards } from './nft-list-lines.js'
import { statementsSameAsNft } from './nft-list-statements.js'
import { tableWith } from './nft-list-table.js'

const spaces: Namespace[] = []
const sockets: SocketHandle[] = []

async function space(): Promise<{ namespace: Namespace; socket: SocketHandle }> {
  const namespace = await Namespace.create()
  spaces.push(namespace)
  await ip(namespace, 'link', 'set', 'lo', 'up')
  const socket = await namespace.openSocket('netfilter')
  sockets.push(socket)
  return { namespace, socket }
}

let here: { namespace: Namespace; socket: SocketHandle }
beforeEach(async () => {
  here = await space()
})
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close()
  for (const namespace of spaces.splice(0)) namespace.close()
})

/** The chain's lines as nft prints them, without the numbers of counters; of flags in a set, nft does not say the order. */
async function text(namespace: Namespace, { family }: RuleGroup): Promise<string[]> {
  const printed = await nft(namespace, '-s', 'list', 'chain', family, 't', 'i')
  return printed
    .replace(/\{ ([^{}]+) \}/g, (_, elements: string) => `{ ${elements.split(', ').sort().join(', ')} }`)
    .split('\n')
}

async function rulesOf(socket: SocketHandle, family: RuleGroup['family']): Promise<Rule[]> {
  const { nftables } = await listRuleset(socket, { family, table: 't', chain: 'i' })
  return nftables.flatMap((object) => ('rule' in object ? [object.rule] : []))
}

/** What is listed, as operations that make it again; chains before the maps whose verdicts name them. */
function again(objects: readonly ListedObject[]): Operation[] {
  const operations: Operation[] = []
  for (const object of objects) if ('table' in object) operations.push({ add: object })
  for (const object of objects) if ('chain' in object) operations.push({ add: object })
  // What is neither of the other kinds is a named object, to which maps may refer.
  const others = ['table', 'chain', 'rule', 'set', 'map', 'opaque']
  for (const object of objects)
    if (!others.some((kind) => kind in object) && !('opaque' in object)) operations.push({ add: object })
  for (const object of objects) if ('set' in object || 'map' in object) operations.push({ add: object })
  for (const object of objects)
    if ('rule' in object) {
      const { handle, ...rule } = object.rule
      operations.push({ add: { rule } })
    }
  return operations
}

async function commit(socket: SocketHandle, operations: readonly Operation[]): Promise<void> {
  const packer = new Packer()
  const scope = new SetScope()
  const batch = { sink: packer, scope, trail: new Trail(), nextSetId: 0 }
  for (const operation of operations) {
    if ('add' in operation && 'set' in operation.add) scope.declare(operation.add.set)
    if ('add' in operation && 'map' in operation.add) scope.declare(operation.add.map)
    compileOperation(batch, operation, { echo: false })
  }
  unwrap(await socket.transaction(packer.words()), 'test.commit')
}

describe.each([...sameAsNft, ...statementsSameAsNft])('$title ($family)', (group) => {
  it('is listed as nft lists it', async () => {
    await nftFile(here.namespace, tableWith(group))
    const theirs = kind(await nftJson(here.namespace, 'list', 'chain', group.family, 't', 'i'), 'rule')
    const ours = await rulesOf(here.socket, group.family)
    expect(ours.length).toBe(group.lines.length)
    for (const [index, line] of group.lines.entries())
      expect(comparable(ours[index]?.expr), line).toEqual(comparable(theirs[index]?.expr))
    for (const [index, line] of group.lines.entries())
      expect(ours[index]?.comment, line).toBe(theirs[index]?.comment)
  })

  it('is the same after it was written back from the listing', async () => {
    await nftFile(here.namespace, tableWith(group))
    const { nftables } = await listRuleset(here.socket)
    const there = await space()
    await commit(there.socket, again(nftables))
    expect(await text(there.namespace, group)).toEqual(await text(here.namespace, group))
  })
})

it('extensions of xtables are the same after they were written back', async () => {
  const rules = [
    '-m conntrack --ctstate ESTABLISHED -j ACCEPT',
    '-m comment --comment text -m statistic --mode nth --every 3 --packet 0 -j DROP',
    '-p udp -j LOG --log-prefix x',
  ]
  for (const rule of rules) await runIn(here.namespace, 'iptables-nft', ['-A', 'INPUT', ...rule.split(' ')])
  const filter = { family: 'ip', table: 'filter', chain: 'INPUT' } as const
  const { nftables } = await listRuleset(here.socket, filter)
  const listed = nftables.flatMap((object) => ('rule' in object ? [object.rule] : []))
  expect(listed.length).toBe(rules.length)
  for (const { expr } of listed) expect(expr.some((statement) => 'xt' in statement)).toBe(true)
  const there = await space()
  // The chains are there already, as iptables makes them.
  await runIn(there.namespace, 'iptables-nft', ['-N', 'OTHER'])
  await runIn(there.namespace, 'iptables-nft', ['-X', 'OTHER'])
  await runIn(there.namespace, 'iptables-nft', ['-A', 'INPUT', '-j', 'ACCEPT'])
  await runIn(there.namespace, 'iptables-nft', ['-F', 'INPUT'])
  await commit(
    there.socket,
    again(nftables).filter((operation) => 'add' in operation && 'rule' in operation.add),
  )
  const saved = async (namespace: Namespace): Promise<string[]> =>
    (await runIn(namespace, 'iptables-nft', ['-S', 'INPUT'])).split('\n')
  expect(await saved(there.namespace)).toEqual(await saved(here.namespace))
  expect((await saved(there.namespace)).length).toBeGreaterThan(rules.length)
})

it.each(simplerAfterwards)('$line becomes $afterwards', async ({ line, afterwards }) => {
  const group = { family: 'inet', hook: 'type filter hook input priority 0;' } as const
  await nftFile(here.namespace, tableWith({ ...group, lines: [line] }))
  const [theirs] = kind(await nftJson(here.namespace, 'list', 'chain', 'inet', 't', 'i'), 'rule')
  const [ours] = await rulesOf(here.socket, 'inet')
  expect(comparable(ours?.expr)).toEqual(comparable(theirs?.expr))
  const there = await space()
  const { nftables } = await listRuleset(here.socket)
  await commit(there.socket, again(nftables))
  expect(await nft(there.namespace, 'list', 'chain', 'inet', 't', 'i')).toContain(`\t\t${afterwards}\n`)
})

it.each(differences)('differs from nft on purpose: $line ($why)', async ({ family, line, ours }) => {
  const hook =
    family === 'inet' ? 'type filter hook input priority 0;' : 'type filter hook prerouting priority 0;'
  await nftFile(here.namespace, tableWith({ family, hook, lines: [line] }))
  const [theirs] = kind(await nftJson(here.namespace, 'list', 'chain', family, 't', 'i'), 'rule')
  const [rule] = await rulesOf(here.socket, family)
  expect(rule?.expr).toEqual(ours)
  expect(comparable(theirs?.expr), 'nft says the same: no difference to list').not.toEqual(comparable(ours))
})
