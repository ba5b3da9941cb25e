import { types } from 'node:util'
import { joinPath, NfbridgeError } from './errors.js'
import { hasHalfCharacter, isPlain } from './input.js'

/** Nothing that a call takes is deeper by far; what is would have whoever follows it run out of stack. */
const MOST_DEEP = 100

/**
 * A copy of what a caller gave, read once: plain objects and lists with all that is in them. What is read again later may be another
 * value by then, or may throw. Instances of classes, such as a Namespace, stay what they are, and numbers and functions.
 * @param path where it stands in the caller's input; empty for the options themselves
 * @throws NfbridgeError NFB_INVALID_ARGUMENT for what cannot be read, is too deep, or is no value of any option: symbols, half characters
 */
export function readInput<T>(given: T, operation: string, path: string): T {
  const steps: (string | number)[] = []
  try {
    // A copy has the type of what it was made of.
    return read(given, steps) as T
  } catch (error) {
    const reason = error instanceof Refused ? error.message : UNREADABLE
    throw refusal(
      reason,
      operation,
      steps.reduce<string>((to, step) => joinPath(to, step), path),
      error,
    )
  }
}

/** A property of an instance, whose getter may throw; an error of ours, such as NFB_CLOSED, stays what it is. */
export function readProperty(of: object, name: string, operation: string, path: string): unknown {
  try {
    return Reflect.get(of, name)
  } catch (error) {
    if (types.isNativeError(error) && error instanceof NfbridgeError) throw error
    throw refusal(UNREADABLE, operation, path, error)
  }
}

/**
 * For calls that read what they are given where it stands, because a copy would cost more than the call: an error that is not ours came out of
 * the caller's own values. They are read once more, to say which.
 * @returns what to throw
 */
export function inputError(error: unknown, given: unknown, operation: string, path: string): unknown {
  if (error instanceof NfbridgeError) return error
  try {
    readInput(given, operation, path)
  } catch (refused) {
    return refused
  }
  return error
}

/**
 * {@link inputError} around what only reads input. A value that the types rule out and no check foresaw, null for an object or a number for a
 * list, is refused as well.
 */
export function withInput<T>(given: unknown, operation: string, path: string, call: () => T): T {
  try {
    return call()
  } catch (error) {
    const cause = inputError(error, given, operation, path)
    if (cause instanceof TypeError || cause instanceof RangeError)
      throw refusal(`a value is not of the expected shape (${cause.message})`, operation, path, cause)
    throw cause
  }
}

const UNREADABLE = 'it cannot be read: reading it throws'

class Refused extends Error {}

function refusal(message: string, operation: string, path: string, cause: unknown): NfbridgeError {
  return new NfbridgeError({
    code: 'NFB_INVALID_ARGUMENT',
    operation,
    message,
    path: path || 'options',
    cause,
  })
}

/** The steps lead to what is being read, and stay there when that fails: what throws is the caller's own code. */
function read(value: unknown, steps: (string | number)[]): unknown {
  switch (typeof value) {
    case 'string':
      return whole(value)
    case 'symbol':
      throw new Refused('a symbol is no value of anything')
    case 'function':
      return instance(value)
    case 'object':
      break
    default:
      return value
  }
  if (value === null) return value
  const isList = Array.isArray(value)
  if (!isList && !isPlain(value)) return instance(value)
  if (steps.length >= MOST_DEEP) throw new Refused(`it is more than ${MOST_DEEP} deep`)
  return isList ? readList(value, steps) : readObject(value, steps)
}

function readList(list: readonly unknown[], steps: (string | number)[]): unknown[] {
  const copy: unknown[] = []
  const { length } = list
  for (let index = 0; index < length; index++) {
    steps.push(index)
    // A list of holes may be as long as it likes to be.
    if (!(index in list)) throw new Refused('a list without holes is expected')
    copy.push(read(list[index], steps))
    steps.pop()
  }
  return copy
}

function readObject(object: object, steps: (string | number)[]): object {
  const copy: Record<string, unknown> = {}
  for (const key of Object.keys(object)) {
    steps.push(key)
    whole(key)
    const value = read(Reflect.get(object, key), steps)
    // Assigned, it would be the prototype.
    if (key === '__proto__') Object.defineProperty(copy, key, { value, enumerable: true })
    else copy[key] = value
    // Messages print what they refuse, which these would have fail.
    if (key === 'toString' || key === 'valueOf')
      Object.defineProperty(copy, Symbol.toPrimitive, { value: () => '[object Object]' })
    steps.pop()
  }
  return copy
}

function whole(text: string): string {
  if (hasHalfCharacter(text)) throw new Refused('half a character (an unpaired surrogate) stands in it')
  return text
}

/**
 * A proxy of one has nothing of what is private to it, and does as it likes. What has only the prototype of a class lacks that as well: it
 * can't say what it is, which every message about it would ask.
 */
function instance(value: object): object {
  if (types.isProxy(value))
    throw new Refused('a proxy of an instance of a class, or of a function, is not taken')
  if (!ArrayBuffer.isView(value)) String(value)
  return value
}
