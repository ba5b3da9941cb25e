/** Which rule of ours lets a packet pass, in the words of networks, containers and links. */
import type { Step } from '../../explain/index.js'
import type { Subjects } from './subjects.js'

/** @returns undefined where the rule's own text is the best there is */
export function allowanceBy(step: Step, subjects: Subjects): string | undefined {
  const { from, to, service, source, target } = subjects
  const set = step.kind === 'rule' ? step.element?.set?.replace(/^@|6$/g, '') : undefined
  const network = target?.name ?? source?.name ?? 'the network'
  // A frame that a link let pass in the bridge comes by table inet as well, where every bridge shows its frames to it.
  if (set === 'links' || set === 'closed_macs') return `${from}'s link to ${to} opens ${service}`
  if (set === 'replies') return `${to}'s link to ${from} lets answers pass (linkMode: 'stateless')`
  if (set === 'icc') return `icc of ${network} is true: its containers reach each other`
  if (set?.startsWith('publish') === true)
    return subjects.isTranslated
      ? `${to} publishes ${service} as port ${subjects.askedService} of the host`
      : `${to} publishes ${service}, which is open by its own address as well`
  if (set === 'direct') return `${network} lets in what asks for its containers' own addresses`
  if (set === 'peers') return `${from} is of a peer (host.peers), and comes by the way that leads back to it`
  if (set === 'forward_policy') return undefined
  // What no rule of the bridge is about: within a network that is closed there is one.
  if (step.family === 'bridge')
    return step.kind === 'policy' && target?.icc
      ? `icc of ${network} is true: its containers reach each other`
      : undefined
  switch (step.chain) {
    case 'outbound':
      return `containers of ${source?.name ?? network} reach what is outside`
    case 'other_network':
      return `${source?.name ?? 'the one network'} and ${target?.name ?? 'the other'} are not isolated from each other`
    case 'same_lan':
      return `${network} is on an adopted bridge, whose own machines reach each other`
    case 'routed':
      return `${network} is routed, and open for ${service}`
    case 'forward':
      return step.kind === 'policy' ? 'the host forwards it: nothing of ours is against it' : undefined
    default:
      return undefined
  }
}
