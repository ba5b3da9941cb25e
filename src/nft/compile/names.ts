import { InvalidValue, quote } from '../datatype/index.js'
import { familyNumbers, NAME_MAX } from '../kernel/constants.js'
import type { Family } from '../model/index.js'

/** The kernel's number of a family. @throws InvalidValue */
export function familyNumber(family: Family): number {
  const isName = typeof family === 'string' && Object.hasOwn(familyNumbers, family)
  const number: number | undefined = isName ? familyNumbers[family] : undefined
  if (number === undefined)
    throw new InvalidValue(`${quote(family)} is no family: ip, ip6, inet, arp, bridge or netdev is expected`)
  return number
}

/** Refuses what the kernel cannot keep as the name of a table, chain, set or object. */
export function checkName(name: string, what: string): string {
  if (typeof name !== 'string' || name === '')
    throw new InvalidValue(`the name of a ${what} is expected, not ${quote(name)}`, 'NFB_INVALID_NAME')
  if (name.length > NAME_MAX || name.includes('\0'))
    throw new InvalidValue(
      `${quote(name)} is no name of a ${what}: at most ${NAME_MAX} bytes`,
      'NFB_INVALID_NAME',
    )
  return name
}
