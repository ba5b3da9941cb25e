/** The way of a network between both judges: its bridge alone, and the rules of table inet with connection tracking. */
import type { Touched } from '../plan/elements.js'
import { isTracked } from '../plan/tracking.js'
import type { NetworkView } from '../plan/view.js'
import { askingStep } from './asking-bridges.js'
import type { HostContext } from './host-context.js'
import { inOrder, type Step } from './steps.js'

/**
 * The steps between two views of the same networks, which may differ in which of them are tracked. A bridge asks for br_netfilter
 * before elements have its frames judged there, and until they do not any more: killed in between, both judge.
 * @param touched what else differs
 */
export function trackingSteps(
  context: HostContext,
  before: NetworkView,
  after: NetworkView,
  touched: Touched = {},
): Step[] {
  const names = [...after.networks].map(({ name }) => name)
  const starting = names.filter((name) => tracks(after, name) && !tracks(before, name))
  const ending = names.filter((name) => !tracks(after, name) && tracks(before, name))
  const changing = new Set([...starting, ...ending])
  if (changing.size === 0) return context.elementSteps(before, after, touched)
  const containers = [...after.containers]
    .filter(({ endpoints }) => endpoints.some(({ network }) => changing.has(network)))
    .map(({ id }) => id)
  const all: Touched = {
    ...touched,
    networks: [...new Set([...changing, ...(touched.networks ?? [])])],
    containers: [...new Set([...containers, ...(touched.containers ?? [])])],
  }
  const questions = questionsStep(context, after, starting.length > 0)
  // Elements that have frames judged by table inet would judge nothing while a bridge does not ask.
  return [
    inOrder(`who judges what stays in ${[...changing].join(', ')}`, [
      ...(starting.length > 0 ? whollyOrNot(askingStep(context, starting, before, after)) : []),
      questions,
      ...context.elementSteps(before, after, all),
      // Those that were asked meanwhile.
      questions,
      ...(ending.length > 0 ? whollyOrNot(askingStep(context, ending, before, after)) : []),
    ]),
  ]
}

/** When it fails, some of the bridges may be changed: it is undone even so. */
function whollyOrNot(step: Step): Step[] {
  const nothing = async (): Promise<void> => undefined
  return [
    { ...step, apply: nothing },
    { ...step, undo: nothing },
  ]
}

function tracks(view: NetworkView, name: string): boolean {
  const network = view.network(name)
  return network !== undefined && isTracked(network, view.policy)
}

/** What was asked over UDP and not answered yet is told to the other judge: no connection hangs on where it began. */
function questionsStep({ kernel: { questions } }: HostContext, view: NetworkView, starts: boolean): Step {
  const tell = (toTracking: boolean): Promise<void> =>
    toTracking ? questions.tellTracking() : questions.tellBridges(view)
  return { leaves: 'nothing', apply: () => tell(starts), undo: () => tell(!starts) }
}
