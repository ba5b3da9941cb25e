import type { FieldType, MessageTable, SchemaTable } from '../../../src/native/addon.js'
import { compileLayouts, type Layouts } from '../../../src/native/layout.js'

const scalars: FieldType[] = [
  'u8',
  'u16',
  'u32',
  's32',
  'u64',
  'be16',
  'be32',
  'beS32',
  'be64',
  'string',
  'flag',
  'bytes',
  'strings',
]

/** Hand-made tables with a field of every type. Schema 0 refers to itself. */
export const schemas: readonly SchemaTable[] = [
  {
    name: 'thing',
    fields: [
      ...scalars.map((type) => ({ name: `a${type}`, type })),
      { name: 'inner', type: 'nested', schema: 0 },
      { name: 'many', type: 'list', schema: 1 },
      { name: 'hops', type: 'structs', schema: 1 },
      { name: 'kind', type: 'string' },
      {
        name: 'data',
        type: 'select',
        key: 16,
        variants: [
          { key: 'small', schema: 1 },
          { key: 'large', schema: 0 },
        ],
      },
    ],
  },
  {
    name: 'part',
    fields: [
      { name: 'len', type: 'be32' },
      { name: 'number', type: 'u32' },
      { name: 'content', type: 'select', key: 1, variants: [{ key: 7, schema: 0 }] },
    ],
  },
]

export const messages: readonly MessageTable[] = [
  { name: 'newPart', protocol: 'route', type: 16, schema: 1 },
  { name: 'newThing', protocol: 'netfilter', type: 17, schema: 0 },
]

export const layouts: Layouts = compileLayouts(schemas, messages)
