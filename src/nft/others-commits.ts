/** Word of transactions that others make, at no cost for our own: the kernel filters, and wakes nobody for them. */
import type { SocketHandle } from '../native/addon.js'
import type { Namespace } from '../netns/index.js'
import { RULESET_GROUP } from './events.js'

/**
 * Calls back after transactions that others than the socket made, once for some that come together, and when word of some
 * was lost.
 */
export function watchOthers(
  namespace: Namespace,
  { port }: SocketHandle,
  onCommit: () => void,
): Promise<{ close(): void }> {
  // The message that ends what is told of a transaction; what it consists of is of no interest.
  const options = { message: 'nftNewGeneration', exceptPort: port, holds: false }
  return namespace.openMonitor('netfilter', [RULESET_GROUP], onCommit, 'nft.watchOthers', options)
}
