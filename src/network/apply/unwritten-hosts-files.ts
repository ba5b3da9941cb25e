/** A hosts file that does not say what it should, since it could not be written. */
export interface UnwrittenHostsFile {
  readonly file: string
  /** The name of its container. */
  readonly container: string
  /** Our lines in it, and those that it should have. */
  readonly former: string
  readonly isUnmarked: boolean
  readonly reason: string
}
