/** Expressions with numbers of their own, by which sets can be declared: raw bits, questions to routes, generators. */
import { fibFlags, fibResults, payloadBases } from '../kernel/constants.js'
import type {
  Expression,
  FibExpression,
  FibFlag,
  FibResult,
  PayloadBase,
  RawPayloadReference,
} from '../model/index.js'
import { readNumber } from './byte-order.js'
import { xfrmKeys } from './keys.js'
import { datatype } from './registry.js'
import { Expressions, type KnownExpression, type Noted, type TypeofField, word } from './typeof-note.js'

/** nft counts the bases of headers from 1. */
const FIRST_BASE = 1

const integer = datatype('integer')
const numbers = { type: integer, length: 4, order: 'host' } as const

/** Undefined for what is no such expression. */
export function computedField(expression: Expression): TypeofField | undefined {
  if (typeof expression !== 'object' || expression === null) return undefined
  if ('payload' in expression) return 'base' in expression.payload ? rawField(expression.payload) : undefined
  if ('fib' in expression) return fibField(expression.fib)
  if ('numgen' in expression) {
    const { mode, mod, offset = 0 } = expression.numgen
    const kind = mode === 'inc' ? 0 : mode === 'random' ? 1 : -1
    return noted(numbers, Expressions.numgen, [kind, mod, offset])
  }
  if ('ipsec' in expression) {
    const { family, key, dir, spnum = 0 } = expression.ipsec
    const known = xfrmKeys.find(({ name }) => name === (family === undefined ? key : `${family} ${key}`))
    if (known === undefined) return undefined
    const { type, length, order } = known
    const direction = dir === 'in' ? 0 : dir === 'out' ? 1 : -1
    return noted({ type: datatype(type), length, order }, Expressions.ipsec, [known.number, spnum, direction])
  }
  // nft 1.0.6 has no note of them.
  if ('jhash' in expression || 'symhash' in expression) return numbers
  if ('socket' in expression && expression.socket?.key === 'cgroupv2')
    return { type: datatype('cgroupsv2'), length: 8, order: 'host' }
  return undefined
}

/** Undefined where a value is no number of 32 bits. */
function noted(field: TypeofField, kind: number, values: readonly number[]): TypeofField | undefined {
  if (!values.every((value) => Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff))
    return undefined
  return { ...field, noted: { kind, data: values.flatMap((value, index) => word(index, value)) } }
}

function rawField({ base, offset, len }: RawPayloadReference): TypeofField | undefined {
  const number = Object.hasOwn(payloadBases, base) ? payloadBases[base] + FIRST_BASE : -1
  if (!(len > 0)) return undefined
  const field = { type: integer, length: Math.ceil(len / 8), order: 'big' } as const
  return noted(field, Expressions.payload, [0, 0, number, offset, len])
}

function fibField({ result, flags }: FibExpression['fib']): TypeofField | undefined {
  const list: readonly FibFlag[] = typeof flags === 'string' ? [flags] : flags
  if (
    result === 'check' ||
    !Object.hasOwn(fibResults, result) ||
    (!Array.isArray(flags) && typeof flags !== 'string')
  )
    return undefined
  const bits = list.map((flag) => (Object.hasOwn(fibFlags, flag) ? fibFlags[flag] : -1))
  if (bits.includes(-1)) return undefined
  return noted(fibFields[result], Expressions.fib, [
    fibResults[result],
    bits.reduce((all, bit) => all | bit, 0),
  ])
}

const fibFields: { readonly [R in Exclude<FibResult, 'check'>]: TypeofField } = {
  oif: { type: datatype('iface_index'), length: 4, order: 'host' },
  oifname: { type: datatype('string'), length: 16, order: 'host' },
  type: { type: datatype('fib_addrtype'), length: 4, order: 'host' },
}

/** Undefined for a note of something else, and for one that ours is not the same as. */
export function computedExpression(noted: Noted): KnownExpression | undefined {
  const expression = expressionOf(noted)
  const field = expression === undefined ? undefined : computedField(expression)
  const same = field?.noted?.data.join() === noted.data.join()
  return expression !== undefined && field && same ? { ...field, expression } : undefined
}

function expressionOf({ kind, data }: Noted): Expression | undefined {
  const [first, second, third, fourth, fifth] = words(data)
  if (first === undefined || second === undefined) return undefined
  if (kind === Expressions.fib) {
    const result = named(fibResults, first)
    const flags = entries(fibFlags).flatMap(([flag, bit]) => ((second & bit) !== 0 ? [flag] : []))
    return result && flags.length > 0 ? { fib: { result, flags } } : undefined
  }
  if (third === undefined) return undefined
  if (kind === Expressions.numgen)
    return {
      numgen: { mode: first === 0 ? 'inc' : 'random', mod: second, ...(third !== 0 && { offset: third }) },
    }
  if (kind === Expressions.ipsec) {
    const key = xfrmKeys.find(({ number }) => number === first)?.name
    const common = { dir: third === 0 ? 'in' : 'out', spnum: second } as const
    if (key === 'reqid' || key === 'spi') return { ipsec: { key, ...common } }
    const family = key?.startsWith('ip ') ? 'ip' : 'ip6'
    return key && { ipsec: { key: key.endsWith('saddr') ? 'saddr' : 'daddr', family, ...common } }
  }
  const base = named<PayloadBase>(payloadBases, third - FIRST_BASE)
  if (kind !== Expressions.payload || base === undefined || fourth === undefined || !fifth) return undefined
  return { payload: { base, offset: fourth, len: fifth } }
}

/** The values of a note, which are numbers of 32 bits with a type and a length before each. */
function words(data: readonly number[]): readonly number[] {
  const bytes = Uint8Array.from(data)
  const values: number[] = []
  for (let at = 0; at + 6 <= bytes.length; at += 6) values.push(Number(readNumber(bytes, at + 2, 4, 'host')))
  return values
}

function named<Name extends string>(
  table: { readonly [N in Name]: number },
  wanted: number,
): Name | undefined {
  return entries(table).find(([, number]) => number === wanted)?.[0]
}

function entries<Name extends string>(table: { readonly [N in Name]: number }): [Name, number][] {
  return Object.entries(table) as [Name, number][]
}
