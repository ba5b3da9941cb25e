/** `meta`: what the kernel knows about a packet beside its bytes. */
import { datatype, InvalidValue, metaKeys, quote } from '../datatype/index.js'
import { noTransforms, type ValueOperand } from './operand.js'

const metaOperands: ReadonlyMap<string, ValueOperand> = new Map(
  metaKeys.map((key) => [
    key.name,
    {
      kind: 'value',
      source: { kind: 'meta', key: key.number },
      type: datatype(key.type),
      bits: key.length * 8,
      length: key.length,
      order: key.order,
      transforms: noTransforms,
    },
  ]),
)

export function metaOperand(key: string): ValueOperand {
  const operand = metaOperands.get(key)
  if (operand === undefined) throw new InvalidValue(`${quote(key)} is no key of meta`)
  return operand
}
