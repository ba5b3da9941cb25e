/** Types whose values are numbers in the kernel and something else for people. */
import type { Immediate } from '../model/index.js'
import { parseInteger, readNumber, writeNumber } from './byte-order.js'
import type { Datatype } from './datatype.js'
import { InvalidValue, quote } from './invalid-value.js'

/** time: milliseconds in the kernel, seconds in JSON and here. */
export const timeType: Datatype = {
  name: 'time',
  id: 18,
  bits: 32,
  order: 'host',
  bitmask: false,
  text: false,
  parse: parseSeconds,
  write(value, target, offset, length, order) {
    writeNumber(parseSeconds(value), target, offset, length, order)
  },
  read: (bytes, offset, length, order): Immediate => Number(readNumber(bytes, offset, length, order)) / 1000,
}

const units: { readonly [unit: string]: number } = {
  w: 604_800_000,
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
}

/** `1d2h3m4s5ms` as milliseconds; digits alone are seconds. */
function parseDuration(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text) * 1000
  if (!/^(?:\d+(?:ms|[wdhms]))+$/.test(text)) return undefined
  return [...text.matchAll(/(\d+)(ms|[wdhms])/g)].reduce(
    (sum, [, count, unit = '']) => sum + Number(count) * (units[unit] ?? 0),
    0,
  )
}

function parseSeconds(value: Immediate): number {
  const milliseconds = typeof value === 'number' ? Math.round(value * 1000) : parseDuration(String(value))
  if (milliseconds === undefined || !(milliseconds >= 0) || milliseconds > 0xffffffff)
    throw new InvalidValue(
      `${quote(value)} is no time: seconds are expected, below 4294967, or text such as "1h30m"`,
    )
  return milliseconds
}

/** classid: a traffic control handle, `major:minor` in hexadecimal, `none` or `root`. */
export const classidType: Datatype = {
  name: 'classid',
  id: 23,
  bits: 32,
  order: 'host',
  bitmask: false,
  text: false,
  parse: parseClassid,
  write(value, target, offset, length, order) {
    writeNumber(parseClassid(value), target, offset, length, order)
  },
  read(bytes, offset, length, order): Immediate {
    const number = Number(readNumber(bytes, offset, length, order))
    if (number === 0) return 'none'
    return number === 0xffffffff
      ? 'root'
      : `${(number >>> 16).toString(16)}:${(number & 0xffff).toString(16)}`
  },
}

function parseClassid(value: Immediate): number {
  if (value === 'none') return 0
  if (value === 'root') return 0xffffffff
  const number = parseInteger(value)
  if (typeof number === 'number' && number >>> 0 === number) return number
  const [, major, minor] = /^([0-9a-f]{0,4}):([0-9a-f]{0,4})$/i.exec(String(value)) ?? []
  if (major === undefined || minor === undefined)
    throw new InvalidValue(`${quote(value)} is no handle of traffic control, such as "1:2"`)
  return Number.parseInt(major || '0', 16) * 0x10000 + Number.parseInt(minor || '0', 16)
}

/** ct_label: one bit of 128 by its number. */
export const labelType: Datatype = {
  name: 'ct_label',
  id: 30,
  bits: 128,
  order: 'host',
  bitmask: true,
  text: false,
  parse: parseLabel,
  write(value, target, offset, length, order) {
    writeNumber(parseLabel(value), target, offset, length, order)
  },
  read(bytes, offset, length, order): Immediate {
    const number = BigInt(readNumber(bytes, offset, length, order))
    return number > 0n && (number & (number - 1n)) === 0n
      ? number.toString(2).length - 1
      : `0x${number.toString(16)}`
  },
}

function parseLabel(value: Immediate): bigint {
  const bit = parseInteger(value)
  if (typeof bit !== 'number' || bit > 127)
    throw new InvalidValue(`${quote(value)} is no label: the number of a bit is expected, from 0 to 127`)
  return 1n << BigInt(bit)
}
