/** Rules through compiler and decompiler, without a kernel. */
import type { NftExpressionRecord, NftSetRecord } from '../../../src/native/records.js'
import { compileExpressions, compileOperation } from '../../../src/nft/compile/index.js'
import { decompileExpressions, SetCatalog } from '../../../src/nft/decompile/index.js'
import type { Family, MapObject, SetObject, Statement } from '../../../src/nft/model/index.js'
import { batchOf, Collector } from './debug-notation.js'

/** What the kernel would list of a rule: the anonymous sets have names, which the rule uses. */
function compiled(
  expr: readonly Statement[],
  family: Family,
  declared: readonly (SetObject | MapObject)[],
): {
  readonly expressions: readonly NftExpressionRecord[]
  readonly sets: readonly { readonly record: NftSetRecord; readonly elements: readonly object[] }[]
} {
  const sink = new Collector()
  const batch = batchOf(sink, declared)
  const expressions = compileExpressions(batch, { family, table: 't', chain: 'c', expr })
  const elements = sink.of('nftNewElement')
  const sets = sink.of('nftNewSet').map((record) => ({
    record: { ...record, name: `__set${record.id}` },
    elements: elements
      .filter(({ setId }) => setId === record.id)
      .flatMap((message) => message.elements ?? []),
  }))
  return { expressions: expressions.map(asListed), sets }
}

function asListed(expression: object): NftExpressionRecord {
  const named = structuredClone(expression) as { data?: { set?: string; setId?: number } }
  if (named.data?.setId !== undefined) {
    named.data.set = `__set${named.data.setId}`
    delete named.data.setId
  }
  // A compiled expression is a record of the kernel's.
  return named as NftExpressionRecord
}

/** A rule as it would be listed after it was compiled. */
export function readBack(
  expr: readonly Statement[],
  family: Family,
  declared: readonly (SetObject | MapObject)[],
): Statement[] {
  const { expressions, sets } = compiled(expr, family, declared)
  return decompileExpressions(expressions, family, new SetCatalog([...namedSets(declared), ...sets]))
}

function namedSets(declared: readonly (SetObject | MapObject)[]) {
  const sink = new Collector()
  const batch = batchOf(sink)
  for (const object of declared) compileOperation(batch, { add: object }, { echo: false })
  return sink.of('nftNewSet').map((record) => ({ record, elements: [] }))
}
