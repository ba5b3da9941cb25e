/** `numgen`, `jhash`, `symhash`: numbers that are counted, drawn, or computed from the packet. */
import { InvalidValue, quote } from '../datatype/index.js'
import { HashTypes, NumgenTypes } from '../kernel/load-constants.js'
import type { JhashExpression, NumgenExpression, SymhashExpression } from '../model/index.js'
import { loadOperand } from './load.js'
import { loadedValue, type Operand, type ValueOperand } from './operand.js'
import { register } from './registers.js'

const number32 = { type: 'integer', length: 4, order: 'host' } as const

function checkNumber(value: unknown, lowest: number, name: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < lowest || value > 0xffffffff)
    throw new InvalidValue(`${quote(value)} is no ${name}: an integer from ${lowest} is expected`)
  return value
}

/** The kernel refuses numbers that would run over. */
function range(mod: unknown, offset: unknown): { readonly modulus: number; readonly offset?: number } {
  const modulus = checkNumber(mod, 1, 'mod')
  const first = offset === undefined ? 0 : checkNumber(offset, 0, 'offset')
  if (first + modulus - 1 > 0xffffffff)
    throw new InvalidValue(`offset ${first} and mod ${modulus} give numbers of more than 32 bits`)
  return { modulus, ...(first === 0 ? {} : { offset: first }) }
}

export function numgenOperand({ mode, mod, offset }: NumgenExpression['numgen']): ValueOperand {
  const type = Object.hasOwn(NumgenTypes, mode) ? NumgenTypes[mode] : undefined
  if (type === undefined)
    throw new InvalidValue(`${quote(mode)} is no mode of numgen: inc or random is expected`)
  const data = { type, ...range(mod, offset) }
  return loadedValue(number32, (dreg) => ({ name: 'numgen', data: { dreg, ...data } }))
}

export function symhashOperand({ mod, offset }: SymhashExpression['symhash']): ValueOperand {
  const data = { type: HashTypes.symmetric, ...range(mod, offset) }
  return loadedValue(number32, (dreg) => ({ name: 'hash', data: { dreg, ...data } }))
}

/** @param of what is hashed, with its dependencies emitted already */
export function jhashOperand({ mod, offset, seed }: JhashExpression['jhash'], of: Operand): ValueOperand {
  const data = {
    type: HashTypes.jenkins,
    len: of.length,
    ...range(mod, offset),
    ...(seed === undefined ? {} : { seed: checkNumber(seed, 0, 'seed') }),
  }
  return loadedValue(number32, (dreg, out, free) => {
    loadOperand(out, free, of, false)
    return { name: 'hash', data: { sreg: register(free), dreg, ...data } }
  })
}
