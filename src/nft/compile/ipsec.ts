/** `ipsec`: the transformations of a packet; `tunnel`: the metadata of a tunnel's packet. */
import { InvalidValue, quote, tunnelKeys, xfrmKeys } from '../datatype/index.js'
import { XfrmDirections } from '../kernel/load-constants.js'
import type { IpsecExpression, TunnelExpression } from '../model/index.js'
import { loadedValue, type ValueOperand } from './operand.js'

export function ipsecOperand(reference: IpsecExpression['ipsec']): ValueOperand {
  const { key, dir, family, spnum = 0 } = reference
  const name = key === 'saddr' || key === 'daddr' ? `${family} ${key}` : key
  const found = xfrmKeys.find((each) => each.name === name)
  if (found === undefined)
    throw new InvalidValue(
      `${quote(name)} is no key of ipsec: reqid or spi, or with family ip or ip6 saddr or daddr, is expected`,
    )
  const number = Object.hasOwn(XfrmDirections, dir) ? XfrmDirections[dir] : undefined
  if (number === undefined) throw new InvalidValue(`ipsec needs dir: 'in' or 'out', not ${quote(dir)}`)
  if (!Number.isInteger(spnum) || spnum < 0 || spnum > 255)
    throw new InvalidValue(`${quote(spnum)} is no number of a policy: an integer up to 255 is expected`)
  const data = { key: found.number, dir: number, spnum }
  return loadedValue(found, (dreg) => ({ name: 'xfrm', data: { dreg, ...data } }))
}

export function tunnelOperand({ key }: TunnelExpression['tunnel']): ValueOperand {
  const found = tunnelKeys.find((each) => each.name === key)
  if (found === undefined) throw new InvalidValue(`${quote(key)} is no key of tunnel: path or id is expected`)
  return loadedValue(found, (dreg) => ({ name: 'tunnel', data: { dreg, key: found.number } }))
}
