/** The expressions that sets were declared by (`typeof`), as nft notes them in the sets' user data. */
import {
  concatNote,
  type KnownExpression,
  NotedExpressions,
  notedExpression,
  readNumber,
} from '../datatype/index.js'
import type { TypeofSpecification } from '../model/index.js'
import type { FieldEncoding } from './encodings.js'
import { readUserdata } from './userdata.js'

/** NFTNL_UDATA_SET_TYPEOF_EXPR, NFTNL_UDATA_SET_TYPEOF_DATA (libnftnl) */
const EXPRESSION = 0
const DATA = 1

interface Note {
  readonly kind: number
  readonly data: Uint8Array
}

function readNote(bytes: Uint8Array): Note | undefined {
  const values = readUserdata(bytes)
  const kind = values?.get(EXPRESSION)
  const data = values?.get(DATA)
  if (kind?.length !== 4 || data === undefined) return undefined
  return { kind: Number(readNumber(kind, 0, 4, 'host')), data }
}

function known(note: Note | undefined): KnownExpression | undefined {
  return note && notedExpression({ kind: note.kind, data: [...note.data] })
}

/** What is noted of each field, as far as it is understood; undefined for no note. */
export function notedFields(
  bytes: Uint8Array | undefined,
): readonly (KnownExpression | undefined)[] | undefined {
  const note = bytes && readNote(bytes)
  if (note === undefined) return undefined
  if (note.kind !== NotedExpressions.concat) return [known(note)]
  return [...(readUserdata(note.data)?.values() ?? [])].map((part) => known(readNote(part)))
}

/**
 * The declaration by expressions; undefined where the note is not understood whole, does not give what the set holds, or
 * would not be written again as it is.
 */
export function typeofSpecification(
  bytes: Uint8Array | undefined,
  fields: readonly Pick<FieldEncoding, 'type' | 'length'>[] | undefined,
): TypeofSpecification | undefined {
  const noted = notedFields(bytes)?.filter((each) => each !== undefined)
  if (bytes === undefined || noted === undefined || noted.length !== fields?.length) return undefined
  const fits = noted.every(
    ({ type, length }, index) => type.name === fields[index]?.type.name && length === fields[index]?.length,
  )
  const again = concatNote(noted.flatMap((each) => each.noted ?? []))
  if (!fits || again === undefined || Buffer.compare(bytes, again) !== 0) return undefined
  const [only] = noted
  const expressions = noted.map(({ expression }) => expression)
  return only !== undefined && noted.length === 1
    ? { typeof: only.expression }
    : { typeof: { concat: expressions } }
}
