/**
 * The elements of an interval set of several fields, each a range in every field. The kernel deletes by the beginning alone,
 * whatever the end, and takes elements that cover others: of a map it would go on giving what the others lead to.
 */
import { type Attributes, isSameData, RangeRefused } from './range.js'

/** A range in every field: the lowest key and the highest. */
export interface Box {
  readonly low: Uint8Array
  readonly high: Uint8Array
  readonly attributes: Attributes
  /** Of one that was asked for: its index in what the caller gave. */
  readonly place?: number
}

/** Where the fields of a key lie. */
export interface BoxField {
  readonly offset: number
  readonly length: number
}

export interface BoxSettings {
  readonly isMap: boolean
  readonly fields: readonly BoxField[]
  readonly describe: (low: Uint8Array, high: Uint8Array) => string
}

/** A change of them: what is added and what goes is what was asked for. */
export interface BoxChange {
  readonly list: BoxList
  readonly boxes: readonly Box[]
}

/** Never changed: a change gives another one. */
export class BoxList {
  /** By their beginnings and ends. */
  readonly boxes: ReadonlyMap<string, Box>
  readonly settings: BoxSettings

  constructor(boxes: ReadonlyMap<string, Box>, settings: BoxSettings) {
    this.boxes = boxes
    this.settings = settings
  }

  get size(): number {
    return this.boxes.size
  }

  /**
   * @param exclusive refuses also what is there already just so
   * @throws RangeRefused
   */
  add(asked: readonly Box[], exclusive: boolean): BoxChange {
    const boxes = new Map(this.boxes)
    for (const box of asked) {
      const key = boxKey(box)
      const same = boxes.get(key)
      if (same === undefined) {
        boxes.set(key, box)
        continue
      }
      if (exclusive) throw this.#refusal('NFB_EXISTS', box, 'is in the set already')
      if (this.settings.isMap && !isSameData(box.attributes, same.attributes))
        throw this.#refusal('NFB_EXISTS', box, 'is in the map already, with other data')
    }
    // In a set it is no harm: what one of them holds is in the set.
    if (this.settings.isMap) this.#refuseOverlaps([...boxes.values()], new Set(asked))
    return { list: new BoxList(boxes, this.settings), boxes: asked }
  }

  /**
   * @param must refuses what is not there; else only what is there goes
   * @throws RangeRefused
   */
  remove(asked: readonly Box[], must: boolean): BoxChange {
    const boxes = new Map(this.boxes)
    const found = asked.filter((box) => {
      if (boxes.delete(boxKey(box))) return true
      if (must) throw this.#refusal('NFB_MISSING', box, 'is no element of the set')
      return false
    })
    return { list: new BoxList(boxes, this.settings), boxes: found }
  }

  /** Goes through them along the field that parts them most; of those that meet there, each pair with a new one is looked at. */
  #refuseOverlaps(all: Box[], added: ReadonlySet<Box>): void {
    const field = this.#partingField(all)
    if (field === undefined) return
    const { offset, length } = field
    const edge = (bytes: Uint8Array): string => textOf(bytes, offset, length)
    const ordered = all
      .map((box) => ({ box, first: edge(box.low), last: edge(box.high), isNew: added.has(box) }))
      .sort((one, other) => (one.first < other.first ? -1 : one.first > other.first ? 1 : 0))
    let open: typeof ordered = []
    for (const next of ordered) {
      open = open.filter(({ last }) => last >= next.first)
      for (const other of open) {
        if (!next.isNew && !other.isNew) continue
        if (next.isNew) this.#refuseOverlap(next.box, other.box, other.isNew)
        else this.#refuseOverlap(other.box, next.box, false)
      }
      open.push(next)
    }
  }

  #partingField(boxes: readonly Box[]): BoxField | undefined {
    const { fields } = this.settings
    const counts = fields.map(
      ({ offset, length }) => new Set(boxes.map(({ low }) => textOf(low, offset, length))).size,
    )
    return fields[counts.indexOf(Math.max(...counts))]
  }

  #refuseOverlap(mine: Box, other: Box, together: boolean): void {
    if (isSameData(mine.attributes, other.attributes) || !this.#overlaps(mine, other)) return
    const text = this.settings.describe(other.low, other.high)
    const where = together ? 'is added with it' : 'is in the map already'
    throw this.#refusal('NFB_EXISTS', mine, `overlaps ${text}, which ${where} with other data`)
  }

  #overlaps(one: Box, other: Box): boolean {
    return this.settings.fields.every(
      ({ offset, length }) =>
        compareAt(one.low, other.high, offset, length) <= 0 &&
        compareAt(other.low, one.high, offset, length) <= 0,
    )
  }

  #refusal(code: RangeRefused['code'], { low, high, place }: Box, what: string): RangeRefused {
    return new RangeRefused(code, `${this.settings.describe(low, high)} ${what}`, place)
  }
}

export function boxKey({ low, high }: Pick<Box, 'low' | 'high'>): string {
  return textOf(low, 0, low.length) + textOf(high, 0, high.length)
}

/** Bytes as text: compared at once, and in the same order. */
function textOf(bytes: Uint8Array, offset: number, length: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + offset, length).toString('latin1')
}

function compareAt(one: Uint8Array, other: Uint8Array, offset: number, length: number): number {
  for (let index = offset; index < offset + length; index++) {
    const difference = (one[index] ?? 0) - (other[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
