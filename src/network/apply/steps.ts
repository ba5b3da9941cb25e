import { NfbridgeError } from '../../errors.js'

/**
 * One step of a change, in both directions: creating runs the steps forward, removing runs the same steps backward, and so
 * does undoing after a failure. Adding and removing can't drift apart.
 */
export interface Step {
  /** What stays behind when `undo` fails: `interface veth1a2b3c`. */
  readonly leaves: string
  readonly apply: () => Promise<void>
  /** Must not fail because what it takes away is gone already. */
  readonly undo: () => Promise<void>
  /** It writes what is remembered. */
  readonly isMemory?: true
}

/** What could not be taken away, and how it may be tried again. */
export type Leftover = Pick<Step, 'leaves' | 'undo'>

/**
 * Runs the steps in order. When one fails, those that were done are undone in reverse order and the failure is thrown,
 * with `remaining` where something could not be undone.
 * @param leave is told what could not
 */
export async function applySteps(
  steps: readonly Step[],
  operation: string,
  leave: (leftovers: readonly Leftover[]) => void = () => undefined,
): Promise<void> {
  const done: Step[] = []
  for (const step of steps) {
    try {
      await step.apply()
    } catch (error) {
      const half = error instanceof HalfDone ? [error.leftover] : []
      const { left } = await undoAll(done)
      leave([...half, ...left])
      const remaining = [...half, ...left].map(({ leaves }) => leaves)
      throw inOperation(error instanceof HalfDone ? error.cause : error, operation, { remaining })
    }
    done.push(step)
  }
}

/**
 * Runs the steps backward, all of them even when one fails; then the first failure is thrown, with all that remains. Where the first
 * one writes what is remembered and can not, none is run: what is remembered stands, and the call can be repeated.
 */
export async function undoSteps(steps: readonly Step[], operation: string): Promise<void> {
  const last = steps.at(-1)
  if (last?.isMemory) {
    try {
      await last.undo()
    } catch (error) {
      if (!(error instanceof HalfDone)) throw inOperation(error, operation)
      throw inOperation(error.cause, operation, { remaining: [error.leftover.leaves] })
    }
  }
  const { left, first } = await undoAll(last?.isMemory ? steps.slice(0, -1) : steps)
  if (left.length > 0) throw inOperation(first, operation, { remaining: left.map(({ leaves }) => leaves) })
}

async function undoAll(steps: readonly Step[]): Promise<{ left: Step[]; first: unknown }> {
  const left: Step[] = []
  let first: unknown
  for (const step of steps.toReversed()) {
    try {
      await step.undo()
    } catch (error) {
      first ??= error instanceof HalfDone ? error.cause : error
      left.push(step)
    }
  }
  return { left, first }
}

/** A step that failed half way, and whose first half could not be taken back; its cause is why it failed. */
class HalfDone extends Error {
  readonly leftover: Leftover

  constructor(cause: unknown, leftover: Leftover) {
    super(`${leftover.leaves} could not be taken back`, { cause })
    this.leftover = leftover
  }
}

/** In a step that fails half way: takes back what was done of it, and throws the failure. */
export async function takeBack(error: unknown, leaves: string, undo: () => Promise<void>): Promise<never> {
  try {
    await undo()
  } catch {
    throw new HalfDone(error, { leaves, undo })
  }
  throw error
}

/** Several steps as one, of which none is undone while one that came after it could not be. */
export function inOrder(leaves: string, steps: readonly Step[]): Step {
  const undo = async (done: readonly Step[]): Promise<void> => {
    for (const step of done.toReversed()) await step.undo()
  }
  return {
    leaves,
    apply: async () => {
      for (const [index, step] of steps.entries()) {
        const done = steps.slice(0, index)
        try {
          await step.apply()
        } catch (error) {
          if (!(error instanceof HalfDone)) return await takeBack(error, leaves, () => undo(done))
          const undoHalf = error.leftover.undo
          const rest = { leaves, undo: () => undoHalf().then(() => undo(done)) }
          throw new HalfDone(error.cause, rest)
        }
      }
    },
    undo: () => undo(steps),
  }
}

/** The same error, told of the caller's operation and, where it is known, of the place in the caller's input. */
export function inOperation(
  error: unknown,
  operation: string,
  more: { readonly remaining?: readonly string[]; readonly path?: string } = {},
): NfbridgeError {
  if (!(error instanceof NfbridgeError)) {
    return new NfbridgeError({
      code: 'NFB_INTERNAL',
      operation,
      message: error instanceof Error ? error.message : String(error),
      remaining: more.remaining,
      cause: error,
    })
  }
  const { code, reason, errno, kernelMessage, related } = error
  return new NfbridgeError({
    code,
    operation,
    message: reason,
    errno,
    kernelMessage,
    path: more.path ?? callersPath(error),
    remaining: [...error.remaining, ...(more.remaining ?? [])],
    related,
    cause: error,
  })
}

/** Places in sends and transactions of our own mean nothing to the caller. */
function callersPath({ path }: NfbridgeError): string | undefined {
  return path !== undefined && /^operations\[/.test(path) ? undefined : path
}

/** What is to be taken away may be gone already. */
export async function ignoreMissing(work: Promise<void>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!(error instanceof NfbridgeError)) throw error
    const missing = [error, ...error.related].every(({ code }) => code === 'NFB_MISSING')
    if (!missing) throw error
  }
}
