/** What a process that was killed between two judges left: questions over UDP that one of them knows, and the other is to answer for. */
import type { Element } from '../../nft/index.js'
import type { Link } from '../../rtnl/index.js'
import type { SetElement } from '../plan/elements.js'
import type { NetworkRecord } from '../plan/records.js'
import { isTracked } from '../plan/tracking.js'
import { unrememberedOf } from '../plan/unremembered.js'
import type { NetworkView } from '../plan/view.js'
import type { HostContext } from './host-context.js'

/** What is handed over with the rules, and afterwards what was asked meanwhile. */
export interface HandingOver {
  readonly asked: readonly { readonly element: Element }[]
  readonly again: () => Promise<void>
}

/**
 * What those who judge by the rules that are to stand must be told. The bridges' memory is read where anything is tracked, and is as large
 * as what is pending; the table of connections only where a network was opened and tracked by a call that is forgotten.
 * @param elements all that are to stand
 * @param links as they are before anything is mended
 */
export async function interruptedSwitch(
  context: HostContext,
  view: NetworkView,
  elements: readonly SetElement[],
  links: readonly Link[],
): Promise<HandingOver> {
  const { questions } = context.kernel
  const closed = [...view.networks].filter(({ icc }) => !icc)
  const isLinked = elements.some(({ set }) => set === 'links' || set === 'links6')
  if (closed.length === 0 || !isLinked) return { asked: [], again: async () => undefined }
  const verdicts = await context.kernel.verdictsWithinBridges()
  const stood = ({ bridges }: NetworkRecord, verdict: string): boolean =>
    bridges.some((bridge) => verdicts.get(bridge) === verdict)
  const tracked = closed.filter((network) => isTracked(network, view.policy))
  const starts = tracked.some((network) => stood(network, 'same_bridge'))
  const asking = new Set(links.flatMap(({ name, bridge }) => (bridge?.nfCallIptables ? [name] : [])))
  const asks = ({ bridges }: NetworkRecord): boolean => bridges.some((bridge) => asking.has(bridge))
  // Opened by a call that was killed before it was remembered: no link stood, by which bridges remember.
  const opened = closed.filter((network) => stood(network, 'accept'))
  const ends = opened.some((network) => asks(network) && !isTracked(network, view.policy))
  return {
    asked: [
      // Killed behind the rules, too, where nothing else tells.
      ...(tracked.length > 0 ? await questions.ofBridges('inet') : []),
      ...(ends ? await questions.ofTracking(elements) : []),
      ...questions.presumed(
        opened
          .filter((network) => !asks(network))
          .map((network) => unrememberedOf(network, isTracked(network, view.policy), elements)),
      ),
    ],
    again: async () => {
      if (starts) await questions.tellTracking()
      if (ends) await questions.tellBridges(view)
    },
  }
}
