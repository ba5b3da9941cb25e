/**
 * Descriptions of values that come as JSON. `shapes.ts` has those of the model; a property whose name ends in `?` may be
 * left out, and one that is not named must not be there.
 */
export type Shape =
  | { readonly kind: 'string' | 'number' | 'boolean' }
  | { readonly kind: 'values'; readonly values: readonly (string | number | boolean | null)[] }
  | { readonly kind: 'pattern'; readonly pattern: string }
  | { readonly kind: 'list'; readonly of: Shape }
  | { readonly kind: 'tuple'; readonly items: readonly Shape[] }
  | { readonly kind: 'object'; readonly properties: { readonly [name: string]: Shape } }
  | { readonly kind: 'union'; readonly of: readonly Shape[] }
  /** The shape of this name in the table. */
  | { readonly kind?: never; readonly ref: string }
