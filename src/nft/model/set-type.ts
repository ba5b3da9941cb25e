/** By what sets and maps are declared. */
import type { TypeSpecification } from './datatype.js'
import type { Expression } from './expression.js'

/**
 * The types of what expressions give: `{ typeof: { payload: { protocol: 'ip', field: 'saddr' } } }`; several, as a list or a
 * `concat`, for a concatenation. nft lists such a set by its expressions.
 */
export interface TypeofSpecification {
  readonly typeof: Expression | readonly Expression[]
}

/** How a set or map is declared. */
export type SetType = TypeSpecification | TypeofSpecification
