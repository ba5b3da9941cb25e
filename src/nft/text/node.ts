/**
 * What the printers read. They take any value that has the shape of libnftables' JSON, also a wrong one: the text is for
 * logs and errors, so that printing must not be what fails.
 */

/** An object whose properties are not known to be right. */
export type Node = { readonly [key: string]: unknown }

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The property of an object, else `undefined`. */
export function child(value: unknown, key: string): unknown {
  return isNode(value) ? value[key] : undefined
}

/** The only property of an object, as in `{ accept: null }`. */
export function onlyEntry(value: unknown): readonly [key: string, value: unknown] | undefined {
  if (!isNode(value)) return undefined
  const [entry, ...rest] = Object.entries(value)
  return rest.length === 0 ? entry : undefined
}

/** One or several, as a list; nothing for `undefined`. */
export function list(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? value : [value]
}

/**
 * Text in quotation marks. nft has no escapes: what has a quotation mark or a control character inside has no words there,
 * and makes a comment of the whole line.
 */
export function quoted(value: unknown): string {
  const text = String(value)
  return isHarmless(text) ? `"${text}"` : unknownText(text)
}

/** `comment "…"`, or nothing. A comment does nothing: what nft cannot read in it is written in another way. */
export function commentText(comment: unknown): string | undefined {
  if (comment === undefined) return undefined
  const text = String(comment).replaceAll('"', "'")
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
  return `comment "${text.replace(/[\0-\x1f\x7f]+/g, ' ')}"`
}

/** Without quotation marks and control characters. */
function isHarmless(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code < 32 || code === 34 || code === 127) return false
  }
  return true
}

/** Joins what is there with spaces. */
export function words(...parts: readonly (string | undefined | false)[]): string {
  return parts.filter((part) => part !== undefined && part !== false && part !== '').join(' ')
}

const unknownMark = "# not nft's syntax: "

/** What no printer knows, on one line and in a comment of nft that ends at the line's end. */
export function unknownText(value: unknown): string {
  return `${unknownMark}${json(value)}`
}

/** Whether a text is a comment, becomes one somewhere, or is of xtables: nft would read a part of it only, or not at all. */
export function isUnsayable(text: string): boolean {
  return text.startsWith('# ') || text.startsWith('xt ') || text.includes(unknownMark)
}

/** JSON on one line; bytes in hexadecimal, big numbers as digits. */
export function json(value: unknown): string {
  const text = JSON.stringify(value, (_key, inner: unknown) => {
    if (inner instanceof Uint8Array) return Buffer.from(inner).toString('hex')
    return typeof inner === 'bigint' ? inner.toString() : inner
  })
  return text ?? String(value)
}
