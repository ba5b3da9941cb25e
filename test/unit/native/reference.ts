import type { SchemaTable } from '../../../src/native/addon.js'

/**
 * A decoder of native/codec/records.h that shares nothing with src/native/reader.ts: recursive, on plain arrays,
 * written from the grammar alone.
 */
export function referenceDecode(
  schemas: readonly SchemaTable[],
  messages: readonly { readonly name: string; readonly schema: number }[],
  words: readonly number[],
): { name: string; flags: number; tag: number; record: object }[] {
  const out: { name: string; flags: number; tag: number; record: object }[] = []
  let rest = words
  while (rest.length > 0) {
    const [id, flags, tag, count] = rest.slice(0, 4).map(must)
    const message = must(messages[must(id)])
    const body = rest.slice(4, 4 + must(count))
    out.push({ name: message.name, flags: must(flags), tag: must(tag), record: record(message.schema, body) })
    rest = rest.slice(4 + must(count))
  }
  return out

  function record(schema: number, all: readonly number[]): { [name: string]: unknown } {
    const result: { [name: string]: unknown } = {}
    const opaque: unknown[] = []
    let body = all
    while (body.length > 0) {
      const number = must(body[0])
      if (number === 0xffffffff) {
        const [bytes, after] = blob(body.slice(2))
        opaque.push({ type: must(body[1]), bytes })
        body = after
        continue
      }
      const field = must(must(schemas[schema]).fields[number])
      const value = body.slice(1)
      switch (field.type) {
        case 'u64':
        case 'be64':
          result[field.name] = BigInt(must(value[0])) + BigInt(must(value[1])) * 4294967296n
          body = value.slice(2)
          break
        case 's32':
        case 'beS32':
          result[field.name] = must(value[0]) >= 2 ** 31 ? must(value[0]) - 2 ** 32 : must(value[0])
          body = value.slice(1)
          break
        case 'flag':
          result[field.name] = must(value[0]) === 1
          body = value.slice(1)
          break
        case 'string': {
          const [bytes, after] = blob(value)
          result[field.name] = Buffer.from(bytes).toString('utf8')
          body = after
          break
        }
        case 'bytes': {
          const [bytes, after] = blob(value)
          result[field.name] = bytes
          body = after
          break
        }
        case 'nested':
          result[field.name] = record(must(field.schema), value.slice(1, 1 + must(value[0])))
          body = value.slice(1 + must(value[0]))
          break
        case 'list':
        case 'structs': {
          let items: readonly number[] = value.slice(1, 1 + must(value[0]))
          const list: unknown[] = []
          while (items.length > 0) {
            list.push(record(must(field.schema), items.slice(1, 1 + must(items[0]))))
            items = items.slice(1 + must(items[0]))
          }
          result[field.name] = list
          body = value.slice(1 + must(value[0]))
          break
        }
        case 'strings': {
          let items: readonly number[] = value.slice(1, 1 + must(value[0]))
          const list: string[] = []
          while (items.length > 0) {
            const [bytes, after] = blob(items)
            list.push(Buffer.from(bytes).toString('utf8'))
            items = after
          }
          result[field.name] = list
          body = value.slice(1 + must(value[0]))
          break
        }
        case 'select':
          if (must(value[0]) === 0xffffffff) {
            const [bytes, after] = blob(value.slice(1))
            result[field.name] = { opaque: bytes }
            body = after
          } else {
            const variant = must(must(field.variants)[must(value[0])])
            result[field.name] = record(variant.schema, value.slice(2, 2 + must(value[1])))
            body = value.slice(2 + must(value[1]))
          }
          break
        default:
          result[field.name] = must(value[0])
          body = value.slice(1)
      }
    }
    if (opaque.length > 0) result.opaque = opaque
    return result
  }
}

/** A byte length and bytes padded to words with zeros. */
function blob(words: readonly number[]): [Uint8Array, readonly number[]] {
  const length = must(words[0])
  const count = Math.ceil(length / 4)
  const bytes = new Uint8Array(Uint32Array.from(words.slice(1, 1 + count)).buffer)
  if (bytes.length < length) throw new Error('bytes are missing')
  if (bytes.subarray(length).some((byte) => byte !== 0)) throw new Error('the padding is not zero')
  return [bytes.slice(0, length), words.slice(1 + count)]
}

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the words end early')
  return value
}
