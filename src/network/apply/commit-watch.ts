import type { Route } from '../../rtnl/index.js'
import { mayLeadOut } from '../plan/offload.js'
import type { HostContext } from './host-context.js'
import { followUserRules } from './user-rule-frames.js'

/** Comparisons begin so far apart at the least, however often others commit. */
const INTERVAL_MS = 50

const OPERATION = 'BridgeHost.userRules'

/**
 * Looks at the users' chains again, and at whose rules must see every packet, when somebody else has committed, and where connections
 * are offloaded also when there is a new way out; as long as the host is open. It keeps no process alive. What can't be done then is
 * tried with the next call that finds it, and `check` finds it.
 */
export class CommitWatch {
  readonly #context: HostContext
  #timer: NodeJS.Timeout | undefined
  #last = Number.NEGATIVE_INFINITY

  private constructor(context: HostContext) {
    this.#context = context
  }

  /** Begins; it ends with the context's kernel. */
  static async open(context: HostContext): Promise<void> {
    const watch = new CommitWatch(context)
    context.othersCommitted = () => watch.#follow()
    context.offload.onNewRoute = (route) => watch.#noticeRoute(route)
    await context.kernel.watchOthers(() => watch.#notice())
  }

  #noticeRoute(route: Route | undefined): void {
    if (route === undefined || mayLeadOut(route)) this.#notice()
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
    const context = this.#context
    await followUserRules(context, OPERATION).catch(() => undefined)
    await context.offload.follow(context.registry)
  }
}
