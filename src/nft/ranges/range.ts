/** A range of a set's keys, both ends included: the keys as numbers, most significant byte first. */
import type { NftElementRecord } from '../../native/records.js'

/** What the kernel keeps of an element beside its key; of its flags those that say more than where it ends. */
export type Attributes = Omit<NftElementRecord, 'key' | 'keyEnd'>

export interface Range {
  readonly low: bigint
  readonly high: bigint
  readonly attributes: Attributes
  /**
   * Whether an element of its own marks the end. Without, the range goes on to the last value there is, or to the next
   * range: older nft writes neighbours in maps so.
   */
  readonly closed: boolean
  /** Of one that was asked for: its index in what the caller gave. */
  readonly place?: number
}

/** A change that is refused, and which of the ranges that were asked for is the reason. */
export class RangeRefused extends Error {
  readonly code: 'NFB_EXISTS' | 'NFB_MISSING'
  readonly place: number | undefined

  constructor(code: 'NFB_EXISTS' | 'NFB_MISSING', message: string, place: number | undefined) {
    super(message)
    this.code = code
    this.place = place
  }
}

/** Writes a range as people do, for messages. */
export type Describe = (low: bigint, high: bigint) => string

/** Bytes, most significant first, as a number. */
export function toNumber(bytes: Uint8Array): bigint {
  if (bytes.length === 0) return 0n
  if (bytes.length > 4)
    return BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')}`)
  let value = 0
  for (const byte of bytes) value = value * 256 + byte
  return BigInt(value)
}

export function toBytes(value: bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let rest = value
  for (let index = length - 1; index >= 0 && rest > 0n; index--) {
    bytes[index] = Number(rest & 0xffn)
    rest >>= 8n
  }
  return bytes
}

/** Whether two elements of a map lead to the same. */
export function isSameData(one: Attributes, other: Attributes): boolean {
  if (one.objref !== other.objref) return false
  const [verdict, others] = [one.data?.verdict, other.data?.verdict]
  if (verdict?.code !== others?.code || verdict?.chain !== others?.chain) return false
  const [value, second] = [one.data?.value, other.data?.value]
  return (
    value === second || (value !== undefined && second !== undefined && Buffer.compare(value, second) === 0)
  )
}
