/** What became of a case. */
export interface Outcome {
  /** Why it is skipped. */
  skipped?: string
  /** What is wrong; none for a case that passes. */
  readonly faults: string[]
  /** What is worth knowing of a case that passes: how it was installed by nft. */
  note?: string
}

/** Two values as text, when they differ. */
export function difference(what: string, ours: unknown, theirs: unknown): string[] {
  const [one, other] = [JSON.stringify(ours), JSON.stringify(theirs)]
  return one === other ? [] : [`${what}\n  ours:   ${one}\n  theirs: ${other}`]
}
