import type { NftDataRecord } from '../../native/records.js'
import { familyNumbers } from '../kernel/constants.js'
import type { Family } from '../model/index.js'
import type { ElementRecord, MessageSink, Removal } from './message.js'

/** An attribute's length is a u16: what is longer is split. */
const MAX_ATTRIBUTE = 60_000
const NLM_F_CREATE = 0x400

/** Adds or removes elements, in as many messages as their size needs. */
export function addElements(
  sink: MessageSink,
  family: Family,
  table: string,
  set: string,
  setId: number | undefined,
  elements: readonly ElementRecord[],
  change: 'New' | Removal,
  flags = 0,
): void {
  const head = { family: familyNumbers[family], table, set, ...(setId === undefined ? {} : { setId }) }
  const send = (chunk: readonly ElementRecord[]): void => {
    const create = change === 'New' ? NLM_F_CREATE : 0
    sink.add(`nft${change}Element`, create | flags, { ...head, elements: chunk })
  }
  let start = 0
  let size = 0
  for (let index = 0; index < elements.length; index++) {
    const element = elements[index]
    if (element === undefined) continue
    const bytes = sizeOf(element)
    if (size + bytes > MAX_ATTRIBUTE) {
      send(elements.slice(start, index))
      start = index
      size = 0
    }
    size += bytes
  }
  send(start === 0 ? elements : elements.slice(start))
}

/** An upper bound of an element's bytes on the wire, headers and padding included. */
function sizeOf(element: ElementRecord): number {
  let size = 48 // its own header, flags, timeout, expiration
  size += dataSize(element.key) + dataSize(element.keyEnd) + dataSize(element.data)
  if (element.userdata !== undefined) size += 8 + element.userdata.length
  if (element.expr !== undefined) size += 64
  for (const { bytes } of element.opaque ?? []) size += 8 + bytes.length
  return size
}

function dataSize(data: NftDataRecord | undefined): number {
  if (data === undefined) return 0
  // A name of 255 bytes at most, of which text may have three for each character.
  return data.value === undefined ? 28 + 3 * (data.verdict?.chain?.length ?? 0) : 12 + data.value.length
}
