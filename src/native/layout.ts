import type { FieldType, MessageTable, SchemaTable } from './addon.js'

/** Marks what the tables do not know; `codec::kOpaque` in native/codec/records.h. */
export const OPAQUE = 0xffffffff

/** Stands for the id of a message where a stamp follows; `codec::kStamp`. */
export const STAMP = 0xfffffffe

/** Words in front of a message's body; `codec::kMessageHeadWords`. */
export const HEAD_WORDS = 4

/** How the packer writes a value: one kind for types that it writes alike. */
export const PackKind = {
  word: 0,
  half: 1,
  byte: 2,
  signed: 3,
  wide: 4,
  string: 5,
  flag: 6,
  bytes: 7,
  nested: 8,
  list: 9,
  select: 10,
} as const
export type PackKind = (typeof PackKind)[keyof typeof PackKind]

const packKinds: { readonly [T in FieldType]: PackKind } = {
  u8: PackKind.byte,
  u16: PackKind.half,
  be16: PackKind.half,
  u32: PackKind.word,
  be32: PackKind.word,
  s32: PackKind.signed,
  beS32: PackKind.signed,
  u64: PackKind.wide,
  be64: PackKind.wide,
  string: PackKind.string,
  flag: PackKind.flag,
  bytes: PackKind.bytes,
  nested: PackKind.nested,
  list: PackKind.list,
  structs: PackKind.list,
  strings: PackKind.list,
  select: PackKind.select,
}

/** One field, prepared for the packer and the unpacker; all instances have one shape, so that their loops stay fast. */
export class FieldLayout {
  readonly name: string
  /** What the packer writes in front of the value: the field's place in its schema. */
  readonly index: number
  readonly type: FieldType
  /** The type as the packer's switch has it: a small number, which is found without comparing. */
  readonly kind: PackKind
  /** The field that came after this one the last time: most records of a schema have their properties in one order. */
  next: FieldLayout | undefined = undefined
  /** The field's schema once {@link compileLayouts} has linked it; a schema without fields before that. */
  schema: SchemaLayout
  /** select: the name of the field that selects, else empty. */
  keyName: string
  /** select: the place of a variant in `variants`, by the value of the key field. */
  readonly variantIndex: Map<unknown, number>
  readonly variants: SchemaLayout[]

  constructor(name: string, index: number, type: FieldType, schema: SchemaLayout) {
    this.name = name
    this.index = index
    this.type = type
    this.kind = packKinds[type]
    this.schema = schema
    this.keyName = ''
    this.variantIndex = new Map()
    this.variants = []
  }
}

/** A schema, prepared: its fields by number (unpacking) and by name (packing). */
export class SchemaLayout {
  readonly name: string
  readonly fields: FieldLayout[] = []
  readonly byName: Map<string, FieldLayout> = new Map()
  /** The field that came first the last time, see {@link FieldLayout.next}. */
  first: FieldLayout | undefined = undefined

  constructor(name: string) {
    this.name = name
  }
}

/** A message type and its place in the addon's table, which is its id in the buffers. */
export interface MessageLayout {
  readonly id: number
  readonly name: string
  readonly schema: SchemaLayout
}

/** The addon's tables, prepared. */
export interface Layouts {
  readonly messages: readonly MessageLayout[]
  readonly byName: ReadonlyMap<string, MessageLayout>
}

const NONE = new SchemaLayout('')

/** Links the tables that the addon exports into objects; schemas may refer to each other in circles. */
export function compileLayouts(schemas: readonly SchemaTable[], messages: readonly MessageTable[]): Layouts {
  const layouts = schemas.map((table) => new SchemaLayout(table.name))
  const at = (index: number | undefined): SchemaLayout => {
    const layout = index === undefined ? NONE : layouts[index]
    if (layout === undefined)
      throw new RangeError(`the tables refer to schema ${index}, which does not exist`)
    return layout
  }
  for (const [number, table] of schemas.entries()) {
    const layout = at(number)
    for (const [index, field] of table.fields.entries()) {
      const compiled = new FieldLayout(field.name, index, field.type, at(field.schema))
      if (field.type === 'select') {
        compiled.keyName = field.key === undefined ? '' : (table.fields[field.key]?.name ?? '')
        for (const [place, variant] of (field.variants ?? []).entries()) {
          compiled.variantIndex.set(variant.key, place)
          compiled.variants.push(at(variant.schema))
        }
      }
      layout.fields.push(compiled)
      layout.byName.set(field.name, compiled)
    }
  }
  const compiled = messages.map((table, id) => ({ id, name: table.name, schema: at(table.schema) }))
  return { messages: compiled, byName: new Map(compiled.map((message) => [message.name, message])) }
}
