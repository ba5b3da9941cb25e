/** What was listed without being understood goes back as it was. */
import type { NftElementRecord, NftExpressionRecord, NftSetRecord } from '../../native/records.js'
import { selects } from '../../native/select.js'
import { InvalidValue } from '../datatype/index.js'
import { familyNumbers } from '../kernel/constants.js'
import { kernelRecord } from '../kernel/plain-record.js'
import type { OpaqueSet, OpaqueStatement } from '../model/index.js'
import { addElements } from './element-messages.js'
import type { RuleContext } from './rule-context.js'

const NLM_F_CREATE = 0x400

/** A set that is made anew, by the name that it was listed with. */
interface Renamed {
  readonly name: string
  readonly id: number
}

/** The trail stands at the statement's `opaque`. */
export function compileOpaque(
  context: RuleContext,
  { expressions, sets = [] }: OpaqueStatement['opaque'],
): void {
  const { trail, out } = context
  const renamed = new Map<string, Renamed>()
  for (const set of sets) renamed.set(String(set.record.name), addSet(context, set))
  trail.enter('expressions')
  for (const [index, plain] of expressions.entries()) {
    trail.enter(index)
    const expression = kernelRecord<NftExpressionRecord>(plain)
    if (typeof expression.name !== 'string') throw new InvalidValue('an expression has a name')
    out.push(accepted(referring(expression, renamed)))
    trail.leave()
  }
  trail.leave()
}

/** The kernel numbers sets without a name itself; what it only tells about them it does not take back. */
function addSet({ batch, family, table }: RuleContext, { record, elements }: OpaqueSet): Renamed {
  const { handle, type, count, name = '', ...kept } = kernelRecord<NftSetRecord>(record)
  const listed = elements.map((element) => kernelRecord<NftElementRecord>(element))
  const set = { name: name.replace(/^(__[a-z]+)\d+$/, '$1%d'), id: ++batch.nextSetId }
  batch.sink.add('nftNewSet', NLM_F_CREATE, { ...kept, ...set, family: familyNumbers[family], table })
  addElements(batch.sink, family, table, set.name, set.id, listed, 'New')
  return set
}

/** The expression with the set's new name and number in the place of the old one. */
function referring(
  expression: NftExpressionRecord,
  renamed: ReadonlyMap<string, Renamed>,
): NftExpressionRecord {
  if (selects(expression, 'name', 'lookup')) {
    const set = renamed.get(expression.data?.set ?? '')
    return set ? { ...expression, data: { ...expression.data, set: set.name, setId: set.id } } : expression
  }
  if (selects(expression, 'name', 'objref') || selects(expression, 'name', 'dynset')) {
    const set = renamed.get(expression.data?.setName ?? '')
    if (!set) return expression
    const place = { setName: set.name, setId: set.id }
    return selects(expression, 'name', 'objref')
      ? { ...expression, data: { ...expression.data, ...place } }
      : { ...expression, data: { ...expression.data, ...place } }
  }
  return expression
}

/** Without what the kernel tells of an expression that has it not, and refuses to be told. */
function accepted(expression: NftExpressionRecord): NftExpressionRecord {
  if (selects(expression, 'name', 'osf') && expression.data?.flags === 0) {
    const { flags, ...data } = expression.data
    return { ...expression, data }
  }
  // No timeout at all is meant, for which the set need not have the flag.
  if (selects(expression, 'name', 'dynset') && expression.data?.timeout === 0n) {
    const { timeout, ...data } = expression.data
    return { ...expression, data }
  }
  if (selects(expression, 'name', 'exthdr') && expression.data && expression.data.dreg === undefined) {
    const { flags, offset, len, ...data } = expression.data
    // It writes an option, or takes one away, which has neither place nor length.
    return { ...expression, data: data.sreg === undefined ? data : { ...data, ...defined({ offset, len }) } }
  }
  return expression
}

function defined({ offset, len }: { offset: number | undefined; len: number | undefined }): {
  readonly offset?: number
  readonly len?: number
} {
  return { ...(offset !== undefined && { offset }), ...(len !== undefined && { len }) }
}
