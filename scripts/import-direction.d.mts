/** One import that does not run downward. */
export interface Violation {
  /** Path below src/. */
  readonly file: string
  readonly line: number
  readonly specifier: string
  readonly reason: string
}

export const ranks: ReadonlyMap<string, number>
export function findViolations(files: ReadonlyMap<string, string>): Violation[]
export function readSources(root: string): Map<string, string>
