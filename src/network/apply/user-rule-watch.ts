import type { HostContext } from './host-context.js'
import { followUserRules } from './user-rule-frames.js'

/** Comparisons begin so far apart at the least, however often others commit. */
const INTERVAL_MS = 50

const OPERATION = 'BridgeHost.userRules'

/**
 * Looks at the users' chains again when somebody else has committed, as long as the host is open. It keeps no process alive. What can't be
 * done then is tried with the next call that finds it, and `check` finds it.
 */
export class UserRuleWatch {
  readonly #context: HostContext
  #timer: NodeJS.Timeout | undefined
  #last = Number.NEGATIVE_INFINITY

  private constructor(context: HostContext) {
    this.#context = context
  }

  /** Begins; it ends with the context's kernel. */
  static async open(context: HostContext): Promise<void> {
    const watch = new UserRuleWatch(context)
    context.othersCommitted = () => watch.#follow()
    await context.kernel.watchOthers(() => watch.#notice())
  }

  #notice(): void {
    if (this.#timer !== undefined || this.#context.closed) return
    const delay = Math.max(0, this.#last + INTERVAL_MS - performance.now())
    this.#timer = setTimeout(() => this.#compare(), delay).unref()
  }

  #compare(): Promise<void> {
    const turn = this.#context.operate(OPERATION, () => {
      // What comes from here on is for the next comparison.
      this.#timer = undefined
      this.#last = performance.now()
      return this.#follow()
    })
    // The host is closed by now.
    return turn.catch(() => undefined)
  }

  async #follow(): Promise<void> {
    await followUserRules(this.#context, OPERATION).catch(() => undefined)
  }
}
