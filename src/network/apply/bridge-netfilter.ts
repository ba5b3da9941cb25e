import { NfbridgeError } from '../../errors.js'

/** Present in every namespace as soon as br_netfilter is loaded (net/bridge/br_netfilter_hooks.c). */
export const PRESENCE = 'net.bridge.bridge-nf-call-iptables'

/**
 * The settings of a namespace by which the frames of all of its bridges pass the rules of IP and ARP. In the order of the numbers
 * that they have in the set `inherited`, which are never given anew.
 */
export const BRIDGE_NETFILTER: readonly string[] = [
  PRESENCE,
  'net.bridge.bridge-nf-call-ip6tables',
  'net.bridge.bridge-nf-call-arptables',
]

interface ReadsSysctls {
  readSysctl(name: string): Promise<string>
}

/** Whether the kernel has br_netfilter. */
export async function hasBridgeNetfilter(namespace: ReadsSysctls): Promise<boolean> {
  try {
    await namespace.readSysctl(PRESENCE)
    return true
  } catch (error) {
    if (error instanceof NfbridgeError && error.code === 'NFB_MISSING') return false
    throw error
  }
}

/** What br_netfilter is needed for, where the caller asked for it, and how it can be done without. */
export interface BridgeNetfilterNeed {
  readonly operation: string
  readonly path: string
  readonly instead: string
}

/** Of a network. */
export function trackingNeed(operation: string): BridgeNetfilterNeed {
  return { operation, path: 'tracking', instead: 'leave tracking: false' }
}

/**
 * Without br_netfilter the kernel takes a bridge's `nf_call_iptables` and does not heed it: what passes between the containers of
 * a network that is tracked would meet no rule, and `icc: false` would be open without a word.
 * @throws NfbridgeError NFB_NOT_SUPPORTED
 */
export async function requireBridgeNetfilter(
  namespace: ReadsSysctls,
  { operation, path, instead }: BridgeNetfilterNeed,
): Promise<void> {
  if (await hasBridgeNetfilter(namespace)) return
  throw new NfbridgeError({
    code: 'NFB_NOT_SUPPORTED',
    operation,
    path,
    message:
      'the kernel has no br_netfilter, without which rules of table inet see nothing of what passes between containers of one network: ' +
      `load it (modprobe br_netfilter), or ${instead}`,
  })
}
