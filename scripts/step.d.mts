export interface StepResult {
  /** Ended by itself, with the code 0, within its limit. */
  readonly ok: boolean
  readonly code: number | null
  readonly timedOut: boolean
  /** What it wrote to both outputs. */
  readonly output: string
  readonly seconds: number
}

export interface StepOptions {
  /** In seconds. */
  readonly limit: number
  /** The output is only collected, not shown. Default: false. */
  readonly quiet?: boolean
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
}

export function runStep(command: string, args: readonly string[], options: StepOptions): Promise<StepResult>
export function formatSeconds(seconds: number): string
