import { describe, expect, test } from 'vitest'
import type { NftElementRecord, NftExpressionRecord, NftSetRecord } from '../../../src/native/records.js'
import { selects } from '../../../src/native/select.js'
import { compileExpressions, compileOperation } from '../../../src/nft/compile/index.js'
import { decompileExpressions, SetCatalog } from '../../../src/nft/decompile/index.js'
import type { Family, MapObject, SetObject, Statement } from '../../../src/nft/model/index.js'
import { readCases } from './cases.js'
import { batchOf, Collector, compileLines } from './debug-notation.js'

const cases = readCases('./statement-cases.txt')

/** The sets and maps of the table of cases. */
function declared(family: Family): (SetObject | MapObject)[] {
  const owner = { family, table: 't' }
  return [
    { set: { ...owner, name: 's4', type: 'ipv4_addr', flags: ['dynamic', 'timeout'] } },
    { set: { ...owner, name: 's4p', type: ['ipv4_addr', 'inet_service'], flags: ['dynamic'] } },
    { map: { ...owner, name: 'm4', type: 'ipv4_addr', map: 'mark', flags: ['dynamic'] } },
    { map: { ...owner, name: 'mmark', type: 'ipv4_addr', map: 'mark' } },
    { map: { ...owner, name: 'mcnt', type: 'ipv4_addr', map: 'counter' } },
  ]
}

/** What a listing of the kernel would give for what was compiled. */
function listed(family: Family, expr: readonly Statement[]): Statement[] {
  const sink = new Collector()
  const batch = batchOf(sink, declared(family))
  for (const object of declared(family)) compileOperation(batch, { add: object }, { echo: false })
  const expressions = compileExpressions(batch, { family, table: 't', chain: 'c', expr })
  const elements = new Map(
    sink
      .of('nftNewElement')
      .map(({ setId, elements = [] }): [number, readonly NftElementRecord[]] => [setId ?? 0, elements]),
  )
  // The kernel numbers the sets that have no name of their own.
  const named = (name: string | undefined, id: number | undefined): string =>
    (name ?? '').replace('%d', String(id))
  const sets = sink.of('nftNewSet').map((record: NftSetRecord) => ({
    record: { ...record, name: named(record.name, record.id) },
    elements: elements.get(record.id ?? 0) ?? [],
  }))
  const kept = expressions.map((expression: NftExpressionRecord): NftExpressionRecord => {
    if (selects(expression, 'name', 'lookup')) {
      const { set, setId, ...data } = expression.data ?? {}
      return { name: 'lookup', data: { ...data, set: named(set, setId) } }
    }
    if (!selects(expression, 'name', 'objref') || expression.data?.setName === undefined) return expression
    const { setName, setId, ...data } = expression.data
    return { name: 'objref', data: { ...data, setName: named(setName, setId) } }
  })
  return decompileExpressions(kept, family, new SetCatalog(sets))
}

test('the table has its cases', () => {
  expect(cases.length).toBeGreaterThan(185)
})

describe('statements compile to what nft makes of them', () => {
  test.each(cases.map((one) => [`${one.family}: ${one.nft}`, one] as const))('%s', (_, one) => {
    const compiled = compileLines(one.family, one.expr, declared(one.family))
    const lines = compiled.map((line) =>
      line
        .replace(/ size undefined$/, '')
        .replace(/\s+/g, ' ')
        .trim(),
    )
    expect(lines).toEqual(one.lines)
  })
})

describe('statements are read as they were written', () => {
  test.each(cases.map((one) => [`${one.family}: ${one.nft}`, one] as const))('%s', (_, one) => {
    expect(listed(one.family, one.expr)).toEqual(one.expr)
  })
})
