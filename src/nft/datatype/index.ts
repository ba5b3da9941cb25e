export { type ByteOrder, readNumber, writeNumber } from './byte-order.js'
export {
  isTypeof,
  type KeyField,
  type KeyLayout,
  keyLayout,
  paddedLength,
  readField,
  typeNames,
  typeofParts,
  typesFromId,
  writeField,
} from './concatenation.js'
export type { Datatype, SymbolTable } from './datatype.js'
export { encodeText } from './encode-text.js'
export { type Extension, type ExtensionKind, extensionOps, extensions, fieldType } from './extensions.js'
export { type Header, type HeaderField, headers, transportHeaders, VLAN_HEADER_BYTES } from './headers.js'
export { fromHexadecimal, hexadecimal } from './hexadecimal.js'
export { type Interfaces, interfaceIndexType } from './interface-index.js'
export { InvalidValue, quote } from './invalid-value.js'
export {
  ctEventKey,
  ctKeys,
  metaKeys,
  type RegisterKey,
  rtKeys,
  socketKeys,
  tunnelKeys,
  xfrmKeys,
} from './keys.js'
export { datatype, datatypeById, verdictTypeId } from './registry.js'
export { type Tunnel, tunnelNamed, tunnels } from './tunnels.js'
export { isEmptyNote, notedTypes } from './typeof.js'
export { knownExpressions, notedExpression, typeofField } from './typeof-expression.js'
export {
  concatNote,
  Expressions as NotedExpressions,
  type KnownExpression,
  verdictNote,
} from './typeof-note.js'
