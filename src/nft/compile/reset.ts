import { extensionOps, extensions, InvalidValue, quote } from '../datatype/index.js'
import type { ResetStatement } from '../model/index.js'
import type { RuleContext } from './rule-context.js'

/** `reset tcp option sack-perm`; the trail stands at its object. */
export function compileReset(context: RuleContext, reset: ResetStatement['reset']): void {
  const option: unknown = typeof reset === 'object' && reset !== null ? reset['tcp option'] : undefined
  if (typeof option !== 'object' || option === null || !('name' in option || 'base' in option))
    throw new InvalidValue(`only a TCP option can be reset, not ${quote(reset)}`)
  if ('base' in option) {
    const { base } = option
    if (typeof base !== 'number' || !Number.isInteger(base) || base < 0 || base > 255)
      throw new InvalidValue(`${quote(base)} is no kind of a TCP option: a number from 0 to 255 is expected`)
    context.out.push({ name: 'exthdr', data: { type: base, op: extensionOps['tcp option'] } })
    return
  }
  const { name } = option
  const options = extensions['tcp option']
  const type = typeof name === 'string' && Object.hasOwn(options, name) ? options[name]?.type : undefined
  if (type === undefined || 'field' in option)
    throw new InvalidValue(
      `${quote(option)} is no TCP option that is known: ${Object.keys(options).join(', ')}`,
    )
  // The kernel takes neither place nor length (nft_exthdr_tcp_strip_init).
  context.out.push({ name: 'exthdr', data: { type, op: extensionOps['tcp option'] } })
}
