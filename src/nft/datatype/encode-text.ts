import { hasHalfCharacter } from '../../input.js'
import { InvalidValue, quote } from './invalid-value.js'

const encoder = new TextEncoder()

/** UTF-8. @throws InvalidValue for half a character, in whose place another one would stand */
export function encodeText(text: string): Uint8Array<ArrayBuffer> {
  if (hasHalfCharacter(text))
    throw new InvalidValue(`half a character (an unpaired surrogate) stands in ${quote(text)}`)
  return encoder.encode(text)
}
