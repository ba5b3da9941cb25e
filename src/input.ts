import { joinPath, NfbridgeError } from './errors.js'

/** Checks of what a caller without types may pass: each returns the value or throws NFB_INVALID_ARGUMENT with its path. */

/**
 * An object with no other properties than the named ones: a misspelt option that is passed over would be a trap.
 * @param path where it stands in the caller's input; empty for the options themselves
 */
export function checkObject<T extends object>(
  value: T,
  properties: readonly string[],
  operation: string,
  path: string,
): T {
  for (const key of Object.keys(checkIsObject(value, operation, path))) {
    if (properties.includes(key)) continue
    throw wrong(operation, `there is no "${key}", only ${properties.join(', ')}`, joinPath(path, key))
  }
  return value
}

/** An object of any properties. One of a class, such as a Map, has them elsewhere, and would be taken for an empty one. */
export function checkIsObject<T extends object>(value: T, operation: string, path: string): T {
  if (typeof value === 'object' && value !== null && isPlain(value)) return value
  throw wrong(operation, `an object is expected, not ${describe(value)}`, path || 'options')
}

/** Made by `{}`, also in another realm, where `Object` is another one; or without a prototype. A proxy may throw. */
export function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === null || prototype === Object.prototype) return true
  if (typeof prototype !== 'object' || Object.getPrototypeOf(prototype) !== null) return false
  return nameOfConstructor(prototype) === 'Object'
}

function nameOfConstructor(value: object): string {
  return typeof value.constructor === 'function' ? String(value.constructor.name) : ''
}

export function checkString(value: unknown, operation: string, path: string): string {
  if (typeof value === 'string') return value
  throw wrong(operation, `a text is expected, not ${describe(value)}`, path)
}

export function checkBoolean(value: unknown, operation: string, path: string): boolean {
  if (typeof value === 'boolean') return value
  throw wrong(operation, `true or false is expected, not ${describe(value)}`, path)
}

/** A whole number from `least` to `most`, both included. */
export function checkInteger(
  value: unknown,
  [least, most]: readonly [number, number],
  operation: string,
  path: string,
): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value
  throw wrong(operation, `a whole number from ${least} to ${most} is expected, not ${describe(value)}`, path)
}

/** How many bytes the listings of a handle may have, where that is limited. */
export function checkListingLimit(value: unknown, operation: string): number | undefined {
  return value === undefined ? undefined : checkInteger(value, [1, 0x7fffffff], operation, 'listingLimit')
}

/** An unpaired surrogate can't be written: another character would stand in its place. */
export function hasHalfCharacter(text: string): boolean {
  return /\p{Surrogate}/u.test(text)
}

/** PATH_MAX of linux/limits.h, less the terminating NUL. */
const LONGEST_PATH = 4_095

/** A path that a system call takes: a NUL would end it there, and half a character would become another one. */
export function checkPath(value: unknown, operation: string, path: string): string {
  const text = checkString(value, operation, path)
  const bytes = Buffer.byteLength(text)
  const refuse = (why: string): NfbridgeError => wrong(operation, `a path is expected: ${why}`, path)
  if (text === '') throw refuse('it is empty')
  if (text.includes('\0')) throw refuse('a NUL character stands in it')
  if (hasHalfCharacter(text)) throw refuse('half a character (an unpaired surrogate) stands in it')
  if (bytes > LONGEST_PATH) throw refuse(`it has ${bytes} bytes, ${LONGEST_PATH} are the most`)
  return text
}

/** One of a few texts. */
export function checkOneOf<T extends string | boolean>(
  value: unknown,
  choices: readonly T[],
  operation: string,
  path: string,
): T {
  const chosen = choices.find((choice) => choice === value)
  if (chosen !== undefined) return chosen
  throw wrong(operation, `one of ${choices.join(', ')} is expected, not ${describe(value)}`, path)
}

/** A list without holes, which `map` and others would pass over. */
export function checkArray<T>(value: readonly T[], operation: string, path: string): readonly T[] {
  if (Array.isArray(value)) {
    // Unlike indexOf, it finds holes as well.
    const hole = value.findIndex((part) => typeof part === 'undefined')
    if (hole < 0) return value
    throw wrong(operation, 'a list without holes is expected', joinPath(path, hole))
  }
  throw wrong(operation, `a list is expected, not ${describe(value)}`, path)
}

function wrong(operation: string, message: string, path: string): NfbridgeError {
  return new NfbridgeError({ code: 'NFB_INVALID_ARGUMENT', operation, message, path })
}

/** A value in a message: a text in quotation marks, of anything else what it is. */
export function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 64)) : describe(value)
}

/** What a value is, for messages. */
function describe(value: unknown): string {
  try {
    return description(value)
  } catch {
    // What a caller's own object does when it is looked at is not told.
    return `a value of type ${typeof value} that cannot be read`
  }
}

function description(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return `the text ${JSON.stringify(value.slice(0, 64))}`
  if (Array.isArray(value)) return 'a list'
  const name = typeof value === 'object' && !isPlain(value) ? nameOfConstructor(value) : ''
  return name === '' ? `a value of type ${typeof value}` : `an instance of ${name}`
}
