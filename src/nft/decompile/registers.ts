/** The registers of nf_tables: 16 words, also named as four of four words (`enum nft_registers`). */
import type { Loaded } from './value.js'

/** NFT_REG_VERDICT */
export const verdictRegister = 0

const words = 16
const firstWord = 8

/** The word that a register begins at; undefined for one that is none. */
function wordOf(register: number): number | undefined {
  if (register >= 1 && register <= 4) return (register - 1) * 4
  if (register >= firstWord && register < firstWord + words) return register - firstWord
  return undefined
}

/** What each register holds at one point of a rule. */
export class Registers {
  /** By the word that a value begins at. */
  readonly #values: (Loaded | undefined)[] = Array<undefined>(words).fill(undefined)

  /** Puts a value there; what it overwrites, even in part, is gone. False when there is no such register. */
  load(register: number, loaded: Loaded): boolean {
    const start = wordOf(register)
    if (start === undefined) return false
    const end = start + wordsOf(loaded)
    for (let word = 0; word < end && word < words; word++) {
      const value = this.#values[word]
      if (value && word + wordsOf(value) > start) this.#values[word] = undefined
    }
    this.#values[start] = loaded
    return true
  }

  /** Forgets everything. */
  clear(): void {
    this.#values.fill(undefined)
  }

  /** The value that begins there. */
  at(register: number): Loaded | undefined {
    const word = wordOf(register)
    return word === undefined ? undefined : this.#values[word]
  }

  /** The values that fill `length` bytes from there, one behind the other; undefined when they do not. */
  span(register: number, length: number): readonly Loaded[] | undefined {
    const start = wordOf(register)
    if (start === undefined) return undefined
    const found: Loaded[] = []
    const end = start + Math.ceil(length / 4)
    let word = start
    while (word < end) {
      const value = this.#values[word]
      if (!value) return undefined
      found.push(value)
      word += wordsOf(value)
    }
    return word === end ? found : undefined
  }

  /** All values from there on without a gap: whatever a consumer that is not understood may read. */
  from(register: number): readonly Loaded[] {
    const found: Loaded[] = []
    let word = wordOf(register) ?? words
    for (;;) {
      const value = this.#values[word]
      if (!value) return found
      found.push(value)
      word += wordsOf(value)
    }
  }

  /** How many words lie between two registers. */
  static distance(from: number, to: number): number | undefined {
    const start = wordOf(from)
    const end = wordOf(to)
    return start === undefined || end === undefined ? undefined : end - start
  }
}

function wordsOf(loaded: Loaded): number {
  return Math.max(1, Math.ceil(loaded.length / 4))
}
