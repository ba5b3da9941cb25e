import { expect, test } from 'vitest'
import { NfbridgeError } from '../../../src/errors.js'
import type { SocketHandle } from '../../../src/native/addon.js'
import { unknownDestroy } from '../../../src/nft/commit.js'
import { chainKey, isLong, type Operation, RuleOrder } from '../../../src/nft/compile/index.js'
import { Connection } from '../../../src/nft/connection.js'
import { needsOf as neededFor } from '../../../src/nft/listed.js'
import type { Rule } from '../../../src/nft/model/index.js'
import { ToldSets } from '../../../src/nft/told-sets.js'
import { Transaction } from '../../../src/nft/transaction.js'

const inChain = { family: 'ip', table: 't', chain: 'c' } as const
const rule = (more: Partial<Rule> = {}): Rule => ({ ...inChain, expr: [], ...more })

function invalid(path: string, kernelMessage?: string): NfbridgeError {
  return new NfbridgeError({
    code: 'NFB_REJECTED',
    operation: 'nft.commit',
    message: 'the kernel rejects it',
    errno: 'EINVAL',
    path,
    kernelMessage,
  })
}

test('a kernel too old to destroy is told from other reasons for EINVAL', () => {
  const operations: Operation[] = [
    { add: { table: { family: 'ip', name: 't' } } },
    { destroy: { table: { family: 'ip', name: 'u' } } },
  ]
  const error = invalid('operations[1].table')
  for (const kernel of ['5.10.0-32-amd64', '6.2.16', '6.1.0-28-cloud-amd64'])
    expect(unknownDestroy(error, operations, kernel)).toMatchObject({
      code: 'NFB_NOT_SUPPORTED',
      path: 'operations[1].table',
      cause: error,
    })
  for (const kernel of ['6.3.0', '6.18.1', '7.0.0'])
    expect(unknownDestroy(error, operations, kernel)).toBeUndefined()
  expect(unknownDestroy(invalid('operations[0].table'), operations, '5.10.0')).toBeUndefined()
  expect(unknownDestroy(invalid('operations[1].table', 'words'), operations, '5.10.0')).toBeUndefined()
  expect(unknownDestroy(new Error('other'), operations, '5.10.0')).toBeUndefined()
})

test('only what needs a listing is listed, each chain once', () => {
  const needsOf = (operations: readonly Operation[]) => neededFor(operations, [], new ToldSets(), true)
  expect(needsOf([{ add: { rule: rule() } }, { insert: { rule: rule({ handle: 4 }) } }])).toBeUndefined()
  const needs = needsOf([
    { add: { rule: rule({ index: 0 }) } },
    { insert: { rule: rule({ index: 1 }) } },
    { create: { rule: rule({ index: 1, chain: 'd' }) } },
    { rename: { chain: { family: 'ip', table: 't', name: 'c', newname: 'x' } } },
    { rename: { chain: { family: 'ip', table: 't', name: 'd', newname: 'y', handle: 4 } } },
  ])
  expect([...(needs?.orders.keys() ?? [])]).toEqual(['ip t c', 'ip t d'])
  expect([...(needs?.handles.keys() ?? [])]).toEqual(['ip t c'])
})

test('the order of rules follows what is done to them', () => {
  const order = new RuleOrder(new Map([[chainKey(inChain), [10, 20, 30]]]))
  expect(order.add(rule({ index: 1 }), 'add')).toMatchObject({ next: { handle: 20 } })
  const { id } = order.add(rule({ index: 1, id: 7 }), 'insert')
  expect(id).toBe(7) // 10 7 20 new 30
  expect(order.add(rule({ index: 1 }), 'insert')).toMatchObject({ next: { id: 7 } }) // 10 new 7 20 new 30
  order.delete({ ...inChain, handle: 10 })
  order.delete({ ...inChain, id: 7 })
  expect(order.add(rule({ handle: 20 }), 'replace').next).toEqual({ handle: 20 }) // new new new 30
  expect(order.add(rule({ index: 3 }), 'add')).toMatchObject({ next: { handle: 30 } })
  expect(() => order.add(rule({ index: 5 }), 'add')).toThrow(/has 5 rules/)
  expect(() => order.add(rule({ index: -1 }), 'add')).toThrow(/no place/)
  order.flush('ip6')
  order.flush('ip', 'other')
  order.flush('ip', 't', 'd')
  expect(order.add(rule({ index: 4 }), 'insert')).toBeDefined()
  order.flush('ip', 't', 'c')
  expect(() => order.add(rule({ index: 0 }), 'add')).toThrow(/has 0 rules/)
  expect(order.add(rule({ chain: 'd' }), 'add')).toEqual({})
})

test('what takes long is known beforehand', () => {
  const elements = (count: number): Operation => ({
    add: {
      element: {
        family: 'ip',
        table: 't',
        name: 's',
        type: 'inet_service',
        elem: Array.from({ length: count }, (_, port) => port),
      },
    },
  })
  expect(isLong([])).toBe(false)
  expect(isLong([elements(1000)])).toBe(false)
  expect(isLong([elements(5000)])).toBe(true)
  expect(isLong(Array.from({ length: 300 }, (): Operation => ({ add: { rule: rule() } })))).toBe(true)
})

/** A socket that answers every transaction with the same. */
function answering(outcome: Awaited<ReturnType<SocketHandle['transaction']>>): SocketHandle {
  const nothing = new ArrayBuffer(0)
  return {
    port: 0,
    request: async () => nothing,
    requestSync: () => nothing,
    dump: async () => nothing,
    dumpSync: () => nothing,
    dumpPart: async () => nothing,
    transaction: async () => outcome,
    transactionSync: () => outcome,
    forget: async () => 0,
    roundTrip: async () => undefined,
    close: () => {},
  }
}

test('what the socket cannot send at once is told with its sizes', async () => {
  const message = 'the messages take 300 bytes together and the socket sends at most 200 at once'
  const failure = {
    reason: 'too-large',
    errno: 90,
    call: 'sendmsg',
    message,
    index: -1,
    path: '',
  } as const
  const transaction = new Transaction(new Connection(answering([failure])))
  transaction.add({ table: { family: 'ip', name: 't' } })
  const told = { code: 'NFB_TOO_LARGE', operation: 'nft.commit', reason: expect.stringContaining(message) }
  await expect(transaction.commit()).rejects.toMatchObject(told)
  expect(() => transaction.commitSync()).toThrow(expect.objectContaining(told))
  await expect(transaction.check()).rejects.toMatchObject({ ...told, operation: 'nft.check' })
})
