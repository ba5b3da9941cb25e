import type { Namespace } from '../../../src/index.js'
import { ip, nft, runIn } from '../../support/tools.js'

/** What the tools print of a namespace: all that a failed or undone call could leave behind. */
export async function stateOf(namespace: Namespace): Promise<string> {
  const parts = await Promise.all([
    // Statistics and the carrier of links come and go; names, addresses and masters are what we change.
    ip(namespace, '-br', 'link'),
    ip(namespace, '-br', 'addr'),
    ip(namespace, 'route', 'show', 'table', 'all'),
    nft(namespace, '-s', 'list', 'ruleset'),
    runIn(namespace, 'sysctl', ['-n', 'net.ipv4.ip_forward']),
  ])
  return parts.join('\n---\n')
}
