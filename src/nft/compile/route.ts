/** `rt`: the packet's route. */
import { InvalidValue, quote, rtKeys } from '../datatype/index.js'
import type { RtExpression } from '../model/index.js'
import { loadedValue, type ValueOperand } from './operand.js'
import type { RuleContext } from './rule-context.js'

export function rtOperand(context: RuleContext, { key, family }: RtExpression['rt']): ValueOperand {
  const name = key === 'nexthop' ? `${nexthopFamily(context, family)} nexthop` : key
  const found = rtKeys.find((each) => each.name === name)
  if (found === undefined)
    throw new InvalidValue(`${quote(key)} is no key of rt: classid, nexthop, mtu or ipsec is expected`)
  return loadedValue(found, (dreg) => ({ name: 'rt', data: { dreg, key: found.number } }))
}

function nexthopFamily(context: RuleContext, family: 'ip' | 'ip6' | undefined): 'ip' | 'ip6' {
  const { network } = context.protocols
  const known = family ?? (network === 'ip' || network === 'ip6' ? network : undefined)
  if (known === undefined) throw new InvalidValue("rt nexthop needs family: 'ip' or 'ip6' here")
  return known
}
