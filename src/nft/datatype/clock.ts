/** Types of time: dates, hours of the day. People say them in the time zone of the machine, the kernel counts in UTC. */
import type { Immediate } from '../model/index.js'
import { parseInteger, readNumber, writeNumber } from './byte-order.js'
import type { Datatype } from './datatype.js'
import { InvalidValue, quote } from './invalid-value.js'

const NANOSECONDS = 1_000_000_000n
const DAY = 86_400

function two(value: number): string {
  return String(value).padStart(2, '0')
}

/** `meta time`: nanoseconds since 1970 in the kernel; `YYYY-MM-DD HH:MM:SS` of local time in JSON; numbers are seconds. */
export const dateType: Datatype = {
  name: 'date',
  id: 43,
  bits: 64,
  order: 'host',
  bitmask: false,
  text: false,
  parse: parseDate,
  write(value, target, offset, length, order) {
    writeNumber(parseDate(value), target, offset, length, order)
  },
  read(bytes, offset, length, order): Immediate {
    const nanoseconds = BigInt(readNumber(bytes, offset, length, order))
    const date = new Date(Number(nanoseconds / NANOSECONDS) * 1000)
    if (nanoseconds % NANOSECONDS !== 0n || Number.isNaN(date.getTime()))
      throw new InvalidValue('a time in fractions of a second has no text')
    const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
    return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  },
}

function parseDate(value: Immediate): bigint {
  const seconds = parseInteger(value)
  if (seconds !== undefined && BigInt(seconds) < 1n << 34n) return BigInt(seconds) * NANOSECONDS
  const text = typeof value === 'string' ? value : ''
  const match = /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2})(:\d{2})?)?$/.exec(text)
  const [, day, hour = '00:00', second = ':00'] = match ?? []
  // Without a zone it is local time.
  const milliseconds = Date.parse(`${day}T${hour}${second}`)
  if (match === null || Number.isNaN(milliseconds) || milliseconds < 0)
    throw new InvalidValue(`${quote(value)} is no time: "YYYY-MM-DD HH:MM:SS" or seconds are expected`)
  return BigInt(milliseconds / 1000) * NANOSECONDS
}

/** How many seconds local time is ahead. */
function zoneOffset(): number {
  return -new Date().getTimezoneOffset() * 60
}

/** `meta hour`: seconds of the day in the kernel; `HH:MM` or `HH:MM:SS` of local time in JSON; numbers are local seconds. */
export const hourType: Datatype = {
  name: 'hour',
  id: 44,
  bits: 32,
  order: 'host',
  bitmask: false,
  text: false,
  parse: parseHour,
  write(value, target, offset, length, order) {
    writeNumber(parseHour(value), target, offset, length, order)
  },
  read: (bytes, offset, length, order): Immediate =>
    hourText(Number(readNumber(bytes, offset, length, order))),
  // The day of the kernel is that of UTC: the night of one time zone is the noon of another.
  unwind(first, last) {
    const day = [hourText(0), hourText(DAY - 1)] as const
    if (localSeconds(last) - localSeconds(first) >= DAY) return [day]
    return parseHour(first) <= parseHour(last)
      ? [[first, last]]
      : [
          [first, day[1]],
          [day[0], last],
        ]
  },
}

/** Seconds of UTC's day as the hour of local time. */
function hourText(utc: number): string {
  const seconds = (((utc + zoneOffset()) % DAY) + DAY) % DAY
  const text = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}`
  return seconds % 60 === 0 ? text : `${text}:${two(seconds % 60)}`
}

function parseHour(value: Immediate): number {
  return (((localSeconds(value) - zoneOffset()) % DAY) + DAY) % DAY
}

function localSeconds(value: Immediate): number {
  const [, hours, minutes, seconds = '0'] =
    /^([01]?\d|2[0-4]):([0-5]\d)(?::([0-5]\d|60))?$/.exec(String(value)) ?? []
  const number = parseInteger(value)
  const local =
    hours === undefined ? Number(number) : Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
  if (!Number.isInteger(local) || local < 0 || local > DAY)
    throw new InvalidValue(`${quote(value)} is no hour of the day: "HH:MM" or "HH:MM:SS" is expected`)
  return local
}
