import { NfbridgeError } from '../../errors.js'
import { Namespace, type NamespaceSource } from '../../netns/index.js'
import type { EndpointSettings } from '../plan/endpoint-settings.js'
import { familiesOf, type NetworkRecord } from '../plan/records.js'

/**
 * Whether interfaces that come to a namespace have no IPv6 (`net.ipv6.conf.default.disable_ipv6`): that is the container's own
 * say, and it gets no IPv6 addresses. What can't be opened is told by who opens it for the work.
 */
export async function isIPv6Off(netns: NamespaceSource | undefined): Promise<boolean> {
  if (netns === undefined) return false
  let namespace: Namespace | undefined
  try {
    namespace = Namespace.open(netns)
    return (await namespace.readSysctl('net/ipv6/conf/default/disable_ipv6')) === '1'
  } catch (error) {
    if (error instanceof NfbridgeError) return false
    throw error
  } finally {
    namespace?.close()
  }
}

/** The same settings, for a container that may have IPv6 turned off; on a network without IPv6 nobody is asked. */
export async function withIPv6Of<S extends { readonly endpoint: EndpointSettings }>(
  network: NetworkRecord,
  settings: S,
  netns: NamespaceSource | undefined,
): Promise<S> {
  if (!familiesOf(network).includes(6) || !(await isIPv6Off(netns))) return settings
  return { ...settings, endpoint: { ...settings.endpoint, ipv6Off: true } }
}
