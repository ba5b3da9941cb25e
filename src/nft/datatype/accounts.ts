/** Users and groups of the machine by their names, which nft prints and reads beside numbers. */
import { readFileSync } from 'node:fs'
import type { Datatype } from './datatype.js'
import { integerType } from './integer.js'

/** The number that `/etc/passwd` or `/etc/group` has for a name: read anew each time, for it may change. */
function numberOf(file: string, name: string): number | undefined {
  if (name === 'root') return 0
  const [, number] = lines(file).find(([known]) => known === name) ?? []
  return number
}

function lines(file: string): (readonly [name: string, number: number])[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    // A machine without the file knows nobody by name.
    return []
  }
  return text.split('\n').flatMap((line): (readonly [string, number])[] => {
    const [name = '', , number = ''] = line.split(':')
    return /^\d+$/.test(number) ? [[name, Number(number)]] : []
  })
}

/** uid, gid: numbers, or names of the machine. They are shown as numbers, which mean the same on every machine. */
function accountType(name: 'uid' | 'gid', id: number, title: string, file: string): Datatype {
  const numbers = integerType(name, id, 32, { order: 'host', title })
  const known: Datatype['parse'] = (value, bits) => {
    const number = typeof value === 'string' && !/^\d/.test(value) ? numberOf(file, value) : undefined
    return number ?? numbers.parse?.(value, bits) ?? 0
  }
  return {
    ...numbers,
    parse: known,
    write: (value, target, offset, length, order) =>
      numbers.write(Number(known(value, 32)), target, offset, length, order),
  }
}

export const uidType: Datatype = accountType('uid', 24, 'user id, and no user of /etc/passwd', '/etc/passwd')
export const gidType: Datatype = accountType('gid', 25, 'group id, and no group of /etc/group', '/etc/group')
