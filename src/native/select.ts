/**
 * Whether a record whose data depends on a key has this key, and narrows its type to that alternative:
 * `if (selects(expression, 'name', 'payload')) expression.data?.len`.
 * A plain comparison does not narrow, because the type also allows for keys that are not known.
 */
export function selects<R, K extends keyof R, const V extends string | number>(
  record: R,
  key: K,
  value: V,
): record is Extract<R, { readonly [P in K]: V }> {
  return record[key] === value
}
